#include "core/access/gate.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <utility>

#include "core/files/file_stamp.hpp"

namespace jackfield::access {
namespace {

constexpr std::string_view kScheme = "bearer";

// The files that the settings name.
std::vector<std::filesystem::path> files_of(const Settings& settings) {
  std::vector<std::filesystem::path> paths;
  if (!settings.tokens.empty()) paths.push_back(settings.tokens);
  for (const JwtKey& key : settings.jwt_keys) paths.push_back(key.file);
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
  // Before they are read: a change meanwhile is not missed.
  std::vector<std::optional<files::FileStamp>> stamps;
  const std::vector<std::filesystem::path> paths = files_of(settings);
  for (const std::filesystem::path& path : paths) stamps.push_back(files::FileStamp::of(path));

  TokenTable tokens;
  if (!settings.tokens.empty()) {
    auto read = TokenTable::read(settings.tokens, user_);
    if (!read.is_ok()) return base::Status::failure(read.message());
    tokens = std::move(read.value());
  }
  auto jwt = JwtCheck::read(settings, user_);
  if (!jwt.is_ok()) return base::Status::failure(jwt.message());

  settings_ = settings;
  watches_files_ = watches_files;
  tokens_ = std::move(tokens);
  jwt_ = std::move(jwt.value());
  origins_ = OriginList(settings_.origins);
  rules_ = Rules(settings_.rules);

  if (!watches_files_) {
    watchers_.clear();
    watched_.clear();
    return base::Status::ok();
  }
  if (watched_ == paths) return base::Status::ok();
  watchers_.clear();
  watched_ = paths;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    files::FileWatcher::Options options;
    options.path = paths[i];
    watchers_.push_back(std::make_unique<files::FileWatcher>(
        std::move(options), loop_, log_,
        [this](const std::filesystem::path& /*file*/) { files_changed(); }));
    if (stamps[i]) {
      watchers_.back()->start_after(*stamps[i]);
    } else {
      watchers_.back()->start();
    }
  }
  return base::Status::ok();
}

// Several that change together are read once.
void Gate::files_changed() {
  if (std::exchange(is_reading_due_, true)) return;
  loop_.post([this] {
    is_reading_due_ = false;
    if (const base::Status status = reload(); !status.is_ok()) {
      log_.error("tokens and keys not changed", {{"reason", status.message()}});
      return;
    }
    log_.info("tokens and keys changed", {{"tokens", tokens_.size()}});
    if (on_change_) on_change_();
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
