// Peers and plugins that do not do their part: refused ones that stay, connections that say
// nothing, frames behind the end, and plugins that never let go of the loop.
#include <csignal>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(StubbornPeers, ServerGroup) {
  static std::vector<std::string> violations() {
    std::vector<std::string> frames{
        frame_bytes(static_cast<Opcode>(3), ""), frame_bytes(Opcode::kContinuation, "x"),
        frame_bytes(Opcode::kPing, std::string(126, 'x')),
        frame_bytes(Opcode::kClose, close_payload(1000), {.reserved = 4})};
    for (std::uint8_t bits = 1; bits <= 7; ++bits) {
      frames.push_back(frame_bytes(Opcode::kText, "x", {.reserved = bits}));
    }
    return frames;
  }

  // How many Close frames come to the end, `frame` among them; nothing else may.
  int count_closes(WsClient& client, std::optional<Frame> frame) {
    int count = 0;
    for (; frame; frame = client.receive_frame_or_end()) {
      check(frame->opcode == Opcode::kClose, "something else than a Close");
      ++count;
    }
    return count;
  }

  const std::string not_utf8_ = frame_bytes(Opcode::kText, "[\"\xff\"]");
};

// RFC 6455, 5.5.1: a Close is the last frame that its sender sends.
TEST(StubbornPeers, a_violation_behind_the_servers_close_brings_no_second_one) {
  start({.plugins = {"echo"}, .server = "close_timeout_s = 3600"});
  for (const std::string& violation : violations()) {
    WsClient a = connect();
    a.send_bytes(not_utf8_);
    const Frame close = a.receive_frame();
    CHECK_TRUE(close.payload.starts_with(close_payload(1007)));
    a.send_bytes(violation);
    LONGS_EQUAL(1, count_closes(a, close));
  }
}

// The server may name either of the two. It waits for an answer as long as it would for any Close.
TEST(StubbornPeers, two_violations_at_once_bring_one_close) {
  start({.plugins = {"echo"}, .server = "close_timeout_s = 0.05"});
  for (const std::string& violation : violations()) {
    WsClient a = connect();
    a.send_bytes(not_utf8_ + violation);
    const Frame close = a.receive_frame();
    CHECK_TRUE(close.payload.starts_with(close_payload(1007)) ||
               close.payload.starts_with(close_payload(1002)));
    LONGS_EQUAL(1, count_closes(a, close));
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
  const std::string until_last_refusal = log.substr(0, log.rfind("connection refused"));
  LONGS_EQUAL(7 + 1, count_lines(log, {"connection opened"}));
  LONGS_EQUAL(2, count_lines(until_last_refusal, {"connection ended"}));
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
    while (silent.front().receive(bytes, Where::here())) {
    }
    CHECK_TRUE(bytes.empty() || bytes.starts_with("HTTP/1.1 503 "));
  }
};

TEST(SilentPeers, any_number_of_them_keeps_nobody_out) { expect_served_behind(""); }

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
