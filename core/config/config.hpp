// The configuration: a TOML file read into the plain settings that the layers declare. All mistakes
// are found in one go, each with its place and the key's right form; nothing is taken from a file
// that has any. What every key means stands in conf/jackfield.toml. Any thread, no state.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/access/settings.hpp"
#include "core/base/log.hpp"
#include "core/daemon/settings.hpp"
#include "core/hub/settings.hpp"
#include "core/net/settings.hpp"
#include "core/plugin/settings.hpp"

namespace jackfield::config {

// As it stands without a configuration file.
struct Config {
  net::Settings server;
  access::Settings access;
  hub::Limits limits;
  std::vector<hub::BacklogRule> backlog;  // the first that has a topic says its policy
  plugin::Settings plugins;
  daemon::Settings process;
  base::LogLevel log_level = base::LogLevel::kInfo;
  bool watch = true;  // the file: it is read again when it changes
};

struct Mistake {
  std::string file;
  unsigned line = 0;    // 0: the mistake is the file as a whole
  unsigned column = 0;  // in code points
  std::string key;      // "server.path"; empty where it is no key's
  std::string message;  // "must be ..., is ..."
};

// "jackfield.toml:7:3: server.path: must be ..., is ..."
std::string to_text(const Mistake& mistake);

struct Outcome {
  Config config;                  // the defaults where there are mistakes
  std::vector<Mistake> mistakes;  // in the order of the file

  bool is_ok() const { return mistakes.empty(); }
};

// The largest configuration file that is read.
inline constexpr std::size_t kMaxFileOctets = 1 << 20;

// Reads a file. Relative paths in it are taken from the folder that it is in, the default of
// plugins.directory too. After success `server.listen` is not empty.
[[nodiscard]] Outcome load(const std::filesystem::path& file);

// The same once more, later. Only a regular file is read: a pipe gives what it has only once, and
// could make the caller wait.
[[nodiscard]] Outcome load_again(const std::filesystem::path& file);

// The same for text that has been read already; `file` names it.
[[nodiscard]] Outcome parse(std::string_view text, const std::filesystem::path& file);

// Where a listener has TLS: what is missing for it, or not right together, each as a key and what
// is said of it. `load` has looked at the file's own listeners; this is for others.
std::vector<std::pair<std::string, std::string>> find_tls_mistakes(const net::Settings& server);

// Every key that a file may have, as "server.listen"; those of [plugin.NAME] are the plugins' own.
std::vector<std::string> known_keys();

}  // namespace jackfield::config
