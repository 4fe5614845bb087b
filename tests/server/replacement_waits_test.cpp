// What clients send, and what else happens, while a plugin is being replaced: it waits for the new
// one, in its order, and holds up nobody else.
#include <chrono>
#include <csignal>
#include <initializer_list>
#include <string>

#include "tests/support/change_group.hpp"
#include "tests/support/json.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

std::string segment(std::initializer_list<std::string_view> messages) {
  std::string bytes;
  for (const std::string_view message : messages) bytes += frame_bytes(Opcode::kText, message);
  return bytes;
}

TEST_GROUP_BASE(ReplacementWaits, ChangeGroup) {
  // A new generation has begun to start, and goes on when the test lets it go.
  void begin_change(const char* build = "gen_start_waits", Where where = Where::here()) {
    put(build, "generation.so", where);
    server().wait_for_log({"waits in its start"}, where);
  }
  void end_change(int generation = 2, Where where = Where::here()) {
    let_go();
    wait_for_generation(generation, where);
  }

  // A change has begun, and the timer of which a client heard before rests.
  WsClient& begin_change_with_a_timer(const char* build, Where where = Where::here()) {
    serve("gen_1", {}, where);
    WsClient& a = client("A", where);
    subscribe(a, "gen:a", "1.0.0", where);
    a.send_text(R"(["gen:a","tick",5])", where);
    a.expect(R"(["gen:a","tick","1.0.0"])", where);
    begin_change(build, where);
    while (a.receive_within(std::chrono::milliseconds(30), where)) {
    }
    return a;
  }
};

TEST(ReplacementWaits, messages_are_answered_by_the_new_one_in_their_order) {
  serve("gen_1");
  WsClient& a = client("A");
  WsClient& b = client("B");
  subscribe(a, "gen:a", "1.0.0");
  subscribe(b, "gen:a", "1.0.0");
  begin_change();
  a.send_bytes(segment({R"(["gen:a","add",1])", R"(["echo:a","echo",1])", R"(["gen:b","add",1])",
                        R"(["gen:a","say",[1,1]])", R"(["echo:a","echo",2])",
                        R"(["gen:c","subscribe",null])", R"(["gen:a","unsubscribe",null])",
                        R"(["nobody:x","unsubscribe",null])", R"(no message)",
                        R"(["gen:a","add",1])"}));
  b.send_text(R"(["gen:a","add",10])");
  expect_echo(client("C"));  // others are not held up
  expect_echo(client("C"));
  end_change();
  const std::string first = a.receive();
  const bool was_first = first == R"(["gen:a","count",1])";
  CHECK_TRUE(was_first || first == R"(["gen:a","count",11])");
  a.expect(R"(["echo:a","echoed",1])");
  const std::string second = payload_of(a.receive(), "gen:b", "count");
  CHECK_TRUE(second == "2" || second == "12");
  a.expect(R"(["gen:a","said",[1,1,1]])");
  a.expect(R"(["echo:a","echoed",2])");
  a.expect(R"(["gen:c","subscribed",{}])");
  a.expect(R"(["gen:c","welcome","2.4.0"])");
  a.expect(R"(["gen:a","unsubscribed",{}])");
  a.expect(R"(["nobody:x","unsubscribed",{}])");
  CHECK_EQUAL(std::string("INVALID_PAYLOAD"),
              string_member(payload_of(a.receive(), "error", "error"), "code"));
  a.receive();
  expect_sum(a, "gen:a", 0, 13);
  a.expect_nothing();
  server().wait_for_log({"generation left", "version=2.4.0", "topic=gen:a", "reason=1"});
  expect_logged(1, {"generation left"});
}

TEST(ReplacementWaits, thousands_of_messages_of_one_connection_keep_their_order) {
  serve("gen_1", {.plugins = {{"gen_beside", "beside.so"}}});
  WsClient& a = client("A");
  subscribe(a, "gen:a", "1.0.0");
  subscribe(a, "beside:a", "1.0.0");
  begin_change();
  constexpr int kMessages = 3000;
  std::string bytes;
  for (int n = 1; n <= kMessages; ++n) {
    const std::string said = "\"say\",[0," + std::to_string(n) + "]]";
    bytes += segment({"[\"gen:a\"," + said, "[\"beside:a\"," + said});
  }
  a.send_bytes(bytes);
  expect_echo(client("B"));
  end_change();
  for (int n = 1; n <= kMessages; ++n) {
    const std::string said =
        "\"said\",[0," + std::to_string(n) + "," + std::to_string(n) + "]]";
    a.expect_bytes("[\"gen:a\"," + said);
    a.expect_bytes("[\"beside:a\"," + said);
  }
  a.expect_nothing();
}

TEST(ReplacementWaits, who_talks_to_other_plugins_is_served_meanwhile) {
  serve("gen_1", {.plugins = {{"gen_beside", "beside.so"}}});
  subscribe(client("A"), "gen:a", "1.0.0");
  begin_change();
  subscribe(client("A"), "beside:a", "1.0.0");  // also one that is subscribed to what changes
  converse(R"(
    B > ["beside:a","say",[0,1]]
    A < ["beside:a","said",[0,1,1]]
    A > ["beside:a","unsubscribe",null]
    A < ["beside:a","unsubscribed",{}]
    A > ["gen:other","unsubscribe",null]
    A < ["gen:other","unsubscribed",{}]
    C > ["echo:c","echo",1]
    C < ["echo:c","echoed",1]
  )");
  LONGS_EQUAL(0, logged({"plugin replaced"}));
  end_change();
}

TEST(ReplacementWaits, a_client_that_connects_meanwhile_is_served_by_the_new_one) {
  serve("gen_1");
  begin_change();
  WsClient& a = client("A");
  a.send_text(R"(["gen:a","subscribe",{"id":"1"}])");
  expect_echo(client("B"));
  end_change();
  a.expect(R"(["gen:a","subscribed",{"id":"1"}])");
  a.expect(R"(["gen:a","welcome","2.4.0"])");
  a.expect_nothing();
}

TEST(ReplacementWaits, a_client_that_goes_meanwhile_leaves_the_new_one_once) {
  serve("gen_1");
  WsClient closed = connect();
  WsClient dropped = connect();
  WsClient reset = connect();
  subscribe(closed, "gen:closed", "1.0.0");
  subscribe(dropped, "gen:dropped", "1.0.0");
  subscribe(reset, "gen:reset", "1.0.0");
  begin_change();
  closed.close();
  dropped.stream().drop();
  reset.stream().reset();
  expect_echo(client("A"));
  end_change();
  for (const char* topic : {"topic=gen:closed", "topic=gen:dropped", "topic=gen:reset"}) {
    server().wait_for_log({"generation left", "version=2.4.0", topic, "reason=2"});
    expect_logged(1, {"generation left", topic});
  }
  expect_who(client("A"), R"({"version":"2.4.0","from":"1.0.0","count":0,"adopted":3})");
  client("A").expect_nothing();
}

TEST(ReplacementWaits, what_a_client_said_before_it_closed_is_not_lost) {
  serve("gen_1");
  WsClient closed = connect();
  WsClient dropped = connect();
  WsClient& a = client("A");
  subscribe(a, "gen:a", "1.0.0");
  begin_change();
  closed.send_bytes(segment({R"(["gen:b","add",1])", R"(["gen:b","add",1])"}) +
                    frame_bytes(Opcode::kClose, close_payload(1000)));
  dropped.send_bytes(segment({R"(["gen:c","add",10])", R"(["gen:c","add",10])"}));
  dropped.stream().finish();
  expect_echo(client("B"));
  expect_echo(client("B"));
  end_change();
  payload_of(closed.receive(), "gen:b", "count");
  payload_of(closed.receive(), "gen:b", "count");
  closed.expect_closed(1000, std::nullopt, false);
  expect_sum(a, "gen:a", 0, 22);
}

TEST(ReplacementWaits, a_message_that_arrives_in_parts_is_whole_for_the_new_one) {
  serve("gen_1");
  WsClient& a = client("A");
  WsClient& b = client("B");
  subscribe(a, "gen:a", "1.0.0");
  const std::string frame = segment({R"(["gen:a","add",1])"});
  a.send_bytes(frame.substr(0, 9));
  b.send_frame(Opcode::kText, R"(["gen:a",)", {.final = false});
  expect_echo(client("C"));
  begin_change();
  a.send_bytes(frame.substr(9));
  expect_echo(client("C"));
  b.send_frame(Opcode::kContinuation, R"("add",)", {.final = false});
  expect_echo(client("C"));
  b.send_frame(Opcode::kContinuation, "1]");
  expect_echo(client("C"));
  end_change();
  payload_of(a.receive(), "gen:a", "count");
  payload_of(b.receive(), "gen:a", "count");
  expect_sum(a, "gen:a", 0, 2);
}

TEST(ReplacementWaits, what_waited_goes_to_the_old_one_where_the_new_one_fails) {
  serve("gen_1");
  WsClient& a = client("A");
  WsClient closed = connect();
  subscribe(a, "gen:a", "1.0.0");
  subscribe(closed, "gen:closed", "1.0.0");
  begin_change("gen_start_waits_fails");
  a.send_bytes(segment({R"(["gen:a","add",1])", R"(["echo:a","echo",1])", R"(["gen:a","add",1])",
                        R"(["gen:b","subscribe",null])"}));
  closed.close();
  expect_echo(client("B"));
  let_go();
  a.expect(R"(["gen:a","count",1])");
  a.expect(R"(["echo:a","echoed",1])");
  a.expect(R"(["gen:a","count",2])");
  a.expect(R"(["gen:b","subscribed",{}])");
  a.expect(R"(["gen:b","welcome","1.0.0"])");
  a.expect_nothing();
  server().wait_for_log({"generation left", "version=1.0.0", "topic=gen:closed", "reason=2"});
  expect_logged(1, {"generation left"});
}

TEST(ReplacementWaits, a_file_that_changes_meanwhile_is_taken_next) {
  serve("gen_1");
  WsClient& a = client("A");
  subscribe(a, "gen:a", "1.0.0");
  begin_change();
  a.send_text(R"(["gen:a","add",1])");
  put("gen_2");
  end_change();
  wait_for_generation(3);
  a.expect(R"(["gen:a","count",1])");
  expect_who(a, R"({"version":"2.0.0","from":"2.4.0","count":1,"adopted":1})");
  LONGS_EQUAL(0, logged({"plugin refused"}));
}

TEST(ReplacementWaits, two_plugins_that_change_together_keep_the_order_of_one_connection) {
  serve("gen_1", {.plugins = {{"gen_beside", "beside.so"}}});
  WsClient& a = client("A");
  subscribe(a, "gen:a", "1.0.0");
  subscribe(a, "beside:a", "1.0.0");
  put("gen_beside", "beside.so");
  put("gen_2");
  int n = 0;
  const Deadline deadline;
  while (!server().process().wait_for_error({"plugin replaced", "plugin=generation "},
                                            Deadline(std::chrono::milliseconds(0)))) {
    CHECK_TRUE(deadline.milliseconds() > 0);
    const std::string number = std::to_string(++n);
    a.send_bytes(segment({"[\"gen:a\",\"say\",[0," + number + "]]",
                          "[\"beside:a\",\"say\",[0," + number + "]]"}));
    a.expect_bytes("[\"gen:a\",\"said\",[0," + number + "," + number + "]]");
    a.expect_bytes("[\"beside:a\",\"said\",[0," + number + "," + number + "]]");
  }
  server().wait_for_log({"plugin replaced", "plugin=beside ", "generation=2 "});
  subscribe(a, "gen:a", "2.0.0");
}

TEST(ReplacementWaits, timers_of_the_old_one_rest_and_go_with_it) {
  WsClient& a = begin_change_with_a_timer("gen_start_waits");
  CHECK_FALSE(a.receive_within(std::chrono::milliseconds(200)).has_value());
  end_change();
  CHECK_FALSE(a.receive_within(std::chrono::milliseconds(200)).has_value());
  a.expect_nothing();
}

TEST(ReplacementWaits, timers_of_the_old_one_go_on_where_the_new_one_fails) {
  WsClient& a = begin_change_with_a_timer("gen_start_waits_fails");
  let_go();
  server().wait_for_log({"plugin refused", "the device is missing"});
  for (int i = 0; i < 10; ++i) a.expect(R"(["gen:a","tick","1.0.0"])");
}

TEST(ReplacementWaits, the_server_ends_cleanly_in_the_middle) {
  serve("gen_1");
  WsClient& a = client("A");
  subscribe(a, "gen:a", "1.0.0");
  begin_change();
  server().process().signal(SIGTERM);
  a.expect_closed(1000, "Server shutting down");
  let_go();
  server().expect_clean_end();
  expect_logged(1, {"generation left", "topic=gen:a", "reason=5"});
}

}  // namespace
