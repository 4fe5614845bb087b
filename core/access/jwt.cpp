#include "core/access/jwt.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/access/jwt_signature.hpp"
#include "core/access/jwt_text.hpp"
#include "core/access/secret_file.hpp"

namespace jackfield::access {
namespace {

constexpr std::size_t kMaxKid = 128;
constexpr double kMostTime = 253402300799;  // the end of the year 9999

std::optional<Algorithm> algorithm_of(std::string_view name) {
  for (const Algorithm each : {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEs256}) {
    if (name == algorithm_name(each)) return each;
  }
  return std::nullopt;
}

bool is_same_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// The time under the key; `is_there` says whether anything is. Nothing where that is no time.
std::optional<double> time_of(const JsonObject& claims, std::string_view key, bool& is_there) {
  is_there = claims.has(key);
  const std::optional<double> number = claims.number(key);
  const bool is_time = number && *number >= 0 && *number <= kMostTime;
  return is_time ? number : std::nullopt;
}

// A text with its length before it, so that several behind each other are only what they are.
std::string field(std::string_view text) {
  return std::to_string(text.size()) + ":" + std::string(text);
}

// What a token is held to besides its key. Not its times: those are the clock's matter.
std::string rules_of(const Settings& settings) {
  return field(settings.jwt_issuer) + field(settings.jwt_audience) +
         field(settings.jwt_groups_claim) + (settings.jwt_exp_required ? "1" : "0");
}

// A failure's sentence begins with the file.
base::Status check_key(const JwtKey& key, const std::string& octets) {
  const auto refuse = [&](const std::string& why) {
    return base::Status::failure(key.file.string() + ": " + why);
  };
  if (key.algorithm == Algorithm::kHs256) {
    if (octets.find("-----BEGIN") != std::string::npos) {
      return refuse("is in PEM form, must be the shared key itself for HS256");
    }
    if (octets.size() >= kLeastSharedKey) return base::Status::ok();
    return refuse("has " + std::to_string(octets.size()) + " octets, HS256 wants at least " +
                  std::to_string(kLeastSharedKey));
  }
  const auto kind = public_key_kind(octets);
  if (!kind.is_ok()) return refuse(kind.message());
  const bool wants_rsa = key.algorithm == Algorithm::kRs256;
  if ((kind.value() == PublicKeyKind::kRsa) == wants_rsa) return base::Status::ok();
  return refuse(wants_rsa ? "is no RSA key, as RS256 wants it"
                          : "is no key on P-256, as ES256 wants it");
}

}  // namespace

base::Result<JwtCheck> JwtCheck::read(const Settings& settings, uid_t user) {
  JwtCheck check;
  check.issuer_ = settings.jwt_issuer;
  check.audience_ = settings.jwt_audience;
  check.groups_claim_ = settings.jwt_groups_claim;
  check.leeway_ = std::chrono::ceil<std::chrono::seconds>(settings.jwt_leeway).count();
  check.exp_required_ = settings.jwt_exp_required;
  const std::string rules = rules_of(settings);
  for (const JwtKey& key : settings.jwt_keys) {
    const bool is_shared = key.algorithm == Algorithm::kHs256;
    auto text = read_secret_file(key.file, is_shared ? Secrecy::kSecret : Secrecy::kPublic, user);
    if (!text.is_ok()) return base::Result<JwtCheck>::failure(text.message());
    std::string octets = std::move(text.value());
    if (is_shared && octets.ends_with('\n')) octets.pop_back();  // an editor's, not the key's
    if (is_shared && octets.ends_with('\r')) octets.pop_back();
    if (const auto status = check_key(key, octets); !status.is_ok()) {
      return base::Result<JwtCheck>::failure(status.message());
    }
    const std::string whole =
        rules + field(algorithm_name(key.algorithm)) + field(key.kid) + field(octets);
    check.keys_.push_back({key.kid, key.algorithm, std::move(octets), sha256(whole)});
  }
  return check;
}

bool JwtCheck::has_key(const Digest& key) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const Key& each) { return are_same(each.digest, key); });
}

base::Result<JwtBearer> JwtCheck::check(const std::string& token, WallTime now) const {
  const auto refuse = [](std::string why) {
    return base::Result<JwtBearer>::failure(std::move(why));
  };
  if (now < kLeastWallTime) return refuse("the clock is not set");
  const std::optional<JwtParts> parts = split_jwt(token);
  if (!parts) return refuse("no token in the compact form");
  const std::optional<std::string> header = decode_base64url(parts->header);
  if (!header) return refuse("malformed header");
  std::string why_not;
  const Key* const key = find_signer(token, *header, why_not);
  if (key == nullptr) return refuse(std::move(why_not));
  const std::optional<std::string> text = decode_base64url(parts->claims);
  const std::optional<JsonObject> claims = text ? JsonObject::read(*text) : std::nullopt;
  if (!claims) return refuse("malformed claims");
  JwtBearer bearer{{}, {}, key->digest};
  why_not = refuse_times(*claims, now, bearer);
  if (why_not.empty()) why_not = refuse_parties(*claims);
  if (why_not.empty()) why_not = refuse_bearer(*claims, bearer);
  if (!why_not.empty()) return refuse(std::move(why_not));
  return bearer;
}

// The key that the header names and that the token was signed with. The header only chooses among
// the keys: a key has its algorithm, and a token that says another one is not looked at any further
// (RFC 8725 section 3.1).
const JwtCheck::Key* JwtCheck::find_signer(const std::string& token, std::string_view header,
                                           std::string& why_not) const {
  const auto refuse = [&](const char* why) {
    why_not = why;
    return nullptr;
  };
  const std::optional<JsonObject> fields = JsonObject::read(header);
  if (!fields) return refuse("malformed header");
  const std::optional<std::string> name = fields->text("alg");
  const std::optional<Algorithm> algorithm = name ? algorithm_of(*name) : std::nullopt;
  if (!algorithm) return refuse("another algorithm than HS256, RS256 and ES256");
  // Who does not understand such a field must refuse the token (RFC 7515 section 4.1.11).
  if (fields->has("crit")) return refuse("critical header fields");
  if (fields->has("typ")) {
    const std::string typ = fields->text("typ").value_or("");
    const bool is_jwt = is_same_without_case(typ, "jwt") || is_same_without_case(typ, "at+jwt") ||
                        is_same_without_case(typ, "application/at+jwt");
    if (!is_jwt) return refuse("a token of another type");
  }
  const std::optional<std::string> kid = fields->text("kid");
  if (fields->has("kid") && (!kid || kid->empty() || kid->size() > kMaxKid)) {
    return refuse("malformed kid");
  }
  std::vector<const Key*> candidates;
  for (const Key& key : keys_) {
    if (key.algorithm == *algorithm && (!kid || key.kid == *kid)) candidates.push_back(&key);
  }
  if (candidates.empty()) return refuse("no key of that kid and algorithm");
  if (candidates.size() > kMaxTried) return refuse("too many keys for a token without kid");
  for (const Key* key : candidates) {
    if (is_signed(token, key->algorithm, key->octets)) return key;
  }
  return refuse("the signature is wrong");
}

std::string JwtCheck::refuse_times(const JsonObject& claims, WallTime now,
                                   JwtBearer& bearer) const {
  bool is_there = false;
  const auto current = static_cast<double>(now);
  const auto leeway = static_cast<double>(leeway_);
  const std::optional<double> exp = time_of(claims, "exp", is_there);
  if (is_there && !exp) return "malformed exp";
  if (!is_there && exp_required_) return "without exp";
  if (exp) {
    if (current >= *exp + leeway) return "expired";
    bearer.expires_at = static_cast<WallTime>(std::floor(*exp));
  }
  const std::optional<double> nbf = time_of(claims, "nbf", is_there);
  if (is_there && !nbf) return "malformed nbf";
  if (nbf && current < *nbf - leeway) return "not valid yet";
  const std::optional<double> iat = time_of(claims, "iat", is_there);
  if (is_there && !iat) return "malformed iat";
  if (iat && current < *iat - leeway) return "issued in the future";
  return {};
}

std::string JwtCheck::refuse_parties(const JsonObject& claims) const {
  if (!issuer_.empty() && claims.text("iss") != issuer_) return "another issuer";
  if (!claims.has("aud")) return audience_.empty() ? "" : "without aud";
  const auto audiences = claims.texts("aud");
  if (!audiences) return "malformed aud";
  // Who is not among those that it is for must refuse it (RFC 7519 section 4.1.3).
  const bool is_for_us = !audience_.empty() && std::find(audiences->begin(), audiences->end(),
                                                         audience_) != audiences->end();
  return is_for_us ? "" : "for another audience";
}

std::string JwtCheck::refuse_bearer(const JsonObject& claims, JwtBearer& bearer) const {
  const std::optional<std::string> subject = claims.text("sub");
  if (!subject || !is_name(*subject)) {
    return "without a sub of 1 to 128 visible characters";
  }
  bearer.identity.text = "jwt:" + *subject;
  if (groups_claim_.empty() || !claims.has(groups_claim_)) return {};
  const auto groups = claims.texts(groups_claim_);
  const bool is_list = groups && groups->size() <= Identity::kMaxGroups &&
                       std::all_of(groups->begin(), groups->end(), is_group);
  if (!is_list) return "malformed groups";
  for (const std::string& group : *groups) {
    if (!bearer.identity.groups.empty()) bearer.identity.groups += ',';
    bearer.identity.groups += group;
  }
  return {};
}

}  // namespace jackfield::access
