// The gate: who may come in, and as whom. It holds the tokens, the keys of JSON web tokens, the
// allowed origins and the rules; the transport reads a request and asks. Nothing that it logs or
// says holds a token. Loop thread.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/access/identity.hpp"
#include "core/access/jwt.hpp"
#include "core/access/origins.hpp"
#include "core/access/rules.hpp"
#include "core/access/settings.hpp"
#include "core/access/token_file.hpp"
#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/files/file_watcher.hpp"

namespace jackfield::access {

// What somebody who wants in has brought. The views live for the call.
struct Presented {
  // Tokens by where they were found; nothing: not there. The first of them counts, in this order.
  std::optional<std::string_view> authorization{};  // the header's value, "Bearer ..."
  std::optional<std::string_view> query{};
  std::optional<std::string_view> cookie{};
  std::optional<std::string_view> subprotocol{};
  // Known without a token; they count where there is none, the certificate first.
  std::optional<Identity> certificate{};
  std::optional<Identity> unix_peer{};
};

// What somebody was let in by.
struct Warrant {
  // A static token, or the key of a JSON web token and what tokens are held to.
  Digest source{};
  std::optional<WallTime> expires_at;  // the leeway included
};

struct Verdict {
  enum class Kind : std::uint8_t {
    kAdmitted,
    kMissing,  // without an identity, and that is required
    kWrong,    // with a token that lets nobody in
  };
  Kind kind = Kind::kAdmitted;
  Identity identity{};
  std::optional<Warrant> warrant{};  // where a token was let in
  std::string_view via{};            // "authorization", "query", "cookie" or "subprotocol"
  std::string reason{};              // kWrong: for the log
};

class Gate {
 public:
  using Clock = std::function<WallTime()>;

  // Lets everybody in whose page is of the same host, until `apply`.
  Gate(base::Loop& loop, base::Log& log, Clock clock = &Gate::wall_time);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Whom the server will be, where it is still root: the files of tokens and keys may be his. Until
  // then whoever it is.
  void set_user(uid_t user) { user_ = user; }

  // Takes other settings, and reads the files that they name, also where neither has changed. Fails
  // with one sentence; then those in force stay, and these are taken when their files can be.
  base::Status apply(const Settings& settings, bool watches_files);
  // Reads the files again: of the settings that were last applied, and where those cannot be taken,
  // of the ones in force. Fails where neither can; then all is as it was.
  base::Status reload();

  // Called after the files of tokens and keys have changed and were read, also where that had
  // settings taken that were applied before. Set once.
  void on_change(std::function<void()> task) { on_change_ = std::move(task); }

  const Settings& settings() const { return settings_; }
  // Null where there is no rule: everyone may subscribe and send.
  const hub::AccessPolicy* policy() const { return rules_.are_none() ? nullptr : &rules_; }

  // See OriginList::refusal.
  std::string_view page_refusal(const PageRequest& page) const { return origins_.refusal(page); }
  Verdict judge(const Presented& presented) const;

  // Whether the tokens and keys that there are now would let in by it still, as the same identity
  // with the same groups. Asks no clock.
  bool stands(const Warrant& warrant, std::string_view identity, std::string_view groups) const;

  // Whether who came in without a token would be let in still, as the same identity: nobody known
  // where one is required, or the user of a Unix socket where those do not count, would not.
  bool stands_without_token(std::string_view identity) const;

  WallTime now() const { return clock_(); }
  static WallTime wall_time();

 private:
  void judge_token(std::string_view token, Verdict& verdict) const;
  base::Status take(const Settings& settings);
  base::Status take_wanted();
  void watch();
  void files_changed();

  base::Loop& loop_;
  base::Log& log_;
  const Clock clock_;
  uid_t user_ = ::geteuid();
  Settings settings_;        // in force
  Settings wanted_;          // last applied
  bool is_pending_ = false;  // that is not in force
  bool watches_files_ = false;
  OriginList origins_;
  Rules rules_;
  TokenTable tokens_;
  JwtCheck jwt_;
  std::function<void()> on_change_;
  std::map<std::filesystem::path, std::unique_ptr<files::FileWatcher>> watchers_;
  bool is_reading_due_ = false;
};

}  // namespace jackfield::access
