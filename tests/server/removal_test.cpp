// A plugin whose file is removed: its subscriptions end, connections and other plugins stay.
#include <string>

#include "tests/support/change_group.hpp"
#include "tests/support/json.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Removal, ChangeGroup) {
  void expect_no_channel(WsClient& client, const std::string& topic, const std::string& event,
                         Where where = Where::here()) {
    client.send_text("[\"" + topic + "\",\"" + event + "\",null]", where);
    const std::string error = payload_of(client.receive(where), topic, "error", where);
    check(string_member(error, "message") == "No channel matches topic: " + topic, error, where);
  }
};

TEST(Removal, each_subscription_has_one_leave_and_its_client_is_told) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  subscribe(client("A"), "gen:b", "1.0.0");
  subscribe(client("B"), "gen:a", "1.0.0");
  converse(R"(C > ["echo:c","echo",1]
              C < ["echo:c","echoed",1])");
  remove();
  server().wait_for_log({"plugin removed", "plugin=generation"});
  expect_unloaded(client("A"), "gen:a");
  expect_unloaded(client("A"), "gen:b");
  expect_unloaded(client("B"), "gen:a");
  expect_logged(2, {"generation left", "topic=gen:a", "reason=4"});
  expect_logged(1, {"generation left", "topic=gen:b", "reason=4"});
  for (const char* name : {"A", "B", "C"}) {
    expect_echo(client(name));
    client(name).expect_nothing();
  }
  expect_no_channel(client("A"), "gen:a", "subscribe");
  expect_no_channel(client("A"), "gen:a", "add");
  client("A").close();
  expect_echo(client("B"));
  expect_logged(3, {"generation left"});
}

TEST(Removal, dropped_in_again_it_serves_them_on_their_next_subscribe) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  expect_sum(client("A"), "gen:a", 5, 5);
  client("A").expect_nothing();
  remove();
  expect_unloaded(client("A"), "gen:a");
  put("gen_2");
  server().wait_for_log({"plugin loaded", "plugin=generation", "version=2.0.0", "generation=2"});
  converse(R"(
    B > ["gen:a","say",[0,1]]
    A > ["gen:a","who",null]
    A < ["gen:a","who",{"version":"2.0.0","from":"nobody","count":0,"adopted":0}]
  )");
  subscribe(client("A"), "gen:a", "2.0.0");
  converse(R"(
    B > ["gen:a","say",[0,2]]
    A < ["gen:a","said",[0,2,2]]
  )");
}

TEST(Removal, what_is_pending_is_answered) {
  serve("gen_1", {.log_level = "debug"});
  WsClient& a = client("A");
  ask_for_answers(a, 300, 60000);
  remove();
  for (const char* topic : {"gen:a", "gen:b", "gen:c"}) {
    expect_unloaded(a, topic);
  }
  server().wait_for_log({"plugin unmapped", "plugin=generation"});
  expect_echo(a);
  a.expect_nothing();
}

TEST(Removal, a_join_that_is_pending_is_answered) {
  serve("gen_join_waits");
  WsClient& a = client("A");
  a.send_text(R"(["gen:a","subscribe",{"id":"1"}])");
  a.send_text(R"(["gen:a","subscribe",{"id":"2"}])");
  expect_echo(a);
  remove();
  expect_unloaded(a, "gen:a");
  server().wait_for_log({"plugin removed", "plugin=generation"});
  put("gen_2");
  server().wait_for_log({"plugin loaded", "plugin=generation", "version=2.0.0"});
  subscribe(a, "gen:a", "2.0.0");
  LONGS_EQUAL(0, logged({"generation left"}));
}

TEST(Removal, a_refused_file_that_is_removed_is_forgotten) {
  serve("gen_1");
  put_bytes("this is text", "bad.so");
  server().wait_for_log({"plugin refused", "bad.so"});
  remove("bad.so");
  put_bytes("this is text", "worse.so");
  server().wait_for_log({"plugin refused", "worse.so"});
  expect_logged(1, {"bad.so"});
  LONGS_EQUAL(0, logged({"plugin removed"}));
}

TEST(Removal, one_that_is_removed_while_it_is_replaced_is_gone_in_the_end) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  put("gen_start_waits");
  server().wait_for_log({"waits in its start"});
  remove();
  let_go();
  server().wait_for_log({"plugin removed", "plugin=generation"});
  expect_unloaded(client("A"), "gen:a");
  expect_logged(1, {"generation left", "reason=4"});
  expect_echo(client("A"));
}

}  // namespace
