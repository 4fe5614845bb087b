// The gate by itself, with a clock of the test's own: what counts where there is more than one, when
// a warrant ends, and what a change does.
#include "core/access/gate.hpp"

#include <sys/stat.h>

#include <chrono>
#include <functional>
#include <string>

#include "core/net/loop_uv.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield;
using namespace jackfield::access;
using jackfield::test::check;
using Kind = Verdict::Kind;

constexpr WallTime kNow = 1'800'000'000;
constexpr const char* kAlice = "0123456789abcdef-alice";
constexpr const char* kCarol = "0123456789abcdef-carol";
const std::string kShared = "0123456789abcdef0123456789abcdef";

}  // namespace

TEST_GROUP(AccessGate) {
  const test::TemporaryFolder folder;
  base::Log log{base::LogLevel::kError, [](std::string_view) {}};
  net::LoopUv loop;
  WallTime now = kNow;
  Settings settings;
  Gate gate{loop, log, [this] { return now; }};

  std::string write(const std::string& name, const std::string& text) {
    const auto path = folder.write(name, text);
    ::chmod(path.c_str(), 0600);
    return path.string();
  }
  void setup() override {
    settings.tokens = write("tokens", std::string("alice ") + kAlice + " ops\n");
    settings.jwt_keys = {{"", Algorithm::kHs256, write("key", kShared)}};
    CHECK(gate.apply(settings, false).is_ok());
  }
  std::string token(WallTime exp) {
    return test::SigningKey::shared(kShared).token(
        R"({"alg":"HS256"})", R"({"sub":"bob","exp":)" + std::to_string(exp) + "}");
  }
  void run_until(const std::function<bool()>& is_done) {
    const base::TimerId late =
        loop.start_timer(std::chrono::seconds(20), {}, [] { FAIL("waited in vain"); });
    loop.run_until(is_done);
    loop.cancel_timer(late);
  }
  Verdict judge(std::string_view token) {
    const std::string header = "Bearer " + std::string(token);
    return gate.judge({.authorization = header});
  }
};

TEST(AccessGate, a_token_counts_before_a_certificate_and_that_before_a_user) {
  settings.unix_peers = true;
  CHECK(gate.apply(settings, false).is_ok());
  Presented presented;
  presented.unix_peer = Identity{.text = "unix:u", .groups = {}};
  STRCMP_EQUAL("unix:u", gate.judge(presented).identity.text.c_str());
  presented.certificate = Identity{.text = "cert:c", .groups = {}};
  STRCMP_EQUAL("cert:c", gate.judge(presented).identity.text.c_str());
  presented.cookie = kAlice;
  const Verdict verdict = gate.judge(presented);
  STRCMP_EQUAL("token:alice", verdict.identity.text.c_str());
  STRCMP_EQUAL("ops", verdict.identity.groups.c_str());
  // A wrong one is not passed over.
  presented.cookie = "0123456789abcdef-wrong";
  CHECK(gate.judge(presented).kind == Kind::kWrong);
}

TEST(AccessGate, a_user_is_nobody_unless_the_settings_say_so) {
  Presented presented;
  presented.unix_peer = Identity{.text = "unix:u", .groups = {}};
  CHECK_FALSE(gate.judge(presented).identity.is_known());
  settings.required = true;
  CHECK(gate.apply(settings, false).is_ok());
  CHECK(gate.judge(presented).kind == Kind::kMissing);
}

TEST(AccessGate, what_a_json_web_token_lets_in_by_ends_with_the_leeway) {
  const Verdict verdict = judge(token(kNow + 10));
  CHECK(verdict.kind == Kind::kAdmitted);
  LONGS_EQUAL(kNow + 10 + 60, *verdict.warrant->expires_at);
  CHECK(judge(kAlice).warrant.has_value());
  CHECK_FALSE(judge(kAlice).warrant->expires_at.has_value());
}

TEST(AccessGate, a_clock_that_jumps_decides_anew) {
  const std::string bearer = token(kNow + 10);
  CHECK(judge(bearer).kind == Kind::kAdmitted);
  now = kNow + 3600;
  CHECK(judge(bearer).kind == Kind::kWrong);
  now = kNow;
  CHECK(judge(bearer).kind == Kind::kAdmitted);
  now = 100;  // the device has started without a clock of its own
  const Verdict verdict = judge(bearer);
  CHECK(verdict.kind == Kind::kWrong);
  STRCMP_EQUAL("the clock is not set", verdict.reason.c_str());
  CHECK(judge(kAlice).kind == Kind::kAdmitted);
}

TEST(AccessGate, a_warrant_stands_as_long_as_what_it_rests_on) {
  const Verdict by_token = judge(kAlice);
  const Verdict by_key = judge(token(kNow + 10));
  const auto stands = [&](const Verdict& verdict) {
    return gate.stands(*verdict.warrant, verdict.identity.text, verdict.identity.groups);
  };
  CHECK(stands(by_token));
  CHECK(stands(by_key));
  write("tokens", std::string("carol ") + kAlice + "\n");
  CHECK(gate.reload().is_ok());
  CHECK_FALSE(stands(by_token));
  CHECK(stands(by_key));
  write("key", std::string(32, 'n'));
  CHECK(gate.reload().is_ok());
  CHECK_FALSE(stands(by_key));
  settings.tokens.clear();
  settings.jwt_keys.clear();
  CHECK(gate.apply(settings, false).is_ok());
  CHECK_FALSE(stands(by_token));
}

TEST(AccessGate, a_json_web_tokens_warrant_rests_on_what_tokens_are_held_to_as_well) {
  const Verdict verdict = judge(token(kNow + 10));
  const auto stands_with = [&](void (*change)(Settings&)) {
    Settings others = settings;
    change(others);
    CHECK(gate.apply(others, false).is_ok());
    return gate.stands(*verdict.warrant, verdict.identity.text, verdict.identity.groups);
  };
  CHECK(stands_with([](Settings& others) { others.jwt_leeway = std::chrono::seconds(1); }));
  CHECK_FALSE(stands_with([](Settings& others) { others.jwt_issuer = "x"; }));
  CHECK_FALSE(stands_with([](Settings& others) { others.jwt_audience = "x"; }));
  CHECK_FALSE(stands_with([](Settings& others) { others.jwt_groups_claim = "x"; }));
  CHECK_FALSE(stands_with([](Settings& others) { others.jwt_exp_required = false; }));
  CHECK(stands_with([](Settings&) {}));
}

TEST(AccessGate, without_a_token_counts_who_the_settings_let_in) {
  CHECK(gate.stands_without_token(""));
  CHECK(gate.stands_without_token("cert:c"));
  CHECK_FALSE(gate.stands_without_token("unix:u"));
  settings.required = true;
  settings.unix_peers = true;
  CHECK(gate.apply(settings, false).is_ok());
  CHECK_FALSE(gate.stands_without_token(""));
  CHECK(gate.stands_without_token("cert:c"));
  CHECK(gate.stands_without_token("unix:u"));
}

TEST(AccessGate, settings_whose_files_fail_change_nothing) {
  Settings wrong = settings;
  wrong.required = true;
  wrong.tokens = folder.path() / "nowhere";
  const base::Status status = gate.apply(wrong, false);
  CHECK_FALSE(status.is_ok());
  STRCMP_CONTAINS("nowhere: cannot be read", status.message().c_str());
  CHECK_FALSE(gate.settings().required);
  CHECK(judge(kAlice).kind == Kind::kAdmitted);
  write("tokens", "alice\n");
  CHECK_FALSE(gate.reload().is_ok());
  CHECK(judge(kAlice).kind == Kind::kAdmitted);
}

TEST(AccessGate, a_file_that_was_missing_is_taken_when_it_is_there_and_its_settings_with_it) {
  Settings wanted = settings;
  wanted.tokens = folder.path() / "new";
  wanted.required = true;
  CHECK_FALSE(gate.apply(wanted, true).is_ok());
  int changes = 0;
  gate.on_change([&] { ++changes; });
  write("new", std::string("carol ") + kCarol + "\n");
  run_until([&] { return gate.settings().required; });
  LONGS_EQUAL(1, changes);
  STRCMP_EQUAL("token:carol", judge(kCarol).identity.text.c_str());
  CHECK(judge(kAlice).kind == Kind::kWrong);
}

TEST(AccessGate, while_a_file_is_missing_those_in_force_are_read_and_watched_still) {
  Settings wanted = settings;
  wanted.tokens = folder.path() / "new";
  CHECK_FALSE(gate.apply(wanted, true).is_ok());
  gate.on_change([] {});
  write("tokens", std::string("carol ") + kCarol + "\n");
  run_until([&] { return judge(kCarol).kind == Kind::kAdmitted; });
  CHECK(judge(kAlice).kind == Kind::kWrong);
  write("tokens", std::string("alice ") + kAlice + "\n");
  CHECK(gate.reload().is_ok());
  CHECK(judge(kAlice).kind == Kind::kAdmitted);
}

TEST(AccessGate, settings_that_were_given_up_are_not_taken_later) {
  Settings wanted = settings;
  wanted.tokens = folder.path() / "new";
  CHECK_FALSE(gate.apply(wanted, true).is_ok());
  wanted.tokens = folder.path() / "other";
  CHECK_FALSE(gate.apply(wanted, true).is_ok());
  write("new", std::string("carol ") + kCarol + "\n");
  CHECK(gate.reload().is_ok());
  CHECK(judge(kCarol).kind == Kind::kWrong);
  CHECK(gate.apply(settings, true).is_ok());
  write("other", std::string("carol ") + kCarol + "\n");
  CHECK(gate.reload().is_ok());
  CHECK(judge(kCarol).kind == Kind::kWrong);
  CHECK(judge(kAlice).kind == Kind::kAdmitted);
}

TEST(AccessGate, a_file_that_others_could_read_is_taken_by_a_reload_when_they_cannot_any_more) {
  Settings wanted = settings;
  wanted.tokens = write("new", std::string("carol ") + kCarol + "\n");
  ::chmod(wanted.tokens.c_str(), 0644);
  CHECK_FALSE(gate.apply(wanted, true).is_ok());
  ::chmod(wanted.tokens.c_str(), 0600);
  CHECK(gate.reload().is_ok());
  CHECK(judge(kCarol).kind == Kind::kAdmitted);
}

TEST(AccessGate, no_reason_quotes_a_token) {
  for (const std::string& wrong :
       {std::string("0123456789abcdef-wrong"), token(kNow - 3600), token(kNow) + "x",
        std::string("a.b.c")}) {
    const Verdict verdict = judge(wrong);
    CHECK(verdict.kind == Kind::kWrong);
    check(verdict.reason.find(wrong.substr(0, 10)) == std::string::npos, verdict.reason);
    STRCMP_EQUAL("authorization", std::string(verdict.via).c_str());
  }
}
