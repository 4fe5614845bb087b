// What a plugin that is being replaced has not answered yet: it is answered first, or once with an
// error, or the new one is asked.
#include <string>

#include "tests/support/change_group.hpp"
#include "tests/support/json.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(ReplacementPending, ChangeGroup) {};

TEST(ReplacementPending, what_is_pending_is_answered_first) {
  serve("gen_1");
  WsClient& a = client("A");
  a.send_text(R"(["gen:a","later",500])");
  a.send_text(R"(["gen:a","work",500])");
  expect_echo(a);
  put("gen_2");
  a.expect(R"(["gen:a","answer","1.0.0"])");
  a.expect(R"(["gen:a","answer","1.0.0"])");
  wait_for_generation(2);
  a.expect_nothing();
}

TEST(ReplacementPending, what_is_pending_for_too_long_is_answered_with_one_error) {
  serve("gen_1", {.log_level = "debug"});
  WsClient& a = client("A");
  ask_for_answers(a, 2500, 2500);
  replace("gen_2", 2);
  for (const char* topic : {"gen:a", "gen:b", "gen:c"}) {
    const std::string error = payload_of(a.receive(), topic, "error");
    CHECK_EQUAL(std::string("INTERNAL_ERROR"), string_member(error, "code"));
  }
  // The job is still at work; its end answers nobody.
  server().wait_for_log({"plugin unmapped", "plugin=generation", "generation=1"});
  a.expect_nothing();
}

TEST(ReplacementPending, a_join_that_is_pending_is_asked_again) {
  serve("gen_join_waits");
  WsClient& a = client("A");
  a.send_text(R"(["gen:a","subscribe",{"id":"7","and":["more"]}])");
  a.send_text(R"(["gen:a","subscribe",{"id":"8"}])");
  expect_echo(a);
  replace("gen_2", 2);
  a.expect(R"(["gen:a","subscribed",{"id":"7"}])");
  a.expect(R"(["gen:a","welcome","2.0.0"])");
  a.expect(R"(["gen:a","subscribed",{"id":"8"}])");
  a.expect(R"(["gen:a","welcome","2.0.0"])");
  a.send_text(R"(["gen:a","say",[0,1]])");
  a.expect(R"(["gen:a","said",[0,1,1]])");
  a.expect_nothing();
  LONGS_EQUAL(0, logged({"generation left"}));
}

TEST(ReplacementPending, a_join_that_is_pending_and_given_up_joins_nobody) {
  serve("gen_join_waits");
  WsClient& a = client("A");
  WsClient gone = connect();
  a.send_text(R"(["gen:a","subscribe",{"id":"7"}])");
  a.send_text(R"(["gen:a","unsubscribe",null])");
  a.expect(R"(["gen:a","unsubscribed",{}])");
  gone.send_text(R"(["gen:a","subscribe",null])");
  expect_echo(gone);
  gone.close();
  replace("gen_2", 2);
  a.send_text(R"(["gen:a","say",[0,1]])");
  a.expect_nothing();
  subscribe(a, "gen:a", "2.0.0");
  LONGS_EQUAL(0, logged({"generation left"}));
}

}  // namespace
