#include "core/access/gate.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <set>
#include <utility>

namespace jackfield::access {
namespace {

constexpr std::string_view kScheme = "bearer";

// The files that the settings name.
std::set<std::filesystem::path> files_of(const Settings& settings) {
  std::set<std::filesystem::path> paths;
  if (!settings.tokens.empty()) paths.insert(settings.tokens);
  for (const JwtKey& key : settings.jwt_keys) paths.insert(key.file);
  return paths;
}

// The token of "Bearer TOKEN" (RFC 6750 section 2.1; the scheme in any case). Nothing where it is
// another scheme, which may be meant for somebody else.
std::optional<std::string_view> bearer_of(std::string_view authorization) {
  const std::string_view scheme = authorization.substr(0, authorization.find(' '));
  if (scheme.size() != kScheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    if ((scheme[i] | 0x20) != kScheme[i]) return std::nullopt;
  }
  std::string_view token = authorization.substr(scheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  while (token.ends_with(' ')) token.remove_suffix(1);
  return token;
}

}  // namespace

WallTime Gate::wall_time() {
  using std::chrono::system_clock;
  return std::chrono::floor<std::chrono::seconds>(system_clock::now()).time_since_epoch().count();
}

Gate::Gate(base::Loop& loop, base::Log& log, Clock clock)
    : loop_(loop), log_(log), clock_(std::move(clock)) {}

Gate::~Gate() = default;

base::Status Gate::apply(const Settings& settings, bool watches_files) {
  wanted_ = settings;
  watches_files_ = watches_files;
  is_pending_ = false;
  watch();  // before they are read: a change meanwhile is not missed
  base::Status status = take(wanted_);
  is_pending_ = !status.is_ok();
  return status;
}

base::Status Gate::reload() {
  base::Status wanted = take_wanted();
  return wanted.is_ok() ? wanted : take(settings_);
}

// Says so where that is what could not be done when it was asked for.
base::Status Gate::take_wanted() {
  base::Status status = take(wanted_);
  if (status.is_ok() && std::exchange(is_pending_, false)) {
    log_.info("who may connect is changed now",
              {{"reason", "the files that it needs can be read"}});
  }
  return status;
}

// Fails with one sentence; then all is as it was. `settings` may be those in force.
base::Status Gate::take(const Settings& settings) {
  TokenTable tokens;
  if (!settings.tokens.empty()) {
    auto read = TokenTable::read(settings.tokens, user_);
    if (!read.is_ok()) return base::Status::failure(read.message());
    tokens = std::move(read.value());
  }
  auto jwt = JwtCheck::read(settings, user_);
  if (!jwt.is_ok()) return base::Status::failure(jwt.message());
  OriginList origins(settings.origins);
  Rules rules(settings.rules);
  Settings taken = settings;

  settings_ = std::move(taken);
  tokens_ = std::move(tokens);
  jwt_ = std::move(jwt.value());
  origins_ = std::move(origins);
  rules_ = std::move(rules);
  watch();
  return base::Status::ok();
}

// The files of the settings in force, and of those that could not be taken.
void Gate::watch() {
  std::set<std::filesystem::path> paths;
  for (const Settings* settings : {&settings_, &wanted_}) {
    if (watches_files_) paths.merge(files_of(*settings));
  }
  std::erase_if(watchers_, [&](const auto& each) { return !paths.contains(each.first); });
  for (const std::filesystem::path& path : paths) {
    if (watchers_.contains(path)) continue;
    files::FileWatcher::Options options;
    options.path = path;
    auto watcher = std::make_unique<files::FileWatcher>(
        std::move(options), loop_, log_,
        [this](const std::filesystem::path& /*file*/) { files_changed(); });
    watcher->start();
    watchers_.emplace(path, std::move(watcher));
  }
}

// Several that change together are read once.
void Gate::files_changed() {
  if (std::exchange(is_reading_due_, true)) return;
  loop_.post([this] {
    is_reading_due_ = false;
    const base::Status wanted = take_wanted();
    // Where others are in force still, what has changed may be theirs.
    const bool is_read = wanted.is_ok() || take(settings_).is_ok();
    if (wanted.is_ok()) {
      log_.info("tokens and keys changed", {{"tokens", tokens_.size()}});
    } else if (is_read) {
      log_.error("tokens and keys in force read again, those of the configuration cannot be",
                 {{"tokens", tokens_.size()}, {"reason", wanted.message()}});
    } else {
      log_.error("tokens and keys not changed", {{"reason", wanted.message()}});
    }
    if (is_read && on_change_) on_change_();
  });
}

Verdict Gate::judge(const Presented& presented) const {
  Verdict verdict;
  if (settings_.has_credentials()) {
    struct Way {
      std::string_view name;
      std::optional<std::string_view> token;
    };
    const std::optional<std::string_view> bearer =
        presented.authorization ? bearer_of(*presented.authorization) : std::nullopt;
    const std::array<Way, 4> ways = {{{"authorization", bearer},
                                      {"query", presented.query},
                                      {"cookie", presented.cookie},
                                      {"subprotocol", presented.subprotocol}}};
    for (const Way& way : ways) {
      if (!way.token) continue;
      verdict.via = way.name;
      judge_token(*way.token, verdict);
      return verdict;
    }
  }
  if (presented.certificate) {
    verdict.identity = *presented.certificate;
  } else if (presented.unix_peer && settings_.unix_peers) {
    verdict.identity = *presented.unix_peer;
  } else if (settings_.required) {
    verdict.kind = Verdict::Kind::kMissing;
  }
  return verdict;
}

void Gate::judge_token(std::string_view token, Verdict& verdict) const {
  if (const TokenTable::Entry* const entry = tokens_.find(token)) {
    verdict.identity = entry->identity;
    verdict.warrant = Warrant{entry->digest, std::nullopt};
    return;
  }
  verdict.kind = Verdict::Kind::kWrong;
  verdict.reason = "unknown token";
  if (!jwt_.has_keys()) return;
  auto checked = jwt_.check(std::string(token), now());
  if (!checked.is_ok()) {
    verdict.reason = checked.message();
    return;
  }
  JwtBearer& bearer = checked.value();
  verdict.kind = Verdict::Kind::kAdmitted;
  verdict.reason.clear();
  verdict.identity = std::move(bearer.identity);
  Warrant warrant{bearer.key, std::nullopt};
  if (bearer.expires_at) {
    const auto leeway = std::chrono::ceil<std::chrono::seconds>(settings_.jwt_leeway);
    warrant.expires_at = *bearer.expires_at + leeway.count();
  }
  verdict.warrant = warrant;
}

bool Gate::stands(const Warrant& warrant, std::string_view identity,
                  std::string_view groups) const {
  return tokens_.has(warrant.source, identity, groups) || jwt_.has_key(warrant.source);
}

bool Gate::stands_without_token(std::string_view identity) const {
  if (identity.empty()) return !settings_.required;
  return settings_.unix_peers || !identity.starts_with(kUnixKind);
}

}  // namespace jackfield::access
