// What the access layer is told, as plain values: who may connect, and who may do what. Filled by
// core/config. Any thread; values.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace jackfield::access {

// How a JSON web token is signed (RFC 7518 section 3.1). No other way is known here.
enum class Algorithm : std::uint8_t { kHs256, kRs256, kEs256 };

inline constexpr std::string_view algorithm_name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256: return "HS256";
    case Algorithm::kRs256: return "RS256";
    case Algorithm::kEs256: return "ES256";
  }
  return {};
}

struct JwtKey {
  std::string kid;  // empty: for tokens without one
  Algorithm algorithm = Algorithm::kHs256;
  std::filesystem::path file;
};

// Who may do what with which topics. Texts as RuleText below takes them.
struct Rule {
  std::vector<std::string> topics;
  std::vector<std::string> who;
  std::vector<std::string> may;
};

struct Settings {
  // Those that may open a connection from a web page; empty: the page's host is the server's.
  std::vector<std::string> origins;

  std::filesystem::path tokens;  // the file of static tokens; empty: none
  bool required = false;         // nobody connects without an identity
  bool close_expired = true;     // a connection ends when its token does
  bool unix_peers = false;       // the user at the other end of a Unix socket is an identity
  // Where a token is looked for besides Authorization; empty: not there.
  std::string query_parameter = "token";
  std::string cookie = "token";
  std::string subprotocol_prefix = "bearer.";

  std::string jwt_issuer;    // empty: any
  std::string jwt_audience;  // empty: only tokens that are for no one in particular
  std::chrono::milliseconds jwt_leeway{60000};
  std::string jwt_groups_claim = "groups";
  bool jwt_exp_required = true;
  std::vector<JwtKey> jwt_keys;

  std::vector<Rule> rules;  // none: everyone may subscribe and send

  bool has_credentials() const { return !tokens.empty() || !jwt_keys.empty(); }
};

// An entry of `origins` in its kept form: "*", "https://app.example", "http://[::1]:8080",
// "https://*.example.com", "null"; lower case, without the scheme's own port. A failure says the
// right form.
base::Result<std::string> read_origin(std::string_view text);

// Entries of a rule. A failure says the right form.
base::Status check_rule_topic(std::string_view text);
base::Status check_rule_who(std::string_view text);
base::Status check_rule_action(std::string_view text);

}  // namespace jackfield::access
