#include "tests/bench/servers/jackfield_kind.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "tests/bench/support/figures.hpp"
#include "tests/bench/support/tls.hpp"

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;

// What may wait for one connection: the largest flow that is measured.
constexpr std::size_t kOutbox = 256 << 20;
// It is shipped with.
constexpr std::size_t kPlugins = 4;

// Nothing that is measured is to be held up by a limit: outboxes are bounded only where that is
// what is measured.
std::string bounds(const Launch& launch) {
  std::string text =
      "max_messages_per_s = 0\nmax_bytes_per_s = 0\nmax_subscribes_per_s = 0\n";
  if (!launch.policy.empty()) return text;
  const std::string outbox = std::to_string(kOutbox);
  return text + "soft_outbox_bytes = " + outbox + "\nmax_outbox_bytes = " + outbox +
         "\nmax_outboxes_bytes = 1073741824\n";
}

std::string backlog(const Launch& launch) {
  if (launch.policy.empty()) return {};
  return "[[backlog]]\ntopics = [\"*\"]\npolicy = \"" + launch.policy + "\"\n";
}

std::string configuration(const Launch& launch) {
  const auto key = [](const char* name, std::size_t value) {
    return std::string(name) + " = " + std::to_string(std::max<std::size_t>(value, 1)) + "\n";
  };
  const std::string scheme = launch.with_tls ? "tls:" : "";
  const std::string tls =
      launch.with_tls ? "\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n" : "";
  return "[server]\nlisten = [\"" + scheme + "127.0.0.1:" + std::to_string(launch.port) + "\"]\n" +
         key("max_connections", launch.connections) +
         key("max_subscriptions", launch.subscriptions) + bounds(launch) + tls +
         "\n[plugins]\ndirectory = \"plugins\"\nruntime_directory = \"" +
         (launch.folder / "run").string() + "\"\n" + backlog(launch);
}

}  // namespace

std::string JackfieldKind::version() const {
  const std::string command = "'" + installed_.jackfield.string() + "' --version 2>/dev/null";
  std::FILE* const output = ::popen(command.c_str(), "r");
  if (output == nullptr) return {};
  char line[128] = "";
  const bool is_read = std::fgets(line, sizeof line, output) != nullptr;
  ::pclose(output);
  std::string text = is_read ? line : "";
  text.erase(std::min(text.find('\n'), text.size()));
  return text.substr(text.rfind(' ') + 1);
}

std::string JackfieldKind::missing() const {
  std::error_code error;
  if (!fs::exists(installed_.jackfield, error)) {
    return "not built: " + installed_.jackfield.string();
  }
  const fs::path echo = installed_.plugins / "echo.so";
  return fs::exists(echo, error) ? "" : "not built: " + echo.string();
}

Command JackfieldKind::prepare(const Launch& launch) const {
  std::error_code error;
  const fs::path plugins = launch.folder / "plugins";
  fs::create_directories(plugins, error);
  for (fs::directory_iterator file(installed_.plugins, error), end; !error && file != end;
       file.increment(error)) {
    const fs::path name = file->path().filename();
    if (name.extension() != ".so" || (!launch.with_all && name != "echo.so")) continue;
    fs::copy_file(file->path(), plugins / name, fs::copy_options::overwrite_existing, error);
  }
  if (error) throw Failure("cannot copy the plugins: " + error.message());
  if (launch.with_tls) write_tls_files(launch.folder);
  const fs::path path = launch.folder / "jackfield.toml";
  std::ofstream file(path);
  file << configuration(launch);
  file.close();
  if (!file) throw Failure("cannot write " + path.string());
  return {installed_.jackfield.string(), "--config", path.string()};
}

void JackfieldKind::check_start(const Launch& launch, const std::string& output) const {
  constexpr std::string_view kLoaded = "msg=\"plugin loaded\"";
  const std::size_t wanted = launch.with_all ? kPlugins : 1;
  std::size_t loaded = 0;
  for (std::size_t at = output.find(kLoaded); at != std::string::npos;
       at = output.find(kLoaded, at + 1)) {
    ++loaded;
  }
  if (loaded == wanted) return;
  throw Failure("it has loaded " + std::to_string(loaded) + " plugins where there are to be " +
                std::to_string(wanted));
}

}  // namespace jackfield::bench
