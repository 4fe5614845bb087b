#include "tests/support/server_process.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/certificates.hpp"

namespace jackfield::test {
namespace {

// Where sanitizers report: to standard error, with these words.
constexpr std::string_view kFindings[] = {
    "runtime error:", "ThreadSanitizer: data race", "ThreadSanitizer: lock-order-inversion",
    "ThreadSanitizer: heap-use-after-free", "ThreadSanitizer: signal-unsafe call"};
// The same, and what a crash may bring along: threads that nobody has joined, for one.
constexpr std::string_view kWords[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                       "ERROR: ThreadSanitizer", "WARNING: ThreadSanitizer"};

std::string quoted_list(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) {
    text += (text.size() > 1 ? ", \"" : "\"") + value + "\"";
  }
  return text + "]";
}

Address parse_address(std::string_view text) {
  Address address;
  constexpr std::string_view kUnix = "unix:";
  constexpr std::string_view kWebSocket = "ws://";
  constexpr std::string_view kTlsWebSocket = "wss://";
  if (text.starts_with(kUnix)) {
    address.path = text.substr(kUnix.size());
    return address;
  }
  address.is_tls = text.starts_with(kTlsWebSocket);
  if (address.is_tls) text.remove_prefix(kTlsWebSocket.size());
  if (text.starts_with(kWebSocket)) text.remove_prefix(kWebSocket.size());
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return address;
  address.host = text.substr(0, colon);
  if (address.host.starts_with("[")) address.host = address.host.substr(1, colon - 2);
  address.port = static_cast<std::uint16_t>(
      std::strtoul(std::string(text.substr(colon + 1)).c_str(), nullptr, 10));
  return address;
}

bool is_tcp(const std::string& listen) {
  return !listen.starts_with("unix:") && !listen.starts_with("tls:");
}

// The options as the environment wants them.
ServerOptions over_tls(ServerOptions options) {
  if (!is_run_over_tls() || !std::all_of(options.listen.begin(), options.listen.end(), is_tcp)) {
    return options;
  }
  for (std::string& listen : options.listen) listen = "tls:" + listen;
  options.tables += "\n[tls]\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\n";
  return options;
}

}  // namespace

bool is_run_over_tls() {
  static const bool is_wanted = std::getenv("JACKFIELD_TEST_TLS") != nullptr;
  return is_wanted;
}

std::filesystem::path built_plugin(const std::string& name) {
  const std::filesystem::path tiny = std::filesystem::path(JACKFIELD_TEST_PLUGINS) / (name + ".so");
  if (std::filesystem::exists(tiny)) return tiny;
  return std::filesystem::path(JACKFIELD_PLUGINS) / (name + ".so");
}

std::string jackfield_executable() { return JACKFIELD_EXECUTABLE; }

std::string configuration_text(const TemporaryFolder& folder, const ServerOptions& given) {
  const ServerOptions options = over_tls(given);
  const std::string plugins = (folder.path() / "plugins").string();
  const std::string rates =
      options.has_rates
          ? ""
          : "max_messages_per_s = 0\nmax_bytes_per_s = 0\nmax_subscribes_per_s = 0\n";
  return "[server]\nlisten = " + quoted_list(options.listen) + "\n" + rates + options.server +
         "\n[plugins]\ndirectory = \"" + plugins + "\"\n" + options.loading + "\n" +
         options.tables;
}

std::filesystem::path write_configuration(const TemporaryFolder& folder,
                                          const ServerOptions& options) {
  const std::filesystem::path plugins = folder.path() / "plugins";
  std::filesystem::create_directories(plugins);
  std::filesystem::create_directories(folder.path() / "run");
  for (const PluginFile& plugin : options.plugins) {
    std::filesystem::copy_file(built_plugin(plugin.built), plugins / plugin.file);
  }
  if (is_run_over_tls()) {
    const Certificate certificate = self_signed();
    folder.write("tests.pem", certificate.text);
    folder.write("tests.key", certificate.key);
    std::filesystem::permissions(folder.path() / "tests.key", std::filesystem::perms::owner_read);
  }
  return folder.write("jackfield.toml", configuration_text(folder, options));
}

ServerProcess::ServerProcess(const ServerOptions& options, Where where) {
  const std::filesystem::path configuration = write_configuration(folder_, options);
  command_ = options.wrapper;
  command_.insert(command_.end(), {jackfield_executable(), "--config", configuration.string()});
  if (!options.log_level.empty()) {
    command_.insert(command_.end(), {"--log-level", options.log_level});
  }
  command_.insert(command_.end(), options.arguments.begin(), options.arguments.end());
  restart(where);
}

void ServerProcess::restart(Where where) {
  launch(where);
  wait_until_ready(where);
}

void ServerProcess::launch(Where where) {
  ended_ = false;
  if (process_) expect_no_finding(where);
  process_ = std::make_unique<ChildProcess>(
      command_, ChildProcess::Environment{{"RUNTIME_DIRECTORY", (folder_.path() / "run").string()}},
      where);
}

void ServerProcess::wait_until_ready(Where where) {
  const bool is_ready = process_->wait_for_output({"ready"}).has_value();
  check(is_ready,
        "the server does not get ready. It said:\n" + process_->output() + process_->errors(),
        where);
  read_addresses(where);
}

ServerProcess::~ServerProcess() = default;

void ServerProcess::read_addresses(Where where) {
  addresses_.clear();
  std::istringstream lines(process_->output());
  constexpr std::string_view kWord = "listening";
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kWord)) continue;
    const std::size_t begin = line.find_first_not_of(' ', kWord.size());
    std::size_t end = line.size();
    if (line.ends_with("/") && line.find("://") != std::string::npos) --end;
    addresses_.push_back(parse_address(std::string_view(line).substr(begin, end - begin)));
  }
  check(!addresses_.empty(), "it does not say where it listens:\n" + process_->output(), where);
}

std::string ServerProcess::url() const {
  return (addresses_.at(0).is_tls ? "wss://" : "ws://") + addresses_.at(0).host + ":" + std::to_string(addresses_.at(0).port) + "/";
}

std::size_t ServerProcess::resident_kib() const { return status_kib("VmRSS:"); }

std::size_t ServerProcess::data_kib() const { return status_kib("VmData:"); }

void ServerProcess::expect_grown_less(std::size_t before_kib, std::size_t most_kib,
                                      Where where) const {
  if (!kMeasuresMemory) {
    say_memory_is_not_measured();
    return;
  }
  const std::size_t peak = status_kib("VmHWM:");
  check(
      peak > 0 && peak < before_kib + most_kib,
      "the server grew from " + std::to_string(before_kib) + " to " + std::to_string(peak) + " KiB",
      where);
}

std::size_t ServerProcess::status_kib(const std::string& key) const {
  std::ifstream status("/proc/" + std::to_string(process_->pid()) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::strtoul(line.c_str() + key.size(), nullptr, 10);
  }
  return 0;
}

std::string ServerProcess::wait_for_log(std::initializer_list<std::string_view> parts,
                                        Where where) {
  return wait_for_logs(1, parts, where);
}

std::string ServerProcess::wait_for_logs(std::size_t count,
                                         std::initializer_list<std::string_view> parts,
                                         Where where) {
  const std::optional<std::string> line = process_->wait_for_error(parts, Deadline(), count);
  std::string wanted;
  for (const std::string_view part : parts) wanted.append(" ").append(part);
  check(line.has_value(), "no line in the log with:" + wanted + "\nIt said:\n" + process_->errors(),
        where);
  return *line;
}

void ServerProcess::stop(Where where) {
  process_->signal(SIGTERM);
  expect_clean_end(where);
}

void ServerProcess::expect_no_finding(Where where) const {
  const std::string errors = process_->errors();
  for (const std::string_view word : kFindings) {
    check(errors.find(word) == std::string::npos, errors, where);
  }
}

void ServerProcess::expect_clean_end(Where where) {
  const std::optional<Ending> ending = process_->wait();
  ended_ = true;
  check(ending.has_value(), "the server does not end. It said:\n" + process_->errors(), where);
  expect_no_finding(where);
  for (const std::string_view word : kWords) {
    check(process_->errors().find(word) == std::string::npos, process_->errors(), where);
  }
  check(ending->code == 0,
        "the server ended with " + ending->text() + ". It said:\n" + process_->errors(), where);
}

}  // namespace jackfield::test
