// JSON web tokens (RFC 7519): which key one is checked with, and whether what it claims lets its
// bearer in now. Any thread; values.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/access/crypto.hpp"
#include "core/access/identity.hpp"
#include "core/access/settings.hpp"
#include "core/base/result.hpp"

namespace jackfield::access {

// Seconds since 1970-01-01T00:00:00Z, as clocks and tokens count them.
using WallTime = std::int64_t;

// Before this, 2021-01-01, the clock has not been set: a device without one of its own begins at
// 1970. Every token is refused then.
inline constexpr WallTime kLeastWallTime = 1609459200;

// What a genuine token says.
struct JwtBearer {
  Identity identity;
  std::optional<WallTime> expires_at;  // without the leeway
  Digest key;  // names the key, and the settings, that it was checked with
};

class JsonObject;

class JwtCheck {
 public:
  static constexpr std::size_t kMaxTried = 4;  // keys, for a token that names none

  JwtCheck() = default;
  // Reads the files of the keys, which others must not be able to write, nor to read where they are
  // shared keys; `user` is whom the server will be. Fails with one sentence that names the file.
  static base::Result<JwtCheck> read(const Settings& settings, uid_t user = ::geteuid());

  bool has_keys() const { return !keys_.empty(); }
  // Whether it has the key still, and holds tokens to the same issuer, audience, claim of groups and
  // need of an expiry.
  bool has_key(const Digest& key) const;

  // A failure says, for the log, why the token lets nobody in; it quotes nothing of it.
  base::Result<JwtBearer> check(const std::string& token, WallTime now) const;

 private:
  struct Key {
    std::string kid;
    Algorithm algorithm;
    std::string octets;
    Digest digest;  // of all that it is, and of what its tokens are held to
  };

  const Key* find_signer(const std::string& token, std::string_view header,
                         std::string& why_not) const;
  std::string refuse_times(const JsonObject& claims, WallTime now, JwtBearer& bearer) const;
  std::string refuse_parties(const JsonObject& claims) const;
  std::string refuse_bearer(const JsonObject& claims, JwtBearer& bearer) const;

  std::string issuer_;
  std::string audience_;
  std::string groups_claim_;
  WallTime leeway_ = 0;
  bool exp_required_ = true;
  std::vector<Key> keys_;
};

}  // namespace jackfield::access
