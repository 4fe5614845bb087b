// JSON web tokens: which are taken, and every way in which one is not.
#include "core/access/jwt.hpp"

#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/access/jwt_text.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::access;
using jackfield::test::base64url;
using jackfield::test::check;
using jackfield::test::SigningKey;
using jackfield::test::TemporaryFolder;
using jackfield::test::Where;

constexpr WallTime kNow = 1'800'000'000;
const std::string kHs = R"({"alg":"HS256","typ":"JWT","kid":"h"})";
const std::string kRs = R"({"alg":"RS256","typ":"JWT","kid":"r"})";
const std::string kEs = R"({"alg":"ES256","typ":"JWT","kid":"e"})";
const std::string kClaims = R"({"sub":"alice","exp":1800000600})";

// Made once: an RSA key takes its time.
struct Keys {
  SigningKey shared = SigningKey::shared("0123456789abcdef0123456789abcdef");
  SigningKey rsa = SigningKey::rsa();
  SigningKey elliptic = SigningKey::elliptic();
};
const Keys& keys() {
  static const Keys made;
  return made;
}

}  // namespace

TEST_GROUP(AccessJwt) {
  TemporaryFolder folder;
  Settings settings;

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = (folder.path() / name).string();
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  void add(const std::string& kid, Algorithm algorithm, const std::string& text) {
    settings.jwt_keys.push_back(
        {kid, algorithm, write("key" + std::to_string(settings.jwt_keys.size()), text)});
  }
  void add_all() {
    add("h", Algorithm::kHs256, keys().shared.file());
    add("r", Algorithm::kRs256, keys().rsa.file());
    add("e", Algorithm::kEs256, keys().elliptic.file());
  }
  JwtCheck read(Where where = Where::here()) {
    auto read = JwtCheck::read(settings);
    check(read.is_ok(), read.is_ok() ? "" : read.message(), where);
    return std::move(read.value());
  }
  std::string why_unreadable() {
    const auto read = JwtCheck::read(settings);
    return read.is_ok() ? "it was read" : read.message();
  }
  // "jwt:NAME groups" or why not.
  std::string judge(const std::string& token, WallTime now = kNow) {
    const auto checked = read().check(token, now);
    if (!checked.is_ok()) return checked.message();
    const Identity& identity = checked.value().identity;
    return identity.text + (identity.groups.empty() ? "" : " " + identity.groups);
  }
  void expect(const char* outcome, const std::string& token, WallTime now = kNow,
              Where where = Where::here()) {
    const std::string judged = judge(token, now);
    check(judged == outcome, "expected: " + std::string(outcome) + ", got: " + judged, where);
  }
  // The same where libjwt may be the first to find out.
  void expect_or_malformed(const std::string& outcome, const std::string& token,
                           Where where = Where::here()) {
    const std::string judged = judge(token);
    check(judged == outcome || judged == "the signature is wrong", judged, where);
  }
  std::string with_claims(const std::string& claims) { return keys().shared.token(kHs, claims); }
  std::string with_header(const std::string& header) {
    return keys().shared.token(header, kClaims);
  }
};

TEST(AccessJwt, each_of_the_three_algorithms_is_taken) {
  add_all();
  expect("jwt:alice", keys().shared.token(kHs, kClaims));
  expect("jwt:alice", keys().rsa.token(kRs, kClaims));
  expect("jwt:alice", keys().elliptic.token(kEs, kClaims));
}

TEST(AccessJwt, a_signature_of_another_key_is_refused) {
  add_all();
  expect("the signature is wrong", SigningKey::shared(std::string(32, 'x')).token(kHs, kClaims));
  expect("the signature is wrong", SigningKey::rsa().token(kRs, kClaims));
  expect("the signature is wrong", SigningKey::elliptic().token(kEs, kClaims));
}

TEST(AccessJwt, a_single_changed_bit_anywhere_is_refused) {
  add_all();
  for (const std::string& token : {keys().shared.token(kHs, kClaims),
                                   keys().elliptic.token(kEs, kClaims)}) {
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string changed = token;
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      if (changed != token) CHECK(judge(changed) != "jwt:alice");
    }
  }
}

TEST(AccessJwt, a_signature_that_is_cut_or_longer_is_refused) {
  add_all();
  for (const std::string& token : {keys().shared.token(kHs, kClaims), keys().rsa.token(kRs, kClaims),
                                   keys().elliptic.token(kEs, kClaims)}) {
    CHECK(judge(token.substr(0, token.size() - 4)) != "jwt:alice");
    CHECK(judge(token + "AAAA") != "jwt:alice");
  }
}

TEST(AccessJwt, none_is_refused_however_it_is_written) {
  add_all();
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string text =
        base64url("{\"alg\":\"" + std::string(none) + "\",\"kid\":\"h\"}") + "." + base64url(kClaims);
    expect("no token in the compact form", text + ".");
    expect("another algorithm than HS256, RS256 and ES256", text + ".AAAA");
  }
}

// The public key is no secret: whoever signs by HS256 with its text must not get in by it.
TEST(AccessJwt, a_public_key_is_not_taken_for_a_shared_one) {
  add("r", Algorithm::kRs256, keys().rsa.file());
  add("e", Algorithm::kEs256, keys().elliptic.file());
  const SigningKey by_rsa = SigningKey::shared(keys().rsa.file());
  const SigningKey by_elliptic = SigningKey::shared(keys().elliptic.file());
  for (const char* kid : {",\"kid\":\"r\"", ",\"kid\":\"e\"", ""}) {
    const std::string header = "{\"alg\":\"HS256\"" + std::string(kid) + "}";
    expect("no key of that kid and algorithm", by_rsa.token(header, kClaims));
    expect("no key of that kid and algorithm", by_elliptic.token(header, kClaims));
  }
}

TEST(AccessJwt, a_key_is_used_for_its_own_algorithm_only) {
  add_all();
  expect("no key of that kid and algorithm",
         keys().elliptic.token(R"({"alg":"ES256","kid":"r"})", kClaims));
  expect("no key of that kid and algorithm",
         keys().rsa.token(R"({"alg":"RS256","kid":"h"})", kClaims));
  for (const char* other : {"HS384", "HS512", "RS384", "RS512", "PS256", "ES384", "EdDSA", "hs256"}) {
    expect("another algorithm than HS256, RS256 and ES256",
           with_header("{\"alg\":\"" + std::string(other) + "\",\"kid\":\"h\"}"));
  }
}

TEST(AccessJwt, a_key_of_another_kind_is_not_read) {
  add("", Algorithm::kRs256, keys().elliptic.file());
  STRCMP_CONTAINS("is no RSA key, as RS256 wants it", why_unreadable().c_str());
  settings.jwt_keys.clear();
  add("", Algorithm::kEs256, keys().rsa.file());
  STRCMP_CONTAINS("is no key on P-256, as ES256 wants it", why_unreadable().c_str());
  settings.jwt_keys.clear();
  add("", Algorithm::kEs256, SigningKey::elliptic("P-384").file());
  STRCMP_CONTAINS("holds a key on another curve than P-256", why_unreadable().c_str());
  settings.jwt_keys.clear();
  add("", Algorithm::kHs256, keys().rsa.file());
  STRCMP_CONTAINS("is in PEM form, must be the shared key itself", why_unreadable().c_str());
  settings.jwt_keys.clear();
  add("", Algorithm::kRs256, keys().rsa.private_pem());
  STRCMP_CONTAINS("holds no public key in PEM form", why_unreadable().c_str());
}

TEST(AccessJwt, weak_keys_are_not_read) {
  add("", Algorithm::kHs256, std::string(31, 'k') + "\r\n");
  STRCMP_CONTAINS("has 31 octets, HS256 wants at least 32", why_unreadable().c_str());
  settings.jwt_keys.clear();
  add("", Algorithm::kRs256, SigningKey::rsa(1024).file());
  STRCMP_CONTAINS("holds an RSA key of 1024 bits, must have at least 2048",
                  why_unreadable().c_str());
}

TEST(AccessJwt, a_shared_key_that_others_can_read_is_not_read) {
  settings.jwt_keys.push_back(
      {"", Algorithm::kHs256, write("open", keys().shared.file(), 0644)});
  STRCMP_CONTAINS("mode 0644) is readable by all; \"chmod o-rwx ", why_unreadable().c_str());
  settings.jwt_keys = {{"", Algorithm::kRs256, write("public", keys().rsa.file(), 0644)}};
  read();
  settings.jwt_keys = {{"", Algorithm::kRs256, write("public", keys().rsa.file(), 0666)}};
  STRCMP_CONTAINS("mode 0666) is writable by all; \"chmod go-w ", why_unreadable().c_str());
  settings.jwt_keys = {{"", Algorithm::kRs256, folder.path() / "nowhere"}};
  STRCMP_CONTAINS("nowhere: cannot be read: No such file or directory", why_unreadable().c_str());
  settings.jwt_keys = {{"", Algorithm::kRs256, folder.path()}};
  STRCMP_CONTAINS("is no regular file", why_unreadable().c_str());
}

TEST(AccessJwt, the_line_end_of_a_shared_keys_file_is_not_the_keys) {
  add("h", Algorithm::kHs256, keys().shared.file() + "\r\n");
  expect("jwt:alice", keys().shared.token(kHs, kClaims));
}

TEST(AccessJwt, a_key_is_found_by_its_kid) {
  const SigningKey other = SigningKey::shared(std::string(32, 'o'));
  add("h", Algorithm::kHs256, keys().shared.file());
  add("o", Algorithm::kHs256, other.file());
  expect("jwt:alice", other.token(R"({"alg":"HS256","kid":"o"})", kClaims));
  expect("the signature is wrong", other.token(R"({"alg":"HS256","kid":"h"})", kClaims));
  expect("no key of that kid and algorithm", other.token(R"({"alg":"HS256","kid":"x"})", kClaims));
}

TEST(AccessJwt, a_token_without_kid_is_tried_with_the_few_keys_of_its_algorithm) {
  add_all();
  expect("jwt:alice", keys().rsa.token(R"({"alg":"RS256"})", kClaims));
  for (int i = 0; i < 3; ++i) {
    add("more" + std::to_string(i), Algorithm::kHs256, std::string(32, static_cast<char>('a' + i)));
  }
  expect("jwt:alice", with_header(R"({"alg":"HS256"})"));
  add("fifth", Algorithm::kHs256, std::string(32, 'z'));
  expect("too many keys for a token without kid", with_header(R"({"alg":"HS256"})"));
}

TEST(AccessJwt, malformed_headers_are_refused) {
  add_all();
  for (const char* header :
       {"", "x", "[]", "null", R"("HS256")", "{", R"({"alg":"HS256"})" " x", "\xff{}",
        R"({"alg":"HS256","alg":"HS256"})", R"({"alg":"none","alg":"HS256"})",
        R"({"alg":"HS256",})", R"({"kid":"h","\u006bid":"h","alg":"HS256"})"}) {
    const std::string judged = judge(with_header(header));
    check(judged == "malformed header" || judged == "no token in the compact form",
          header + std::string(": ") + judged);
  }
  for (const char* header : {"{}", R"({"alg":1})", R"({"alg":["HS256"]})", R"({"ALG":"HS256"})"}) {
    expect("another algorithm than HS256, RS256 and ES256", with_header(header));
  }
  expect("critical header fields", with_header(R"({"alg":"HS256","crit":["exp"],"exp":1})"));
  expect("a token of another type", with_header(R"({"alg":"HS256","typ":"JWE"})"));
  expect("a token of another type", with_header(R"({"alg":"HS256","typ":1})"));
  for (const char* kid : {"1", "null", "\"\"", "[\"h\"]"}) {
    expect("malformed kid", with_header("{\"alg\":\"HS256\",\"kid\":" + std::string(kid) + "}"));
  }
  expect("malformed kid",
         with_header(R"({"alg":"HS256","kid":")" + std::string(129, 'k') + "\"}"));
}

TEST(AccessJwt, a_header_has_so_many_members) {
  add_all();
  const auto header = [](int more) {
    std::string text = R"({"alg":"HS256","kid":"h")";
    for (int i = 0; i < more; ++i) text += ",\"" + std::to_string(i) + "\":0";
    return text + "}";
  };
  expect("jwt:alice", with_header(header(254)));
  expect("malformed header", with_header(header(255)));
}

TEST(AccessJwt, keys_that_the_token_brings_are_not_used) {
  add_all();
  const SigningKey own = SigningKey::rsa();
  const std::string header = R"({"alg":"RS256","kid":"r","jku":"https://x.example/keys",)"
                             R"("jwk":{"kty":"RSA"},"x5u":"https://x.example"})";
  expect("the signature is wrong", own.token(header, kClaims));
  expect("jwt:alice", keys().rsa.token(header, kClaims));
}

TEST(AccessJwt, what_has_not_three_parts_of_base64url_is_refused) {
  add_all();
  const std::string token = keys().shared.token(kHs, kClaims);
  const std::string text = token.substr(0, token.rfind('.'));
  for (const std::string& odd :
       std::vector<std::string>{"", ".", "..", "...", "a.b.c.d", token + ".", "." + token, text,
                                text + ".", token.substr(token.find('.')), std::string(9000, 'a'),
                                std::string(4000, '.')}) {
    CHECK(judge(odd) != "jwt:alice");
  }
  for (const std::string& odd : {token + "=", token + " ", " " + token, token + "+", token + "/",
                                 token + "\n", token + std::string(1, '\0')}) {
    CHECK(judge(odd) != "jwt:alice");
  }
  std::string long_claims = R"({"sub":"alice","exp":1800000600,"x":")";
  long_claims += std::string(kMaxJwt, 'x') + "\"}";
  expect("no token in the compact form", with_claims(long_claims));
}

TEST(AccessJwt, base64url_has_one_form_only) {
  STRCMP_EQUAL("a", decode_base64url("YQ")->c_str());
  STRCMP_EQUAL("ab", decode_base64url("YWI")->c_str());
  STRCMP_EQUAL("abc", decode_base64url("YWJj")->c_str());
  for (const char* odd : {"Y", "YR", "YWJ", "YQ==", "YW+j", "YW/j", "YW j", "YWJjY"}) {
    CHECK_FALSE(decode_base64url(odd).has_value());
  }
}

TEST(AccessJwt, malformed_claims_are_refused) {
  add_all();
  for (const char* claims : {"x", "[]", "null", "1", R"({"sub":"alice","sub":"bob","exp":1800000600})",
                             R"({"sub":"alice","exp":1800000600,"exp":1900000000})",
                             R"({"sub":"alice","exp":1800000600}{})", "\xff"}) {
    expect_or_malformed("malformed claims", with_claims(claims));
  }
}

TEST(AccessJwt, exp_is_required_unless_the_settings_say_otherwise) {
  add_all();
  expect("without exp", with_claims(R"({"sub":"alice"})"));
  settings.jwt_exp_required = false;
  expect("jwt:alice", with_claims(R"({"sub":"alice"})"));
  CHECK_FALSE(read().check(with_claims(R"({"sub":"alice"})"), kNow).value().expires_at.has_value());
}

TEST(AccessJwt, it_ends_with_exp_and_the_leeway) {
  add_all();
  const std::string token = with_claims(R"({"sub":"alice","exp":1800000000})");
  expect("jwt:alice", token, 1'800'000'000 - 1);
  expect("jwt:alice", token, 1'800'000'000 + 59);
  expect("expired", token, 1'800'000'000 + 60);
  settings.jwt_leeway = std::chrono::milliseconds(0);
  expect("jwt:alice", token, 1'800'000'000 - 1);
  expect("expired", token, 1'800'000'000);
  LONGS_EQUAL(1'800'000'000, *read().check(token, kNow - 9).value().expires_at);
}

TEST(AccessJwt, it_begins_with_nbf_less_the_leeway) {
  add_all();
  const std::string token = with_claims(R"({"sub":"alice","exp":1900000000,"nbf":1800000000})");
  expect("not valid yet", token, 1'800'000'000 - 61);
  expect("jwt:alice", token, 1'800'000'000 - 60);
  expect("issued in the future",
         with_claims(R"({"sub":"alice","exp":1900000000,"iat":1800000061})"));
  expect("jwt:alice", with_claims(R"({"sub":"alice","exp":1900000000,"iat":1800000060})"));
}

TEST(AccessJwt, times_are_numbers_within_bounds) {
  add_all();
  for (const char* odd : {"\"1900000000\"", "-1", "1e300", "253402300800", "null", "[1]", "true", "{}",
                          "-0.5", "1e999"}) {
    for (const char* name : {"exp", "nbf", "iat"}) {
      const std::string other = std::string(name) == "exp" ? "" : R"("exp":1900000000,)";
      expect_or_malformed(
          "malformed " + std::string(name),
          with_claims("{\"sub\":\"alice\"," + other + "\"" + name + "\":" + odd + "}"));
    }
  }
  expect("jwt:alice", with_claims(R"({"sub":"alice","exp":1.9e9,"nbf":0,"iat":1799999999.5})"));
}

TEST(AccessJwt, before_the_clock_is_set_nobody_gets_in) {
  add_all();
  expect("the clock is not set", keys().shared.token(kHs, kClaims), 1'000);
  expect("the clock is not set", keys().shared.token(kHs, kClaims), kLeastWallTime - 1);
}

TEST(AccessJwt, the_issuer_is_the_one_of_the_settings) {
  add_all();
  const auto claims = [](const std::string& more) {
    return R"({"sub":"alice","exp":1900000000)" + more + "}";
  };
  expect("jwt:alice", with_claims(claims(R"(,"iss":"anyone")")));
  settings.jwt_issuer = "https://id.example";
  expect("jwt:alice", with_claims(claims(R"(,"iss":"https://id.example")")));
  for (const char* other : {"", R"(,"iss":"https://id.example/")", R"(,"iss":["https://id.example"])",
                            R"(,"iss":null)"}) {
    expect("another issuer", with_claims(claims(other)));
  }
}

TEST(AccessJwt, the_audience_must_name_this_server) {
  add_all();
  const auto claims = [](const std::string& aud) {
    return R"({"sub":"alice","exp":1900000000)" + aud + "}";
  };
  expect("jwt:alice", with_claims(claims("")));
  expect("for another audience", with_claims(claims(R"(,"aud":"x")")));
  settings.jwt_audience = "us";
  expect("without aud", with_claims(claims("")));
  expect("jwt:alice", with_claims(claims(R"(,"aud":"us")")));
  expect("jwt:alice", with_claims(claims(R"(,"aud":["them","us"])")));
  expect("for another audience", with_claims(claims(R"(,"aud":"use")")));
  expect("for another audience", with_claims(claims(R"(,"aud":[])")));
  for (const char* odd : {R"(,"aud":1)", R"(,"aud":null)", R"(,"aud":["us",1])",
                          R"(,"aud":{"us":1})", R"(,"aud":[["us"]])"}) {
    expect("malformed aud", with_claims(claims(odd)));
  }
}

TEST(AccessJwt, sub_is_a_name_of_visible_characters) {
  add_all();
  const auto claims = [](const std::string& sub) {
    return "{\"exp\":1900000000,\"sub\":" + sub + "}";
  };
  expect("jwt:auth0|7:x", with_claims(claims(R"("auth0|7:x")")));
  expect(("jwt:" + std::string(128, 'n')).c_str(),
         with_claims(claims("\"" + std::string(128, 'n') + "\"")));
  for (const std::string& odd :
       {std::string("1"), std::string("null"), std::string("\"\""), std::string("\"a b\""),
        std::string(R"("a\nb")"), std::string(R"("\u0000")"), std::string(R"("\u0007x")"),
        std::string("\"\xc3\xbc\""), "\"" + std::string(129, 'n') + "\""}) {
    expect_or_malformed("without a sub of 1 to 128 visible characters", with_claims(claims(odd)));
  }
  expect("without a sub of 1 to 128 visible characters", with_claims(R"({"exp":1900000000})"));
}

TEST(AccessJwt, groups_come_from_their_claim) {
  add_all();
  const auto claims = [](const std::string& groups) {
    return R"({"sub":"alice","exp":1900000000,"groups":)" + groups + "}";
  };
  expect("jwt:alice ops,staff", with_claims(claims(R"(["ops","staff"])")));
  expect("jwt:alice ops", with_claims(claims(R"("ops")")));
  expect("jwt:alice", with_claims(claims("[]")));
  for (const char* odd : {"1", "null", R"(["a b"])", R"(["a,b"])", R"([""])", R"([1])", R"({"a":1})"}) {
    expect("malformed groups", with_claims(claims(odd)));
  }
  std::string many = "[\"g\"";
  for (int i = 0; i < 32; ++i) many += ",\"g\"";
  expect("malformed groups", with_claims(claims(many + "]")));
  settings.jwt_groups_claim = "roles";
  expect("jwt:alice", with_claims(claims(R"(["ops"])")));
  expect("jwt:alice admin",
         with_claims(R"({"sub":"alice","exp":1900000000,"roles":["admin"]})"));
}

TEST(AccessJwt, deep_claims_do_no_harm) {
  add_all();
  const std::string deep = std::string(2900, '[') + std::string(2900, ']');
  CHECK(!judge(with_claims(R"({"sub":"alice","exp":1900000000,"x":)" + deep + "}")).empty());
}

TEST(AccessJwt, a_key_is_known_by_all_that_it_is) {
  add_all();
  const Digest key = read().check(keys().shared.token(kHs, kClaims), kNow).value().key;
  CHECK(read().has_key(key));
  settings.jwt_keys[0].kid = "renamed";
  CHECK_FALSE(read().has_key(key));
  settings.jwt_keys[0].kid = "h";
  write("key0", std::string(32, 'n'));
  CHECK_FALSE(read().has_key(key));
}
