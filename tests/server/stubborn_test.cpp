// Peers and plugins that do not do their part: refused ones that stay, connections that say
// nothing, frames behind the end, and plugins that never let go of the loop.
#include <csignal>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(StubbornPeers, ServerGroup) {
  // Sends text that is not UTF-8, then `behind`: either at once or when the server's Close is there.
  // The Close must be the server's last frame (RFC 6455, 5.5.1).
  void expect_one_close(std::string_view behind, bool at_once, Where where = Where::here()) {
    WsClient a = connect({}, where);
    const std::string text = frame_bytes(Opcode::kText, "[\"\xff\"]");
    a.send_bytes(at_once ? text + std::string(behind) : text, where);
    int closes = 0;
    while (const std::optional<Frame> frame = a.receive_frame_or_end(where)) {
      check(frame->opcode == Opcode::kClose, "something else than a Close", where);
      ++closes;
      check(closes > 1 || frame->payload.starts_with(close_payload(1007)), "not 1007", where);
      if (closes == 1 && !at_once) a.stream().send(behind);
    }
    check(closes == 1, std::to_string(closes) + " Close frames", where);
  }
};

TEST(StubbornPeers, a_violation_behind_the_servers_close_brings_no_second_one) {
  start({.plugins = {"echo"}});
  for (const std::uint8_t bits : {4, 2, 1, 7}) {
    const std::string frame = frame_bytes(Opcode::kText, "x", {.reserved = bits});
    expect_one_close(frame, false);
    expect_one_close(frame, true);
  }
  for (const std::string& frame :
       {frame_bytes(static_cast<Opcode>(3), ""), frame_bytes(Opcode::kContinuation, "x"),
        frame_bytes(Opcode::kPing, std::string(126, 'x')),
        frame_bytes(Opcode::kClose, close_payload(1000), {.reserved = 4})}) {
    expect_one_close(frame, false);
    expect_one_close(frame, true);
  }
}

TEST(StubbornPeers, refused_ones_that_do_not_answer_the_close_take_nobodys_place) {
  start({.plugins = {"echo"},
         .server = "max_connections = 2\nclose_timeout_s = 3600",
         .log_level = "debug"});
  WsClient first = connect();
  WsClient second = connect();
  std::vector<WsClient> refused;
  std::vector<Frame> closes;
  for (int i = 0; i < 3; ++i) {
    refused.push_back(connect());
    closes.push_back(refused.back().receive_frame());
    CHECK_TRUE(closes.back().payload == close_payload(1008, "Server at maximum capacity"));
  }
  first.close();
  second.close();
  WsClient third = connect();
  third.expect_nothing();
  WsClient fourth = connect();
  fourth.expect_nothing();
  connect().expect_closed(1008, "Server at maximum capacity");
  // The refused ones were there all the time: only now they end.
  for (int i = 0; i < 3; ++i) {
    WsClient& each = refused[static_cast<std::size_t>(i)];
    each.send_frame(Opcode::kClose, close_payload(1008));
    each.expect_gone();
  }
  third.close();
  fourth.close();
  server().stop();
  const std::string log = server().process().errors();
  const std::string until_fourth = log.substr(0, log.rfind("connection refused"));
  LONGS_EQUAL(7 + 1, count_lines(log, {"connection opened"}));
  LONGS_EQUAL(2, count_lines(until_fourth, {"connection ended"}));
  LONGS_EQUAL(7 + 1, count_lines(log, {"connection ended"}));
}

// There may be 512 connections that are no WebSocket yet; with one more the oldest is cut.
TEST_GROUP_BASE(SilentPeers, ServerGroup) {
  static constexpr int kCount = 600;

  // A client that comes behind `kCount` others which say no more than `words`.
  void expect_served_behind(std::string_view words) {
    start({.plugins = {"echo"}, .server = "handshake_timeout_s = 3600"});
    std::vector<Stream> silent;
    for (int i = 0; i < kCount; ++i) {
      silent.emplace_back(server().addresses().at(0));
      CHECK_TRUE(silent.back().send(words));
    }
    const auto begin = std::chrono::steady_clock::now();
    WsClient a = connect();
    a.send_text(R"(["echo:s","echo",1])");
    a.expect(R"(["echo:s","echoed",1])");
    CHECK_TRUE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
    std::string bytes;
    CHECK_FALSE(silent.front().receive(bytes, Where::here()));
    LONGS_EQUAL(0, bytes.size());
  }
};

TEST(SilentPeers, any_number_of_them_keeps_nobody_out) {
  expect_served_behind("");
}

TEST(SilentPeers, any_number_of_halves_of_requests_keeps_nobody_out) {
  expect_served_behind("GET / HTTP/1.1\r\nHost: x\r\n");
}

TEST(SilentPeers, one_that_waited_among_them_is_served_when_it_speaks) {
  start({.plugins = {"echo"}, .server = "handshake_timeout_s = 3600"});
  std::vector<Stream> silent;
  for (int i = 0; i < kCount; ++i) silent.emplace_back(server().addresses().at(0));
  std::string rest;
  LONGS_EQUAL(101, http_request(silent.back(), Handshake().request(), rest).status);
}

TEST_GROUP_BASE(StubbornPlugins, ServerGroup) {
  void expect_second_signal_ends(int second) {
    start({.plugins = {"busy"}});
    WsClient a = connect();
    a.send_text(R"(["busy","busy",null])");
    server().wait_for_log({"busy for good"});
    server().process().signal(SIGTERM);
    server().wait_for_log({"a signal has arrived"});
    server().process().signal(second);
    const std::optional<Ending> ending = server().process().wait();
    server().forget();
    check(ending.has_value(), "the second signal does not end the server");
    LONGS_EQUAL(128 + second, ending->code);
  }
};

TEST(StubbornPlugins, a_timer_that_starts_itself_again_holds_nobody_up) {
  start({.plugins = {"again", "echo"}});
  WsClient a = connect();
  const Deadline deadline;
  for (long long count = 0; count < 20;) {
    CHECK_TRUE(deadline.milliseconds() > 0);
    a.send_text(R"(["echo:a","echo",1])");
    a.expect(R"(["echo:a","echoed",1])");
    count = std::stoll(payload_of(a.request(R"(["again","count",null])"), "again", "counted"));
  }
  server().process().signal(SIGTERM);
  a.expect_closed(1000, "Server shutting down");
  server().expect_clean_end();
}

TEST(StubbornPlugins, one_that_never_returns_is_ended_by_a_second_sigterm) {
  expect_second_signal_ends(SIGTERM);
}

TEST(StubbornPlugins, one_that_never_returns_is_ended_by_a_sigint_as_second) {
  expect_second_signal_ends(SIGINT);
}

// jackfield.h: a message may hold surrogates; a Close's reason may not (RFC 6455, 5.5.1).
TEST(StubbornPlugins, surrogates_in_a_kicks_message_are_replaced_in_the_close) {
  start({.plugins = {"odd_kick"}});
  const std::string replacement = "\xef\xbf\xbd";
  WsClient a = connect();
  a.send_text(R"(["odd_kick","one",null])");
  a.expect_closed(1008, "out " + replacement + replacement + replacement + " of here");
  WsClient b = connect();
  b.send_text(R"(["odd_kick","many",null])");
  std::string many;
  while (many.size() < 123) many += replacement;
  b.expect_closed(1008, many);
}

}  // namespace
