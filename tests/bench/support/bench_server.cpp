#include "tests/bench/support/bench_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "tests/bench/support/process.hpp"

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartPatience{30};
constexpr std::chrono::seconds kStopPatience{15};

std::string error_text() { return std::strerror(errno); }

std::string write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw Failure("cannot write " + path.string());
  return path.string();
}

std::int64_t number_behind(const std::string& text, const std::string& key) {
  const std::size_t at = text.find("\n" + key);
  return at == std::string::npos ? 0 : std::atoll(text.c_str() + at + 1 + key.size());
}

}  // namespace

std::string BenchServer::configuration(const Options& options) {
  return "[server]\nlisten = [\"127.0.0.1:0\"]\n"
         "max_messages_per_s = 0\nmax_bytes_per_s = 0\nmax_subscribes_per_s = 0\n" + options.server + "\n[plugins]\ndirectory = \"" +
         (options.folder / "plugins").string() + "\"\nruntime_directory = \"" +
         (options.folder / "run").string() + "\"\n" + options.loading + "\n";
}

BenchServer::BenchServer(const Options& options) : plugins_(options.folder / "plugins") {
  fs::create_directories(plugins_);
  for (const fs::path& image : options.plugins) fs::copy_file(image, plugins_ / image.filename());
  start(options, write_file(options.folder / "jackfield.toml", configuration(options)));
  read_port();
}

BenchServer::~BenchServer() {
  end_process(pid_, kStopPatience);
  ::close(output_);
}

void BenchServer::start(const Options& options, const std::string& file) {
  std::array<int, 2> output{};
  std::array<int, 2> errors{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0 || ::pipe2(errors.data(), O_CLOEXEC) != 0) {
    throw Failure("no pipe can be made: " + error_text());
  }
  pid_ = spawn({.command = {options.executable.string(), "--config", file, "--log-level",
                            options.log_level},
                .cores = options.cores,
                .output = output[1],
                .errors = errors[1]});
  ::close(output[1]);
  ::close(errors[1]);
  output_ = output[0];
  log_ = std::make_unique<ServerLog>(errors[0]);
}

void BenchServer::read_port() {
  const auto end = Clock::now() + kStartPatience;
  std::string text;
  while (text.find("\nready\n") == std::string::npos) {
    pollfd ready{output_, POLLIN, 0};
    std::array<char, 4096> chunk;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    ssize_t size = 0;
    if (left > 0 && ::poll(&ready, 1, static_cast<int>(left)) > 0) {
      size = ::read(output_, chunk.data(), chunk.size());
    }
    if (size > 0) {
      text.append(chunk.data(), static_cast<std::size_t>(size));
      continue;
    }
    // A constructor that throws has no destructor.
    end_process(pid_, {});
    throw failure("the server does not get ready");
  }
  constexpr std::string_view kBefore = "ws://127.0.0.1:";
  const std::size_t at = text.find(kBefore);
  if (at != std::string::npos) {
    port_ = static_cast<std::uint16_t>(std::atoi(text.c_str() + at + kBefore.size()));
  }
}

Clock::time_point BenchServer::put(const fs::path& image, const std::string& name) const {
  const fs::path target = plugins_ / name;
  const auto complain = [&] {
    throw Failure("cannot copy to " + target.string() + ": " + error_text());
  };
  std::ifstream file(image, std::ios::binary);
  const std::string octets{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (octets.empty()) throw Failure("cannot read " + image.string());
  const int descriptor = ::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  if (descriptor < 0) complain();
  for (std::size_t written = 0; written < octets.size();) {
    const ssize_t size = ::write(descriptor, octets.data() + written, octets.size() - written);
    if (size <= 0) complain();
    written += static_cast<std::size_t>(size);
  }
  const auto closed = Clock::now();
  ::close(descriptor);
  return closed;
}

void BenchServer::remove(const std::string& name) const { fs::remove(plugins_ / name); }

void BenchServer::hang_up() const { ::kill(pid_, SIGHUP); }

Clock::duration BenchServer::cpu_time() const {
  // proc(5): the 14th and the 15th field; the second is in parentheses and may hold anything.
  const std::string stat = proc("stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) throw failure("the server has ended");
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  const std::chrono::duration<double> seconds(static_cast<double>(user + system) /
                                              static_cast<double>(::sysconf(_SC_CLK_TCK)));
  return std::chrono::duration_cast<Clock::duration>(seconds);
}

std::string BenchServer::proc(const char* file) const {
  std::ifstream lines("/proc/" + std::to_string(pid_) + "/" + file);
  return {std::istreambuf_iterator<char>(lines), std::istreambuf_iterator<char>()};
}

Footprint BenchServer::footprint() const {
  Footprint footprint;
  const std::string status = proc("status");
  const std::string pages = proc("smaps_rollup");
  footprint.rss_kib = number_behind(pages, "Rss:");
  if (footprint.rss_kib == 0) footprint.rss_kib = number_behind(status, "VmRSS:");
  footprint.anonymous_kib = number_behind(pages, "Anonymous:");
  footprint.threads = number_behind(status, "Threads:");
  for (const char c : proc("maps")) footprint.mappings += c == '\n' ? 1 : 0;
  std::error_code error;
  for (fs::directory_iterator file("/proc/" + std::to_string(pid_) + "/fd", error), end;
       !error && file != end; file.increment(error)) {
    ++footprint.descriptors;
  }
  if (footprint.threads == 0) throw failure("the server has ended");
  return footprint;
}

std::set<unsigned long> BenchServer::images(const std::string& name) const {
  std::set<unsigned long> numbers;
  std::istringstream lines(proc("maps"));
  const std::string mark = "/" + name + ".";  // of NAME.17.so
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.rfind(mark);
    if (at == std::string::npos) continue;
    char* end = nullptr;
    const unsigned long number = std::strtoul(line.c_str() + at + mark.size(), &end, 10);
    if (number > 0 && std::string_view(end).starts_with(".so")) numbers.insert(number);
  }
  return numbers;
}

Failure BenchServer::failure(const std::string& what) const {
  return Failure(what + "; its log ends with:\n" + log_->tail());
}

}  // namespace jackfield::bench
