#include "core/config/config.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <system_error>

#include "core/base/account_names.hpp"
#include "core/base/descriptor.hpp"
#include "core/base/result.hpp"
#include "core/config/endpoint.hpp"
#include "core/config/field.hpp"
#include "core/config/keys.hpp"
#include "core/config/nearest.hpp"
#include "core/config/plugin_table.hpp"
#include "core/config/toml_file.hpp"

namespace jackfield::config {
namespace {

constexpr std::string_view kPluginTable = "plugin";
constexpr auto kTables = std::to_array<std::string_view>(
    {"server", "tls", "auth", "jwt", "process", "log", "configuration", "plugins"});

bool is_known_table(std::string_view name) {
  return std::find(kTables.begin(), kTables.end(), name) != kTables.end();
}

// "; did you mean ...?" for a key that no table of that name has, or else what the table takes.
// The very name in another table is nearer than any like it.
std::string suggest_key(std::string_view table, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Key& key : kKeys) {
    if (key.name == name) return "; did you mean " + join_key(key.table, key.name) + "?";
    if (key.table == table) names.push_back(key.name);
  }
  if (const auto near = nearest(name, names)) {
    return "; did you mean " + join_key(table, *near) + "?";
  }
  std::string sentence = "; [" + std::string(table) + "] takes";
  for (std::size_t i = 0; i < names.size(); ++i) {
    sentence += i == 0 ? " " : i + 1 < names.size() ? ", " : " and ";
    sentence += names[i];
  }
  return sentence;
}

std::string suggest_table(std::string_view name) {
  std::vector<std::string_view> names(kTables.begin(), kTables.end());
  names.push_back(kPluginTable);
  for (const Key& key : kKeys) {
    if (key.table.empty()) names.push_back(key.name);
  }
  if (const auto near = nearest(name, names)) {
    if (!is_known_table(*near) && *near != kPluginTable) {
      return "; did you mean [[" + std::string(*near) + "]]?";
    }
    return *near == kPluginTable ? "; did you mean [plugin.NAME]?"
                                 : "; did you mean [" + std::string(*near) + "]?";
  }
  for (const Key& key : kKeys) {
    if (key.name == name) return "; did you mean " + join_key(key.table, key.name) + "?";
  }
  std::string sentence = "; the tables are ";
  for (const std::string_view table : kTables) sentence += "[" + std::string(table) + "], ";
  for (const Key& key : kKeys) {
    if (key.table.empty()) sentence += "[[" + std::string(key.name) + "]], ";
  }
  return sentence.replace(sentence.size() - 2, 2, " and [plugin.NAME]");
}

// Turns the tree of a file into a Config.
class Reader {
 public:
  Reader(const std::filesystem::path& file, Mistakes& mistakes)
      : folder_(file.parent_path()), mistakes_(mistakes) {
    config_.plugins.directory = folder_ / config_.plugins.directory;
  }

  Config read(const Value& root) {
    for (const Member& member : root.members) {
      if (member.key == kPluginTable) {
        read_plugins(member);
      } else if (is_known_table(member.key)) {
        read_table(member);
      } else if (const auto key = find_key("", member.key); key != kKeys.end()) {
        read_key(*key, member.key, member.value);
      } else {
        mistakes_.add(member.position, join_key("", member.key),
                      "unknown" + suggest_table(member.key));
      }
    }
    if (mistakes_.empty()) check_together();
    return std::move(config_);
  }

 private:
  void read_table(const Member& table) {
    if (table.value.kind != Value::Kind::kTable) {
      mistakes_.add(table.value.position, table.key,
                    "must be a table, [" + table.key + "], is " + describe(table.value));
      return;
    }
    for (const Member& member : table.value.members) {
      const std::string path = join_key(table.key, member.key);
      const auto key = find_key(table.key, member.key);
      if (key == kKeys.end()) {
        mistakes_.add(member.position, path, "unknown" + suggest(table.key, member));
        continue;
      }
      read_key(*key, path, member.value);
    }
  }

  static std::span<const Key>::iterator find_key(std::string_view table, std::string_view name) {
    return std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& known) {
      return known.table == table && known.name == name;
    });
  }

  void read_key(const Key& key, const std::string& path, const Value& value) {
    places_[path] = value.position;
    Field field(path, value, mistakes_);
    key.read(field, Target{config_, folder_});
  }

  static std::string suggest(std::string_view table, const Member& member) {
    // [plugins.echo] where [plugin.echo] is meant
    const bool is_plugin_table = table == "plugins" && member.value.kind == Value::Kind::kTable;
    if (is_plugin_table) return "; did you mean [" + join_key(kPluginTable, member.key) + "]?";
    return suggest_key(table, member.key);
  }

  void read_plugins(const Member& plugins) {
    if (plugins.value.kind != Value::Kind::kTable) {
      mistakes_.add(plugins.value.position, plugins.key,
                    "must be tables, [plugin.NAME], is " + describe(plugins.value));
      return;
    }
    for (const Member& member : plugins.value.members) read_plugin(member);
  }

  void read_plugin(const Member& plugin) {
    const std::string path = join_key(kPluginTable, plugin.key);
    if (plugin.value.kind != Value::Kind::kTable) {
      std::string message =
          "must be the table of a plugin, [plugin.NAME], is " + describe(plugin.value);
      for (const Key& key : kKeys) {
        if (key.name == plugin.key) {
          message += "; did you mean " + join_key(key.table, key.name) + "?";
        }
      }
      mistakes_.add(plugin.value.position, path, std::move(message));
    } else if (!plugin::is_plugin_name(plugin.key)) {
      mistakes_.add(plugin.position, path, "a plugin has " + std::string(kPluginNameForm));
    } else {
      config_.plugins.tables[plugin.key] = to_json(plugin.value, path, mistakes_);
    }
  }

  // Settings that are right on their own but not with each other.
  void check_together() {
    const hub::Limits& limits = config_.limits;
    check_at_least("server.max_outbox_bytes", limits.max_outbox_bytes, "server.max_message_bytes",
                   limits.max_message_bytes, {"server.max_message_bytes"});
    // A message is ["topic","event",payload]: the two names and at least 9 octets more.
    check_at_least("server.max_message_bytes", limits.max_message_bytes,
                   "max_topic_bytes and max_event_bytes together, and 9",
                   limits.max_topic_bytes + limits.max_event_bytes + 9,
                   {"server.max_topic_bytes", "server.max_event_bytes"});
    const access::Settings& access = config_.access;
    const bool can_know =
        access.has_credentials() || access.unix_peers || !config_.server.tls.client_ca.empty();
    if (access.required && !can_know) {
      mistakes_.add(places_["auth.required"], "auth.required",
                    "must be false where nothing says who anybody is: auth.tokens, [[jwt.keys]], "
                    "tls.client_ca, auth.unix_peers");
    }
    for (auto& [key, message] : find_tls_mistakes(config_.server)) {
      auto place = places_.find(key);
      if (place == places_.end()) place = places_.find("server.listen");
      mistakes_.add(place == places_.end() ? Position{} : place->second, key, std::move(message));
    }
  }

  // Notes that `key` is less than `least`, which comes from `others`; at the place of the first of
  // these keys that the file has.
  void check_at_least(const std::string& key, std::size_t value, const std::string& least_name,
                      std::size_t least, std::initializer_list<const char*> others) {
    if (value >= least) return;
    auto place = places_.find(key);
    const bool is_default = place == places_.end();
    for (const char* other : others) {
      if (place == places_.end()) place = places_.find(other);
    }
    mistakes_.add(place == places_.end() ? Position{} : place->second, key,
                  "must be at least " + least_name + " (" + std::to_string(least) + "), is " +
                      std::to_string(value) + (is_default ? " by default" : ""));
  }

  const std::filesystem::path folder_;
  Mistakes& mistakes_;
  Config config_;
  std::map<std::string, Position> places_;  // of the values that the file has
};

base::Result<std::string> failed_to_read() {
  std::string sentence = "cannot be read: " + std::generic_category().message(errno);
  if (errno == EACCES) sentence += " (for the user " + base::user_name(::geteuid()) + ")";
  return base::Result<std::string>::failure(std::move(sentence));
}

enum class Kind { kAny, kRegular };

base::Result<std::string> read_file(const std::filesystem::path& path, Kind kind) {
  // A pipe that nobody writes to is opened at once where the caller does not want it anyway.
  const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (kind == Kind::kRegular ? O_NONBLOCK : 0);
  const base::Descriptor file(::open(path.c_str(), flags));
  if (!file.is_open()) return failed_to_read();
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) return failed_to_read();
  if (S_ISDIR(facts.st_mode)) {
    return base::Result<std::string>::failure("is a folder, must be a file");
  }
  if (kind == Kind::kRegular && !S_ISREG(facts.st_mode)) {
    return base::Result<std::string>::failure(
        "is no regular file: what it says can be read only once, at the start");
  }
  std::string text;
  std::array<char, 16384> chunk{};
  while (text.size() <= kMaxFileOctets) {
    const ssize_t size = ::read(file.number(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed_to_read();
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
  }
  return base::Result<std::string>::failure("is larger than " + std::to_string(kMaxFileOctets) +
                                            " octets");
}

Outcome load(const std::filesystem::path& file, Kind kind) {
  const base::Result<std::string> text = read_file(file, kind);
  if (text.is_ok()) return parse(text.value(), file);
  Outcome outcome;
  outcome.mistakes.push_back(Mistake{file.string(), 0, 0, "", text.message()});
  return outcome;
}

}  // namespace

std::string to_text(const Mistake& mistake) {
  std::string text = mistake.file;
  if (mistake.line > 0) {
    text += ":" + std::to_string(mistake.line) + ":" + std::to_string(mistake.column);
  }
  text += ": ";
  if (!mistake.key.empty()) text += mistake.key + ": ";
  return text + mistake.message;
}

Outcome parse(std::string_view text, const std::filesystem::path& file) {
  Mistakes mistakes(file.string());
  Outcome outcome;
  const TomlOutcome toml = read_toml(text);
  if (toml.root) {
    Config config = Reader(file, mistakes).read(*toml.root);
    if (mistakes.empty()) outcome.config = std::move(config);
  } else {
    mistakes.add(toml.position, "", toml.mistake);
  }
  outcome.mistakes = mistakes.take();
  return outcome;
}

std::vector<std::pair<std::string, std::string>> find_tls_mistakes(const net::Settings& server) {
  using ClientCertificate = net::TlsSettings::ClientCertificate;
  std::vector<std::pair<std::string, std::string>> mistakes;
  if (!net::has_tls(server.listen)) return mistakes;
  const net::TlsSettings& tls = server.tls;
  if (tls.certificate.empty()) {
    mistakes.emplace_back("tls.certificate", "must be set: server.listen has a listener with TLS");
  }
  if (tls.key.empty()) {
    mistakes.emplace_back("tls.key", "must be set: server.listen has a listener with TLS");
  }
  // Who names an authority believes that it guards something.
  const bool asks = tls.client_certificate != ClientCertificate::kNone;
  if (asks && tls.client_ca.empty()) {
    mistakes.emplace_back("tls.client_ca",
                          "must be set where tls.client_certificate is not \"none\"");
  } else if (!asks && !tls.client_ca.empty()) {
    mistakes.emplace_back("tls.client_certificate",
                          "must be \"optional\" or \"required\" where tls.client_ca is set, is "
                          "\"none\"");
  }
  return mistakes;
}

Outcome load(const std::filesystem::path& file) { return load(file, Kind::kAny); }

Outcome load_again(const std::filesystem::path& file) { return load(file, Kind::kRegular); }

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (const Key& key : kKeys) keys.push_back(join_key(key.table, key.name));
  return keys;
}

}  // namespace jackfield::config
