// What the host does with a plugin's answers: joins, events, leaves, pending calls, exceptions.
#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Joins, ServerGroup) {
  void expect_error(WsClient& client, std::string_view topic, std::string_view code,
                    Where where = Where::here()) {
    const std::string error = payload_of(client.receive(where), topic, "error", where);
    check(string_member(error, "code", where) == code, error, where);
    check(!string_member(error, "message", where).empty(), error, where);
  }
};

TEST(Joins, what_join_says_arrives_after_the_confirmation_in_its_order) {
  start({.plugins = {"early"}});
  converse(R"(
    A > ["early:x","subscribe",{"id":"1"}]
    A < ["early:x","subscribed",{"id":"1"}]
    A < ["early:x","first",1]
    A < ["early:x","second",2]
    A < ["early:x","third",3]
    A < ["early:x","fourth",4]
    B > ["early:x","subscribe",{"id":"2"}]
    A < ["early:x","third",3]
    B < ["early:x","subscribed",{"id":"2"}]
    B < ["early:x","first",1]
    B < ["early:x","second",2]
    B < ["early:x","third",3]
    B < ["early:x","fourth",4]
    A > ["early:x","subscribe",{"id":"3"}]
    A < ["early:x","subscribed",{"id":"3"}]
    A < ["early:x","first",1]
    A < ["early:x","second",2]
    A < ["early:x","third",3]
    A < ["early:x","fourth",4]
    B < ["early:x","third",3]
  )");
}

TEST(Joins, one_that_is_refused_gets_the_error_and_nothing_else) {
  start({.plugins = {"refuse"}});
  WsClient a = connect();
  a.send_text(R"(["refuse:always","subscribe",{"id":"1"}])");
  expect_error(a, "refuse:always", "FORBIDDEN");
  a.send_text(R"(["refuse:always","tell",1])");
  a.expect_nothing();
  a.send_text(R"(["refuse:always","unsubscribe",null])");
  a.expect(R"(["refuse:always","unsubscribed",{}])");
  a.close();
  server().stop();
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"refuse left"}));
}

TEST(Joins, a_refusal_may_have_the_plugins_own_code_and_message) {
  start({.plugins = {"refuse"}});
  converse(R"(
    A > ["refuse:reply","subscribe",{"id":"1"}]
    A < ["refuse:reply","error",{"code":"NOT_TODAY","message":"come back tomorrow"}]
    A > ["refuse:later","subscribe",{"id":"2"}]
    A < ["refuse:later","error",{"code":"NOT_TODAY","message":"come back tomorrow"}]
    A > ["refuse:reply","tell",1]
    A > ["refuse:later","tell",1]
  )");
}

TEST(Joins, a_second_join_that_is_refused_leaves_the_first_as_it_is) {
  start({.plugins = {"refuse"}});
  WsClient a = connect();
  a.send_text(R"(["refuse:second","subscribe",{"id":"1"}])");
  a.expect(R"(["refuse:second","subscribed",{"id":"1"}])");
  a.send_text(R"(["refuse:second","subscribe",{"id":"2"}])");
  expect_error(a, "refuse:second", "FORBIDDEN");
  // What was pushed to the call is dropped. What was pushed to the subscription, which stands, and
  // what was broadcast to all subscribers, of which it is one, is not.
  a.expect(R"(["refuse:second","early",2])");
  a.expect(R"(["refuse:second","early",3])");
  a.send_text(R"(["refuse:second","tell",1])");
  a.expect(R"(["refuse:second","told",1])");
  a.send_text(R"(["refuse:second","unsubscribe",null])");
  a.expect(R"(["refuse:second","unsubscribed",{}])");
  server().wait_for_log({"refuse left", "topic=refuse:second"});
}

TEST(Joins, each_result_has_its_code) {
  start({.plugins = {"returns"}});
  WsClient a = connect();
  const std::pair<const char*, const char*> rows[] = {
      {"-1", "INTERNAL_ERROR"}, {"-2", "INVALID_PAYLOAD"},    {"-3", "FORBIDDEN"},
      {"-4", "INTERNAL_ERROR"}, {"-12345", "INTERNAL_ERROR"}, {"2", "INTERNAL_ERROR"},
      {"77", "INTERNAL_ERROR"}};
  for (const auto& [result, code] : rows) {
    const std::string topic = "returns:" + std::string(result);
    a.send_text("[\"" + topic + "\",\"subscribe\",{\"id\":\"1\"}]");
    expect_error(a, topic, code);
    a.send_text("[\"returns:0\",\"event\"," + std::string(result) + "]");
    if (std::string_view(result) == "2") continue;  // "no such event": no answer
    expect_error(a, "returns:0", code);
  }
  a.send_text(R"(["returns:0","subscribe",null])");
  a.expect(R"(["returns:0","subscribed",{}])");
  a.send_text(R"(["returns:0","event",0])");
  a.expect_nothing();
  server().wait_for_log({"plugin=returns", "-12345"});
  a.close();
  server().wait_for_log({"returns left", "topic=returns:0"});
  server().stop();
  LONGS_EQUAL(1, count_lines(server().process().errors(), {"returns left"}));
}

TEST_GROUP_BASE(PendingCalls, ServerGroup) {
  void setup() override {
    start({.plugins = {"pending", "echo"}, .server = kDoesNotWaitForCloses});
  }
};

TEST(PendingCalls, a_join_is_answered_from_a_thread) {
  converse(R"(
    A > ["pending:thread","subscribe",{"id":"1"}]
    A < ["pending:thread","subscribed",{"id":"1"}]
    A < ["pending:thread","progress",50]
    A < ["pending:thread","progress",100]
    A > ["pending:thread","unsubscribe",null]
    A < ["pending:thread","unsubscribed",{}]
  )");
  server().wait_for_log({"pending left", "topic=pending:thread"});
}

TEST(PendingCalls, a_join_is_answered_by_a_timer) {
  converse(R"(
    A > ["pending:timer","subscribe",{"id":"1"}]
    A < ["pending:timer","subscribed",{"id":"1"}]
    A < ["pending:timer","progress",100]
  )");
}

TEST(PendingCalls, a_join_is_answered_before_it_returns) {
  converse(R"(
    A > ["pending:now","subscribe",{"id":"1"}]
    A < ["pending:now","subscribed",{"id":"1"}]
    A < ["pending:now","progress",100]
  )");
}

TEST(PendingCalls, a_join_is_refused_from_a_thread) {
  converse(R"(
    A > ["pending:refused","subscribe",{"id":"1"}]
    A < ["pending:refused","error",{"code":"TOO_BUSY","message":"ask again \"later\""}]
  )");
}

TEST(PendingCalls, events_are_answered_later) {
  converse(R"(
    A > ["pending:x","timer",null]
    A < ["pending:x","progress",100]
    A > ["pending:x","thread",null]
    A < ["pending:x","progress",50]
    A < ["pending:x","progress",100]
    A > ["pending:x","refused",null]
    A < ["pending:x","error",{"code":"TOO_BUSY","message":"ask again \"later\""}]
  )");
}

TEST(PendingCalls, only_the_first_reply_counts) {
  converse(R"(
    A > ["pending:watch","subscribe",null]
    A < ["pending:watch","subscribed",{}]
    A < ["pending:watch","progress",100]
    B > ["pending:x","twice",null]
    A < ["pending:watch","results",[0,-4,-4]]
    B < ["pending:x","error",{"code":"FIRST","message":"the first answer"}]
  )");
}

TEST(PendingCalls, one_that_is_never_answered_holds_nobody_up) {
  converse(R"(
    A > ["pending:x","never",null]
    A > ["pending:never","subscribe",null]
    A > ["echo:a","echo",1]
    A < ["echo:a","echoed",1]
  )");
  client("A").close();
  converse(R"(
    B > ["pending:never","subscribe",null]
    B > ["echo:a","echo",2]
    B < ["echo:a","echoed",2]
  )");
}

TEST(PendingCalls, the_asker_may_be_gone_by_then) {
  WsClient a = connect();
  a.send_text(R"(["pending:x","timer",null])");
  a.close();
  server().wait_for_log({"the asker is gone"});
  server().wait_for_log({"nobody waits for the reply"});
  converse(R"(
    B > ["echo:a","echo",1]
    B < ["echo:a","echoed",1]
  )");
}

TEST(PendingCalls, a_joiner_may_be_gone_by_then) {
  WsClient a = connect();
  a.send_text(R"(["pending:timer","subscribe",null])");
  a.close();
  // The join succeeds after all, so its leave is due.
  server().wait_for_log({"pending left", "topic=pending:timer"});
  converse(R"(
    B > ["echo:a","echo",1]
    B < ["echo:a","echoed",1]
  )");
}

TEST(PendingCalls, an_unsubscribe_while_joining_ends_it_with_one_leave) {
  WsClient a = connect();
  a.send_text(R"(["pending:timer","subscribe",null])");
  a.send_text(R"(["pending:timer","unsubscribe",null])");
  std::string message = a.receive();
  if (message.find("subscribed\"") != std::string::npos &&
      message.find("unsubscribed") == std::string::npos) {
    fail("subscribed, though it was not answered yet: " + message);
  }
  CHECK_TRUE(same_json(message, R"(["pending:timer","unsubscribed",{}])"));
  server().wait_for_log({"pending left", "topic=pending:timer"});
  a.expect_nothing();
  server().stop();
  LONGS_EQUAL(1, count_lines(server().process().errors(), {"pending left"}));
}

TEST_GROUP_BASE(Leaves, ServerGroup) {
  void setup() override {
    start({.plugins = {"leaves"}, .server = kDoesNotWaitForCloses});
    client("W").send_text(R"(["leaves:watch","subscribe",null])");
    client("W").expect(R"(["leaves:watch","subscribed",{}])");
  }

  void expect_left(int reason, Where where = Where::here()) {
    client("W").expect(R"(["leaves:watch","left",{"topic":"leaves:a","reason":)" +
                           std::to_string(reason) + R"(,"push":-4,"get":0,"kept":"leaves:a"}])",
                       where);
    client("W").expect_nothing(where);
  }

  WsClient joined(Where where = Where::here()) {
    WsClient made = connect({}, where);
    made.send_text(R"(["leaves:a","subscribe",null])", where);
    made.expect(R"(["leaves:a","subscribed",{}])", where);
    return made;
  }
};

TEST(Leaves, once_for_an_unsubscribe) {
  WsClient a = joined();
  a.send_text(R"(["leaves:a","unsubscribe",null])");
  a.expect(R"(["leaves:a","unsubscribed",{}])");
  expect_left(1);
  a.send_text(R"(["leaves:a","unsubscribe",null])");
  a.expect(R"(["leaves:a","unsubscribed",{}])");
  a.close();
  client("W").expect_nothing();
}

TEST(Leaves, once_for_a_close) {
  joined().close();
  expect_left(2);
}

TEST(Leaves, once_for_a_lost_connection) {
  joined().stream().reset();
  expect_left(2);
}

TEST(Leaves, once_for_a_protocol_error) {
  WsClient a = joined();
  a.send_frame(static_cast<Opcode>(3), "");
  a.expect_closed(1002);
  expect_left(2);
}

TEST(Leaves, once_for_a_kick) {
  WsClient a = joined();
  a.send_text(R"(["leaves:a","kick",null])");
  a.expect(R"(["leaves:a","error",{"code":"OUT","message":"enough"}])");
  expect_left(3);
  a.close();
  client("W").expect_nothing();
}

TEST(Leaves, once_though_joined_twice) {
  WsClient a = joined();
  a.send_text(R"(["leaves:a","subscribe",null])");
  a.expect(R"(["leaves:a","subscribed",{}])");
  a.close();
  expect_left(2);
}

TEST(Leaves, none_for_a_refused_join) {
  WsClient a = connect();
  a.send_text(R"(["leaves:refused","subscribe",null])");
  a.receive();
  a.close();
  client("W").expect_nothing();
}

TEST(Leaves, once_for_the_servers_end) {
  WsClient a = joined();
  WsClient b = joined();
  server().stop();
  const std::string errors = server().process().errors();
  LONGS_EQUAL(2, count_lines(errors, {"somebody left", "topic=leaves:a", "why=5"}));
  LONGS_EQUAL(1, count_lines(errors, {"somebody left", "topic=leaves:watch", "why=5"}));
  LONGS_EQUAL(3, count_lines(errors, {"somebody left"}));
}

TEST_GROUP_BASE(Exceptions, ServerGroup) {};

TEST(Exceptions, each_becomes_an_error_with_its_message) {
  start({.plugins = {"throws"}});
  converse(R"(
    A > ["throws:x","boom",null]
    A < ["throws:x","error",{"code":"INTERNAL_ERROR","message":"the event is broken"}]
    A > ["throws:x","own",null]
    A < ["throws:x","error",{"code":"OUT_OF_PAPER","message":"fill the tray"}]
    A > ["throws:join","subscribe",null]
    A < ["throws:join","error",{"code":"INTERNAL_ERROR","message":"the join is broken"}]
    A > ["throws:own","subscribe",null]
    A < ["throws:own","error",{"code":"NOT_TODAY","message":"come \"back\"\ntomorrow"}]
  )");
  client("A").send_text(R"(["throws:x","odd",null])");
  const std::string error = payload_of(client("A").receive(), "throws:x", "error");
  STRCMP_EQUAL("INTERNAL_ERROR", string_member(error, "code").c_str());
}

TEST(Exceptions, those_of_no_clients_call_are_logged) {
  start({.plugins = {"throws"}, .server = kDoesNotWaitForCloses});
  WsClient a = connect();
  a.send_text(R"(["throws:watch","subscribe",null])");
  a.expect(R"(["throws:watch","subscribed",{}])");
  a.expect(R"(["throws:watch","early",1])");
  a.send_text(R"(["throws:watch","later",null])");
  a.expect(R"(["throws:watch","begun",true])");
  a.expect(R"(["throws:watch","caught","the work is broken"])");
  server().wait_for_log({"plugin=throws", "the timer is broken"});
  server().wait_for_log({"plugin=throws", "the post is broken"});
  a.send_text(R"(["throws:watch","unsubscribe",null])");
  a.expect(R"(["throws:watch","unsubscribed",{}])");
  server().wait_for_log({"plugin=throws", "the leave is broken"});
  server().stop();
  LONGS_EQUAL(1, count_lines(server().process().errors(), {"plugin=throws", "the stop is broken"}));
}

TEST(Exceptions, one_in_start_refuses_the_plugin) {
  start({.plugins = {"start_throws"}});
  server().wait_for_log({"start_throws", "the device is on fire"});
  converse(R"(
    A > ["start_throws:x","event",null]
    A < ["start_throws:x","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: start_throws:x"}]
  )");
}

TEST(Exceptions, one_across_the_abi_does_not_end_the_server) {
  start({.plugins = {"bare_throw", "echo"}});
  WsClient a = connect();
  a.send_text(R"(["bare_throw:x","subscribe",null])");
  CHECK_TRUE(a.receive().find("INTERNAL_ERROR") != std::string::npos);
  a.send_text(R"(["bare_throw:","event",null])");
  CHECK_TRUE(a.receive().find("INTERNAL_ERROR") != std::string::npos);
  a.send_text(R"(["bare_throw:","subscribe",null])");
  a.expect(R"(["bare_throw:","subscribed",{}])");
  a.send_text(R"(["bare_throw:","unsubscribe",null])");
  a.expect(R"(["bare_throw:","unsubscribed",{}])");
  a.send_text(R"(["echo:a","echo",1])");
  a.expect(R"(["echo:a","echoed",1])");
  server().wait_for_log({"plugin=bare_throw", "join is broken"});
  server().wait_for_log({"plugin=bare_throw", "leave is broken"});
}

}  // namespace
