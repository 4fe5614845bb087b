#include "core/daemon/reconfiguration.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/account_names.hpp"

namespace jackfield::daemon {

using base::LogLevel;

namespace {

// The files, besides its own, that the configuration has read, with the keys that name them.
std::vector<std::pair<std::string_view, std::filesystem::path>> files_of(
    const config::Config& config) {
  std::vector<std::pair<std::string_view, std::filesystem::path>> files;
  if (!config.access.tokens.empty()) files.emplace_back("auth.tokens", config.access.tokens);
  for (const access::JwtKey& key : config.access.jwt_keys) files.emplace_back("jwt.keys", key.file);
  if (!net::has_tls(config.server.listen)) return files;
  const net::TlsSettings& tls = config.server.tls;
  files.emplace_back("tls.certificate", tls.certificate);
  files.emplace_back("tls.key", tls.key);
  if (!tls.client_ca.empty()) files.emplace_back("tls.client_ca", tls.client_ca);
  return files;
}

// Empty where it can be read.
std::string why_unreadable(const std::filesystem::path& file) {
  return ::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) == 0 ? "" : std::strerror(errno);
}

}  // namespace

Reconfiguration::Reconfiguration(ConfigSource source, config::Config& config, const Parts& parts)
    : source_(std::move(source)), started_(config), config_(config), parts_(parts) {}

void Reconfiguration::begin() {
  stage_ = Stage::kOpen;
  parts_.gate.on_change([this] { gate_changed(); });
  if (std::exchange(is_asked_, false)) ask();
  watch();
  say_distrust();
  warn_of_unreadable();
}

void Reconfiguration::end() {
  stage_ = Stage::kEnded;
  watcher_.reset();
}

void Reconfiguration::hang_up() { ask(); }

// Several that ask before it is done are answered at once.
void Reconfiguration::ask() {
  if (std::exchange(is_asked_, true) || stage_ != Stage::kOpen) return;
  parts_.loop.post([this] {
    is_asked_ = false;
    if (stage_ == Stage::kOpen) look();
  });
}

void Reconfiguration::look() {
  if (source_.has_file()) {
    read();
  } else {
    parts_.log.write_each(LogLevel::kInfo, "there is no configuration file to read again");
  }
  parts_.certificates.read_again();
  parts_.plugins.rescan();
}

void Reconfiguration::read() {
  config::Outcome outcome;
  try {
    outcome = source_.read_again();
  } catch (const std::bad_alloc&) {
    parts_.log.write_each(LogLevel::kError, "configuration not read: out of memory");
    return;
  }
  say_distrust();
  if (outcome.is_ok()) {
    take(outcome.config);
  } else {
    refuse(outcome.mistakes);
  }
}

void Reconfiguration::refuse(const std::vector<config::Mistake>& mistakes) {
  const std::size_t count = std::min(mistakes.size(), kMaxMistakes);
  for (std::size_t i = 0; i < count; ++i) {
    parts_.log.write_each(LogLevel::kError, "mistake in the configuration",
                          {{"mistake", config::to_text(mistakes[i])}});
  }
  parts_.log.write_each(LogLevel::kError, "configuration not changed",
                        {{"file", source_.file().string()}, {"mistakes", mistakes.size()}});
  // Tokens that were taken away do not wait for a mended file.
  if (const base::Status status = parts_.gate.reload(); status.is_ok()) gate_changed();
}

void Reconfiguration::take(const config::Config& wanted) {
  config::Config next = config::live_part(started_, wanted);
  const std::vector<config::Change> changes = config::find_changes(config_, next);
  const std::vector<config::Change> postponed = config::find_changes(next, wanted);
  // What is said of a change of the level is seen under both.
  parts_.log.set_level(std::max(config_.log_level, next.log_level));
  say_postponed(postponed);
  say_changes(changes);
  config_ = std::move(next);
  apply();
}

void Reconfiguration::say_changes(const std::vector<config::Change>& changes) {
  std::string keys;
  for (const config::Change& change : changes) keys += (keys.empty() ? "" : ",") + change.key;
  if (changes.empty()) {
    parts_.log.write_each(LogLevel::kInfo, "configuration read again, nothing in it has changed",
                          {{"file", source_.file().string()}});
  } else {
    parts_.log.write_each(LogLevel::kInfo, "configuration changed",
                          {{"file", source_.file().string()}, {"keys", keys}});
  }
}

void Reconfiguration::say_distrust() {
  if (source_.distrust().empty()) return;
  parts_.log.write_each(LogLevel::kWarning, "others can change the configuration",
                        {{"file", source_.file().string()}, {"reason", source_.distrust()}});
}

// Better now than when it is wanted: root may have read it for a server that is another user now.
void Reconfiguration::warn_of_unreadable() {
  const std::string user = base::user_name(::geteuid());
  if (source_.stamp()) {
    const std::string reason = why_unreadable(source_.file());
    if (!reason.empty()) {
      parts_.log.warning("the configuration cannot be read again",
                         {{"file", source_.file().string()}, {"user", user}, {"reason", reason}});
    }
  }
  for (const auto& [key, file] : files_of(config_)) {
    const std::string reason = why_unreadable(file);
    if (reason.empty()) continue;
    parts_.log.write_each(
        LogLevel::kWarning, "a file cannot be read again, so what it is for cannot change",
        {{"key", key}, {"file", file.string()}, {"user", user}, {"reason", reason}});
  }
}

void Reconfiguration::say_postponed(const std::vector<config::Change>& postponed) {
  for (const config::Change& change : postponed) {
    parts_.log.write_each(LogLevel::kWarning, "takes effect at the next start",
                          {{"key", change.key}, {"now", change.before}, {"then", change.after}});
  }
}

// The plugins also where nothing changed: one that could not take its table may be able to now.
void Reconfiguration::apply() {
  parts_.log.set_level(config_.log_level);
  parts_.hub.set_limits(config_.limits);
  parts_.hub.set_backlog(config_.backlog);
  apply_access();
  parts_.server.apply(config_.server);
  parts_.certificates.watch();
  parts_.plugins.apply(config_.plugins);
  watch();
}

// A file of tokens or keys that cannot be read leaves the settings that there are, and the rules
// with them.
void Reconfiguration::apply_access() {
  const base::Status status = parts_.gate.apply(config_.access, config_.watch);
  if (!status.is_ok()) {
    parts_.log.write_each(LogLevel::kError, "who may connect is not changed",
                          {{"reason", status.message()}});
  }
  // Those in force are read again then: what was taken away of them does not wait.
  if (status.is_ok() || parts_.gate.reload().is_ok()) gate_changed();
}

void Reconfiguration::gate_changed() {
  if (stage_ != Stage::kOpen) return;
  parts_.hub.set_access(parts_.gate.policy());
  parts_.hub.recheck_access();
  parts_.server.recheck_warrants();
}

void Reconfiguration::watch() {
  if (!config_.watch || !source_.stamp()) {
    watcher_.reset();
    return;
  }
  if (watcher_ != nullptr) return;
  files::FileWatcher::Options options;
  options.path = source_.file();
  watcher_ = std::make_unique<files::FileWatcher>(
      std::move(options), parts_.loop, parts_.log,
      [this](const std::filesystem::path& /*file*/) { ask(); });
  watcher_->start_after(*source_.stamp());
}

}  // namespace jackfield::daemon
