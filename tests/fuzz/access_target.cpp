// Who is let in (core/access). The first octet says what the rest is: a token as it stands, the
// header and the claims of a JSON web token that this signs with a right key, a file of static
// tokens, the headers Origin and Host, or rules and who asks by them. What the layer says is held
// against a slow reading of the same; where that cannot know everything (libjwt may refuse more),
// nobody may be let in whom it would not.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/access/crypto.hpp"
#include "core/access/gate.hpp"
#include "core/base/log.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/reference_json.hpp"

namespace jackfield::fuzz {
namespace {

using access::Gate;
using access::Presented;
using access::Verdict;
using Kind = JsonNode::Kind;

constexpr access::WallTime kNow = 1'800'000'000;
constexpr std::string_view kStaticToken = "0123456789abcdef-static";
constexpr std::size_t kKeys = 2;
constexpr std::array<std::string_view, kKeys> kKids = {"", "k"};
constexpr std::array<std::string_view, kKeys> kSecrets = {"0123456789abcdef0123456789abcdef",
                                                          "fedcba9876543210fedcba9876543210"};

// ---- what the octets are: the first, modulo kWhats, and the bits of the second
enum class What : std::uint8_t { kToken, kSigned, kTokenFile, kOrigin, kRules };
constexpr std::size_t kWhats = 5;
constexpr unsigned kOtherKey = 1;
constexpr unsigned kIsHeldToParties = 2;
constexpr unsigned kExpRequired = 4;
constexpr unsigned kWay = 8;  // and 16: where the token stands

// No file is watched, so nobody needs it.
class NoLoop : public base::Loop {
 public:
  void post(Task) override { fail("nothing is posted"); }
  bool is_on_loop() const override { return true; }
  base::TimerId start_timer(std::chrono::milliseconds, std::chrono::milliseconds, Task) override {
    fail("no timer is started");
  }
  void cancel_timer(base::TimerId) override {}
  base::WatchId watch(int, Task) override { fail("nothing is watched"); }
  void unwatch(base::WatchId) override {}
  void run_job(Task, Task) override { fail("no job is run"); }
};

// Gates with the same tokens and keys, one for each way to be strict.
class Gates {
 public:
  Gates() {
    const char* const temporary = std::getenv("TMPDIR");
    folder_ = std::string(temporary == nullptr || *temporary == '\0' ? "/tmp" : temporary) +
              "/jackfield-fuzz-XXXXXX";
    require(::mkdtemp(folder_.data()) != nullptr, "there is a temporary folder");
    access::Settings settings;
    settings.tokens = write("tokens", "known " + std::string(kStaticToken) + " ops\n");
    for (std::size_t i = 0; i < kKeys; ++i) {
      settings.jwt_keys.push_back({std::string(kKids[i]), access::Algorithm::kHs256,
                                   write("key" + std::to_string(i), std::string(kSecrets[i]))});
    }
    for (unsigned i = 0; i < gates_.size(); ++i) {
      const bool is_held = (i & 1) != 0;
      settings.jwt_issuer = is_held ? "us" : "";
      settings.jwt_audience = is_held ? "field" : "";
      settings.jwt_exp_required = (i & 2) != 0;
      gates_[i] = std::make_unique<Gate>(loop_, log_, [] { return kNow; });
      const base::Status status = gates_[i]->apply(settings, false);
      if (!status.is_ok()) fail("the gate's files are read: " + status.message());
    }
    for (const std::string& path : written_) ::unlink(path.c_str());
    ::rmdir(folder_.c_str());
  }

  const Gate& of(unsigned mode) const {
    const unsigned index = ((mode & kIsHeldToParties) != 0 ? 1U : 0U) +
                           ((mode & kExpRequired) != 0 ? 2U : 0U);
    return *gates_[index];
  }

 private:
  std::string write(const std::string& name, const std::string& text) {
    written_.push_back(folder_ + "/" + name);
    std::ofstream(written_.back()) << text;
    ::chmod(written_.back().c_str(), 0600);
    return written_.back();
  }

  std::string folder_;
  std::vector<std::string> written_;
  NoLoop loop_;
  base::Log log_{base::LogLevel::kError, [](std::string_view) {}};
  std::array<std::unique_ptr<Gate>, 4> gates_;
};

const Gates& gates() {
  static const Gates made;
  return made;
}

// RFC 4648 section 5, without padding.
std::string base64url(std::string_view octets) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (std::size_t bit = 0; bit < 8 * octets.size(); bit += 6) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      const auto octet = i / 8 < octets.size() ? static_cast<unsigned char>(octets[i / 8]) : 0U;
      value = value << 1 | (octet >> (7 - i % 8) & 1U);
    }
    text += kDigits[value];
  }
  return text;
}

std::string signature_of(std::string_view signed_part, std::size_t key) {
  const access::Digest code = access::hmac_sha256(kSecrets[key], signed_part);
  return base64url({reinterpret_cast<const char*>(code.data()), code.size()});
}

Verdict judge(const Gate& gate, const std::string& token, unsigned mode) {
  Presented presented;
  const std::string header = "Bearer " + token;
  const unsigned way = mode / kWay % 4;
  if (way == 0) presented.authorization = header;
  if (way == 1) presented.query = token;
  if (way == 2) presented.cookie = token;
  if (way == 3) presented.subprotocol = token;
  return gate.judge(presented);
}

// ---- JSON web tokens, read slowly

// The members of an object. Nothing where it is none, or has a name twice.
std::optional<std::map<std::string, JsonNode>> members_of(const std::optional<JsonNode>& node) {
  if (!node || node->kind != Kind::kObject) return std::nullopt;
  std::map<std::string, JsonNode> members;
  for (std::size_t i = 0; i < node->names.size(); ++i) {
    if (!members.emplace(node->names[i], node->items[i]).second) return std::nullopt;
  }
  return members;
}

bool is_visible(const std::string& text, bool has_comma) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [&](char c) {
    return c > ' ' && c < 0x7f && (has_comma || c != ',');
  });
}

// Header and claims that may let somebody in, and as whom.
class SlowReading {
 public:
  SlowReading(std::string header, std::string claims, unsigned mode, std::size_t key)
      : header_text_(std::move(header)), claims_text_(std::move(claims)), mode_(mode), key_(key) {}

  // "jwt:NAME GROUPS"; nothing: it lets nobody in.
  std::optional<std::string> bearer() const {
    const auto header = members_of(read_json(header_text_));
    const auto claims = members_of(read_json(claims_text_));
    if (!header || !claims || !is_right_header(*header)) return std::nullopt;
    if (!is_now(*claims) || !is_for_us(*claims)) return std::nullopt;
    const auto sub = claims->find("sub");
    if (!is_string(*claims, sub) || !is_visible(sub->second.string, true)) return std::nullopt;
    std::string text = "jwt:" + sub->second.string + " ";
    const auto groups = claims->find("groups");
    if (groups == claims->end()) return text;
    const auto names = strings_of(groups->second);
    if (!names || names->size() > 32) return std::nullopt;
    for (std::size_t i = 0; i < names->size(); ++i) {
      if (!is_visible((*names)[i], false)) return std::nullopt;
      text += (i == 0 ? "" : ",") + (*names)[i];
    }
    return text;
  }

 private:
  using Members = std::map<std::string, JsonNode>;

  static bool is_string(const Members& members, Members::const_iterator at) {
    return at != members.end() && at->second.kind == Kind::kString;
  }

  static std::optional<std::vector<std::string>> strings_of(const JsonNode& node) {
    if (node.kind == Kind::kString) return std::vector<std::string>{node.string};
    if (node.kind != Kind::kList) return std::nullopt;
    std::vector<std::string> strings;
    for (const JsonNode& item : node.items) {
      if (item.kind != Kind::kString) return std::nullopt;
      strings.push_back(item.string);
    }
    return strings;
  }

  bool is_right_header(const Members& header) const {
    const auto alg = header.find("alg");
    if (!is_string(header, alg) || alg->second.string != "HS256") return false;
    if (header.count("crit") > 0) return false;
    if (const auto typ = header.find("typ"); typ != header.end()) {
      std::string its = typ->second.string;
      for (char& c : its) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (typ->second.kind != Kind::kString) return false;
      if (its != "jwt" && its != "at+jwt" && its != "application/at+jwt") return false;
    }
    const auto kid = header.find("kid");
    return kid == header.end() ||
           (is_string(header, kid) && !kid->second.string.empty() &&
            kid->second.string == kKids[key_]);
  }

  // A time of 0 up to the year 9999; nothing: it is none.
  std::optional<double> time_of(const JsonNode& node) const {
    if (node.kind != Kind::kNumber) return std::nullopt;
    const std::string digits = claims_text_.substr(node.begin, node.end - node.begin);
    errno = 0;
    const double time = std::strtod(digits.c_str(), nullptr);
    if (errno == ERANGE || time < 0 || time > 253402300799.0) return std::nullopt;
    return time;
  }

  bool is_now(const Members& claims) const {
    constexpr double kLeeway = 60;
    constexpr auto kCurrent = static_cast<double>(kNow);
    const auto exp = claims.find("exp");
    if (exp == claims.end()) {
      if ((mode_ & kExpRequired) != 0) return false;
    } else {
      const auto time = time_of(exp->second);
      if (!time || kCurrent >= *time + kLeeway) return false;
    }
    for (const char* const name : {"nbf", "iat"}) {
      const auto at = claims.find(name);
      if (at == claims.end()) continue;
      const auto time = time_of(at->second);
      if (!time || kCurrent < *time - kLeeway) return false;
    }
    return true;
  }

  bool is_for_us(const Members& claims) const {
    const bool is_held = (mode_ & kIsHeldToParties) != 0;
    const auto iss = claims.find("iss");
    if (is_held && (!is_string(claims, iss) || iss->second.string != "us")) return false;
    const auto aud = claims.find("aud");
    if (aud == claims.end()) return !is_held;
    const auto names = strings_of(aud->second);
    return is_held && names && std::count(names->begin(), names->end(), "field") > 0;
  }

  std::string header_text_;
  std::string claims_text_;
  unsigned mode_;
  std::size_t key_;
};

void check_verdict(const Gate& gate, const Verdict& verdict) {
  require(verdict.kind != Verdict::Kind::kMissing, "a token that is wrong is not a missing one");
  if (verdict.kind == Verdict::Kind::kWrong) {
    require(!verdict.identity.is_known() && !verdict.warrant, "a refused one is nobody");
    require(!verdict.reason.empty(), "it is said why");
    return;
  }
  require(verdict.identity.is_known(), "who is let in by a token is somebody");
  require(verdict.warrant.has_value(), "he is let in by something");
  require(gate.stands(*verdict.warrant, verdict.identity.text, verdict.identity.groups),
          "what lets in now stands now");
}

void check_token(std::string_view rest, unsigned mode) {
  const Gate& gate = gates().of(mode);
  std::string token(rest);
  const Verdict verdict = judge(gate, token, mode);
  check_verdict(gate, verdict);
  if (verdict.kind != Verdict::Kind::kAdmitted) return;
  if (verdict.identity.text == "token:known") {
    // Blanks around it do not belong to it in the header (RFC 9110 section 5.5).
    token.erase(0, token.find_first_not_of(' '));
    token.erase(token.find_last_not_of(' ') + 1);
    require_same(kStaticToken, token, "the static token");
    require_same("ops", verdict.identity.groups, "its groups");
    return;
  }
  token.erase(0, token.find_first_not_of(' '));
  token.erase(token.find_last_not_of(' ') + 1);
  const std::size_t dot = token.rfind('.');
  require(dot != token.npos, "a JSON web token has dots");
  const std::string_view signed_part = std::string_view(token).substr(0, dot);
  const std::string signature = token.substr(dot + 1);
  bool is_signed = false;
  for (std::size_t key = 0; key < kKeys; ++key) {
    is_signed = is_signed || signature == signature_of(signed_part, key);
  }
  require(is_signed, "a JSON web token that lets in is signed with a key");
}

void check_signed(std::string_view rest, unsigned mode) {
  const Gate& gate = gates().of(mode);
  const std::size_t key = (mode & kOtherKey) != 0 ? 1 : 0;
  const std::string header(rest.substr(0, rest.find('\n')));
  const std::string claims(rest.substr(std::min(header.size() + 1, rest.size())));
  std::string token = base64url(header) + "." + base64url(claims);
  token += "." + signature_of(token, key);
  if (token.size() > 8192) return;
  const Verdict verdict = judge(gate, token, mode);
  check_verdict(gate, verdict);
  const auto expected = SlowReading(header, claims, mode, key).bearer();
  if (verdict.kind == Verdict::Kind::kAdmitted) {
    if (!expected) fail("nobody is let in by it: " + header + " " + claims);
    require_same(*expected, verdict.identity.text + " " + verdict.identity.groups, "who it is");
  } else if (expected) {
    // libjwt reads the token once more, and is a JSON reader of its own.
    require_same("the signature is wrong", verdict.reason, "why a right token is refused");
  }
  // Any other signature lets nobody in.
  token.back() = token.back() == 'A' ? 'Q' : 'A';
  require(judge(gate, token, mode).kind == Verdict::Kind::kWrong, "a wrong signature is seen");
}

// ---- files of static tokens

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c != ' ' && c != '\t' && c != '\r') {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

void check_token_file(std::string_view text) {
  const auto table = access::TokenTable::parse(text, "tokens");
  if (!table.is_ok()) {
    require(table.message().starts_with("tokens:"), "a mistake says where");
    return;
  }
  std::size_t entries = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::vector<std::string> words = words_of(line);
    if (words.empty() || words[0].front() == '#') continue;
    ++entries;
    require(words.size() == 2 || words.size() == 3, "an entry has two or three words");
    const std::string groups = words.size() == 3 ? words[2] : "";
    require(is_visible(words[0], true), "a name is visible");
    if (words[1].starts_with("sha256:")) {
      require(table.value().find(words[1]) == nullptr, "a digest is no token");
      continue;
    }
    const access::TokenTable::Entry* const entry = table.value().find(words[1]);
    require(entry != nullptr, "a token in the file is found");
    require_same("token:" + words[0], entry->identity.text, "whose it is");
    require_same(groups, entry->identity.groups, "his groups");
    require(table.value().has(entry->digest, entry->identity.text, groups), "it stands");
    require(table.value().find(words[1] + "x") == nullptr, "a longer one is another");
  }
  require(table.value().size() == entries, "each entry is one line");
}

// ---- web pages

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return made;
}

// What stands before a port: behind the last colon that is not within brackets.
std::string without_port(const std::string& authority) {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port = colon != authority.npos && (bracket == authority.npos || colon > bracket);
  return has_port ? authority.substr(0, colon) : authority;
}

void check_origin(std::string_view rest, unsigned mode) {
  const std::string origin(rest.substr(0, rest.find('\n')));
  const std::string host(rest.substr(std::min(origin.size() + 1, rest.size())));
  const bool is_tls = (mode & 1) != 0;
  const bool is_loopback = (mode & 2) != 0;
  const access::PageRequest page{origin, host, is_tls, is_loopback};
  const auto is_taken = [&page](const std::vector<std::string>& entries) {
    return access::OriginList(entries).refusal(page).empty();
  };
  require(is_taken({"*"}), "any page is any page");
  if (origin.empty()) {
    require(is_taken({}) && is_taken({"https://a.example"}), "who is no browser may connect");
    return;
  }
  if (is_taken({})) {
    const std::size_t scheme = origin.find("://");
    require(scheme != origin.npos, "an origin has a scheme");
    require(!is_tls || lower(origin.substr(0, scheme)) == "https", "over TLS a page came by TLS");
    const std::string its = lower(without_port(origin.substr(scheme + 3)));
    require_same(its, lower(without_port(host)), "the host of the page");
    const bool is_name = its.find_first_not_of("0123456789.") != its.npos && its[0] != '[';
    require(!is_loopback || !is_name || its == "localhost" || its.ends_with(".localhost"),
            "a name that leads to a loopback address is localhost");
  }
  if (is_taken({"https://*.a.example"})) {
    const std::string text = lower(origin);
    require(text.starts_with("https://") && text.size() > 8 + 10, "a page of a subdomain");
    const std::string its = text.ends_with(":443") ? text.substr(0, text.size() - 4) : text;
    require(its.ends_with(".a.example"), "a subdomain ends with the domain");
  }
  const auto entry = access::read_origin(origin);
  if (entry.is_ok() && origin != "*" && origin.find('*') == origin.npos) {
    require(is_taken({entry.value()}), "what is named may connect");
  }
  require(is_taken({"null"}) == (origin == "null"), "null is null only");
}

// ---- rules

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

struct Asker {
  std::string identity;
  std::string groups;
};

bool takes_topic(const std::string& pattern, const std::string& topic, const Asker& asker) {
  if (pattern == "*") return true;
  std::vector<std::string> wanted = split(pattern, ':');
  std::vector<std::string> given = split(topic, ':');
  if (wanted.back() == "*") {
    if (given.size() < wanted.size()) return false;
    wanted.pop_back();
    given.resize(wanted.size());
  }
  if (given.size() != wanted.size()) return false;
  const std::size_t colon = asker.identity.find(':');
  const std::string name = colon == std::string::npos ? "" : asker.identity.substr(colon + 1);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "<identity>") {
      if (name.empty() || given[i] != name) return false;
    } else if (!wanted[i].starts_with('<') && wanted[i] != given[i]) {
      return false;
    }
  }
  return true;
}

bool is_one(const std::string& who, const Asker& asker) {
  if (who == "anyone") return true;
  if (who == "known") return !asker.identity.empty();
  if (who.starts_with("group:")) {
    const std::vector<std::string> groups = split(asker.groups, ',');
    return std::count(groups.begin(), groups.end(), who.substr(6)) > 0;
  }
  const std::string kind = who.substr(0, who.find(':') + 1);
  return who == asker.identity || (who == kind + "*" && asker.identity.starts_with(kind));
}

bool allows(const access::Rule& rule, const std::string& action, const std::string& topic,
            const Asker& asker) {
  return std::count(rule.may.begin(), rule.may.end(), action) > 0 &&
         std::any_of(rule.topics.begin(), rule.topics.end(),
                     [&](const std::string& its) { return takes_topic(its, topic, asker); }) &&
         std::any_of(rule.who.begin(), rule.who.end(),
                     [&](const std::string& who) { return is_one(who, asker); });
}

void check_asked(const std::vector<access::Rule>& rules, const Asker& asker,
                 const std::string& topic) {
  const access::Rules compiled(rules);
  const hub::ConnectionFacts facts(hub::ConnectionFacts::Parts{.peer = "p",
                                                               .identity = asker.identity,
                                                               .groups = asker.groups,
                                                               .path = "/",
                                                               .query = {},
                                                               .headers = {}});
  constexpr std::array<std::pair<const char*, hub::Action>, 3> kActions = {
      {{"subscribe", hub::Action::kSubscribe},
       {"send", hub::Action::kSend},
       {"publish", hub::Action::kPublish}}};
  for (const auto& [name, action] : kActions) {
    const std::string asked = name;
    const bool may = rules.empty() ? action != hub::Action::kPublish
                                   : std::any_of(rules.begin(), rules.end(), [&](const auto& rule) {
                                       return allows(rule, asked, topic, asker);
                                     });
    if (compiled.may(facts, action, topic) == may) continue;
    fail(asker.identity + " may" + (may ? "" : " not") + " " + asked + " " + topic);
  }
}

// Lines by their first character: r begins a rule, t, w and m give it a topic, somebody and an
// action; i and g say who asks, a asks for a topic.
void check_rules(std::string_view text) {
  std::vector<access::Rule> rules;
  Asker asker;
  for (const std::string& line : split(text, '\n')) {
    if (line.empty()) continue;
    const std::string rest = line.substr(1);
    const bool has_rule = !rules.empty();
    if (line[0] == 'r') rules.emplace_back();
    if (line[0] == 't' && has_rule && access::check_rule_topic(rest).is_ok()) {
      rules.back().topics.push_back(rest);
    }
    if (line[0] == 'w' && has_rule && access::check_rule_who(rest).is_ok()) {
      rules.back().who.push_back(rest);
    }
    if (line[0] == 'm' && has_rule && access::check_rule_action(rest).is_ok()) {
      rules.back().may.push_back(rest);
    }
    if (line[0] == 'g') asker.groups = rest.substr(0, 1000);
    if (line[0] == 'a') check_asked(rules, asker, rest);
    if (line[0] != 'i') continue;
    const std::string kind = rest.substr(0, rest.find(':') + 1);
    const bool is_kind = kind == "token:" || kind == "jwt:" || kind == "cert:" || kind == "unix:";
    if (rest.empty() || (is_kind && is_visible(rest.substr(kind.size()), true))) {
      asker.identity = rest;
    }
  }
}

}  // namespace

int run(const std::uint8_t* octets, std::size_t size) {
  Input input(octets, size);
  const auto what = static_cast<What>(input.below(kWhats));
  const unsigned mode = input.octet();
  switch (what) {
    case What::kToken: check_token(input.rest(), mode); break;
    case What::kSigned: check_signed(input.rest(), mode); break;
    case What::kTokenFile: check_token_file(input.rest()); break;
    case What::kOrigin: check_origin(input.rest(), mode); break;
    case What::kRules: check_rules(input.rest()); break;
  }
  return 0;
}

}  // namespace jackfield::fuzz
