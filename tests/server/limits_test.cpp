// What is bounded: messages, names, subscriptions, and what waits for one that does not read.
#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"
#include "tests/unit/wire_json_table.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using json_table::repeated;

TEST_GROUP_BASE(Limits, ServerGroup) {
  // The next message is an error on topic `error` that says INVALID_PAYLOAD.
  void expect_invalid(WsClient& client, Where where = Where::here()) {
    const std::string error = payload_of(client.receive(where), "error", "error", where);
    check(string_member(error, "code", where) == "INVALID_PAYLOAD", error, where);
  }
};

TEST(Limits, a_message_over_the_limit_closes_with_1009) {
  start({.plugins = {"echo"}, .server = "max_message_bytes = 4096"});
  const std::string head = R"(["echo:l","echo",")";
  WsClient a = connect();
  const std::string payload(4096 - head.size() - 2, 'x');
  a.send_text(head + payload + "\"]");
  a.expect_bytes(R"(["echo:l","echoed",")" + payload + "\"]");
  a.send_text(head + payload + "x\"]");
  a.expect_closed(1009);
}

TEST(Limits, a_message_over_the_limit_in_fragments_closes_with_1009) {
  start({.plugins = {"echo"}, .server = "max_message_bytes = 4096"});
  WsClient a = connect();
  a.send_frame(Opcode::kText, std::string(3000, ' '), {.final = false});
  a.send_frame(Opcode::kContinuation, std::string(3000, ' '), {.final = false});
  a.expect_closed(1009);
}

TEST(Limits, a_claimed_length_over_the_limit_costs_no_memory) {
  start({.plugins = {"echo"}, .server = kDoesNotWaitForCloses});
  const std::size_t before = server().resident_kib();
  std::vector<WsClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    clients.back().send_bytes(
        frame_bytes(Opcode::kText, "[", {.length_bytes = 8, .length = std::uint64_t{1} << 40}));
  }
  for (WsClient& each : clients) each.expect_closed(1009);
  server().expect_grown_less(before, 32 * 1024);
}

TEST(Limits, a_large_message_is_taken_by_default) {
  start({.plugins = {"echo"}});
  WsClient a = connect();
  const std::string payload((4 << 20) - 100, 'x');
  a.send_text(R"(["echo:l","echo",")" + payload + "\"]");
  a.expect_bytes(R"(["echo:l","echoed",")" + payload + "\"]");
}

TEST(Limits, any_size_of_the_read_buffer_will_do) {
  for (const int buffer : {128, 129, 1000, 4096, 65536}) {
    start({.plugins = {"echo"}, .server = "read_buffer_bytes = " + std::to_string(buffer)});
    WsClient a = connect();
    for (const std::size_t size : {1u, 125u, 126u, 127u, 128u, 129u, 1000u, 4096u, 65536u, 100000u}) {
      const std::string payload(size, 'x');
      const std::string message = R"(["echo:l","echo",")" + payload + "\"]";
      a.send_text(message);
      a.expect_bytes(R"(["echo:l","echoed",")" + payload + "\"]");
      a.send_frame(Opcode::kText, message.substr(0, size), {.final = false});
      a.send_frame(Opcode::kPing, std::string(125, 'p'));
      const Frame pong = a.receive_frame();
      CHECK_TRUE(pong.opcode == Opcode::kPong);
      CHECK_TRUE(pong.payload == std::string(125, 'p'));
      a.send_frame(Opcode::kContinuation, message.substr(size));
      a.expect_bytes(R"(["echo:l","echoed",")" + payload + "\"]");
    }
    a.stream().drop();
    server().stop();
  }
}

TEST(Limits, each_connection_has_a_read_buffer_of_its_own) {
  // So many KiB more are taken from the system, once 40 clients have each sent 60,000 octets.
  const auto growth = [this](const char* setting) {
    start({.plugins = {"echo"}, .server = setting});
    const std::size_t before = server().data_kib();
    std::vector<WsClient> clients;
    for (int i = 0; i < 40; ++i) {
      clients.push_back(connect());
      clients.back().send_text(R"(["echo:l","echo",")" + std::string(60'000, 'x') + "\"]");
      clients.back().expect_bytes(R"(["echo:l","echoed",")" + std::string(60'000, 'x') + "\"]");
    }
    const std::size_t after = server().data_kib();
    clients.clear();
    server().stop();
    CHECK_TRUE(after >= before);
    return after - before;
  };
  const std::size_t small = growth("read_buffer_bytes = 128");
  const std::size_t large = growth("read_buffer_bytes = 65536");
  if (kMeasuresMemory) {
    CHECK_TRUE(large > small + 40 * 50);
  } else {
    say_memory_is_not_measured();
  }
}

TEST(Limits, a_topic_over_the_limit_is_an_invalid_payload) {
  start({.plugins = {"echo"}, .server = "max_topic_bytes = 20"});
  WsClient a = connect();
  const std::string longest = "echo:" + std::string(15, 'x');
  a.send_text("[\"" + longest + "\",\"echo\",1]");
  a.expect("[\"" + longest + "\",\"echoed\",1]");
  for (const char* event : {"echo", "subscribe", "unsubscribe"}) {
    a.send_text("[\"" + longest + "x\",\"" + event + "\",1]");
    expect_invalid(a);
  }
  a.send_text(R"(["echo:l","echo",2])");
  a.expect(R"(["echo:l","echoed",2])");
}

TEST(Limits, an_event_over_the_limit_is_an_invalid_payload) {
  start({.plugins = {"echo"}, .server = "max_event_bytes = 12"});
  WsClient a = connect();
  a.send_text(R"(["echo:l","123456789012",1])");
  a.send_text(R"(["echo:l","1234567890123",1])");
  expect_invalid(a);
  a.send_text(R"(["echo:l","subscribe",1])");
  a.expect(R"(["echo:l","subscribed",{}])");
}

TEST(Limits, the_default_limits_of_names) {
  start({.plugins = {"echo"}});
  WsClient a = connect();
  const std::string name(512 - 5, 'x');
  a.send_text("[\"echo:" + name + "\",\"echo\",1]");
  a.expect("[\"echo:" + name + "\",\"echoed\",1]");
  a.send_text("[\"echo:" + name + "x\",\"echo\",1]");
  expect_invalid(a);
  a.send_text("[\"echo:l\",\"" + std::string(129, 'e') + "\",1]");
  expect_invalid(a);
  a.expect_nothing();
}

TEST(Limits, a_name_is_measured_unescaped_in_octets) {
  start({.plugins = {"echo"}, .server = "max_topic_bytes = 7"});
  WsClient a = connect();
  a.send_text(R"(["\u0065\u0063\u0068\u006f\u003a\u00fc","echo",1])");
  a.expect(R"(["echo:ü","echoed",1])");
  a.send_text(R"(["echo:üx","echo",1])");
  expect_invalid(a);
}

TEST(Limits, a_nul_in_a_name_is_an_invalid_payload) {
  start({.plugins = {"echo"}});
  WsClient a = connect();
  for (const char* message : {R"(["echo:\u0000","echo",1])", R"(["echo:a\u0000b","subscribe",1])",
                              R"(["echo:a\u0000b","unsubscribe",1])", R"(["\u0000","echo",1])",
                              R"(["echo:a","e\u0000",1])", R"(["echo:a","echo\u0000",1])",
                              R"(["echo:a","subscribe\u0000",1])"}) {
    a.send_text(message);
    expect_invalid(a);
  }
  a.expect_nothing();
}

TEST(Limits, other_control_characters_in_names_are_taken) {
  start({.plugins = {"echo"}});
  WsClient a = connect();
  a.send_text(R"(["echo:\u0001\u001f\n","echo",1])");
  a.expect(R"(["echo:\u0001\u001f\n","echoed",1])");
}

TEST(Limits, too_many_subscriptions_are_refused) {
  start({.plugins = {"echo"}, .server = "max_subscriptions = 3"});
  WsClient a = connect();
  for (const char* name : {"1", "2", "3", "2"}) {
    a.send_text("[\"echo:" + std::string(name) + "\",\"subscribe\",null]");
    a.expect("[\"echo:" + std::string(name) + "\",\"subscribed\",{}]");
    a.receive();
  }
  a.send_text(R"(["echo:4","subscribe",null])");
  const std::string error = payload_of(a.receive(), "echo:4", "error");
  STRCMP_EQUAL("LIMIT_EXCEEDED", string_member(error, "code").c_str());
  a.send_text(R"(["echo:1","unsubscribe",null])");
  a.expect(R"(["echo:1","unsubscribed",{}])");
  a.send_text(R"(["echo:4","subscribe",null])");
  a.expect(R"(["echo:4","subscribed",{}])");
  WsClient b = connect();
  b.send_text(R"(["echo:9","subscribe",null])");
  b.expect(R"(["echo:9","subscribed",{}])");
}

// ---- how fast a client may send

TEST_GROUP_BASE(Rates, ServerGroup) {
  void start_with(const std::string& limits) {
    start({.plugins = {"echo"},
           .server = "ping_interval_s = 0\n" + limits,
           .has_rates = true});
  }
  static std::string event(int number) {
    return R"(["echo:a","echo",)" + std::to_string(number) + "]";
  }
};

TEST(Rates, too_many_messages_are_refused_and_then_the_connection_is_closed) {
  start_with("max_messages_per_s = 1");
  WsClient a = connect();
  WsClient other = connect();
  for (int i = 0; i < 12; ++i) a.send_text(event(i));
  int handled = 0;
  int refused = 0;
  while (const std::optional<Frame> frame = a.receive_frame_or_end(Where::here())) {
    if (frame->opcode == Opcode::kClose) {
      check(frame->payload.starts_with(close_payload(1008)), "not closed with 1008");
      break;
    }
    const bool is_refused = frame->payload.find("LIMIT_EXCEEDED") != std::string::npos;
    ++(is_refused ? refused : handled);
  }
  CHECK_TRUE(handled >= 4 && handled < 8);
  LONGS_EQUAL(3, refused);  // the fourth closes
  other.send_text(event(1));
  other.expect(R"(["echo:a","echoed",1])");
}

TEST(Rates, a_client_that_keeps_to_them_is_not_refused) {
  start_with("");
  WsClient a = connect();
  for (int i = 0; i < 1500; ++i) a.send_text(event(i));
  for (int i = 0; i < 1500; ++i) a.expect(R"(["echo:a","echoed",)" + std::to_string(i) + "]");
}

TEST(Rates, pongs_that_nobody_asked_for_count_as_messages) {
  start_with("max_messages_per_s = 1");
  WsClient a = connect();
  for (int i = 0; i < 4; ++i) a.send_bytes(frame_bytes(Opcode::kPong, "x"));
  a.send_text(event(1));
  a.expect(
      R"(["echo:a","error",{"code":"LIMIT_EXCEEDED","message":"Too many messages"}])");
  for (int i = 0; i < 8; ++i) a.send_bytes(frame_bytes(Opcode::kPong, "x"));
  a.expect_closed(1008, "Too many messages");
}

TEST(Rates, small_fragments_count_as_messages) {
  start_with("max_messages_per_s = 1");
  WsClient a = connect();
  std::string fragments = frame_bytes(Opcode::kText, "[", {.final = false});
  for (int i = 0; i < 20; ++i) {
    fragments += frame_bytes(Opcode::kContinuation, " ", {.final = false});
  }
  a.send_bytes(fragments);
  a.expect_closed(1008, "Too many messages");
}

// Three are in the middle of a large message, and one of them has sent more of it than its share.
TEST(Rates, messages_that_have_come_in_part_have_one_budget) {
  start_with("max_incoming_bytes = 800000\nmax_connections = 4");
  const auto begin = [](WsClient& client, std::size_t octets) {
    client.send_frame(Opcode::kText, "\"" + std::string(octets, 'x'), {.final = false});
    client.send_frame(Opcode::kPing, "read");
    const auto answer = client.receive_frame_or_end();
    CHECK(answer && answer->opcode == Opcode::kPong);
  };
  WsClient a = connect();
  WsClient b = connect();
  WsClient greedy = connect();
  begin(a, 260'000);
  begin(b, 260'000);
  begin(greedy, 262'000);
  // Those that send less get through.
  WsClient modest = connect();
  const std::string text = "\"" + std::string(20'000, 'x') + "\"";
  for (int i = 0; i < 300; ++i) {
    modest.send_text(R"(["echo:a","echo",)" + text + "]");
    modest.expect_bytes(R"(["echo:a","echoed",)" + text + "]");
  }
  greedy.send_frame(Opcode::kContinuation, std::string(100'000, 'x'), {.final = false});
  greedy.expect_closed(1013, "Too much has come in part");
  a.send_frame(Opcode::kContinuation, std::string(1'000, 'x') + "\"");
  a.expect(
      R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Message must be [topic, event, payload]"}])");
}

// One that never reads must neither grow the server nor slow the others.
TEST_GROUP_BASE(SlowConsumer, ServerGroup) {
  // After this its socket has ended: the Close with 1013 may or may not have got through.
  void expect_dropped(WsClient& client, Where where = Where::here()) {
    while (const std::optional<Frame> frame = client.receive_frame_or_end(where)) {
      if (frame->opcode != Opcode::kClose) continue;
      check(frame->payload.starts_with(close_payload(1013)), "not closed with 1013", where);
    }
  }
};

TEST(SlowConsumer, of_broadcasts_is_closed_with_1013_and_others_get_everything) {
  start({.plugins = {"flood"},
         .server = "close_timeout_s = 0.5\nmax_message_bytes = 65536\nmax_outbox_bytes = 1048576"});
  WsClient stuck = connect({.receive_buffer = 4096});
  stuck.send_text(R"(["flood:all","subscribe",null])");
  stuck.expect(R"(["flood:all","subscribed",{}])");
  WsClient reader = connect();
  reader.send_text(R"(["flood:all","subscribe",null])");
  reader.expect(R"(["flood:all","subscribed",{}])");
  WsClient caller = connect();
  caller.send_text(R"(["flood:watch","subscribe",null])");
  caller.receive();
  const std::size_t before = server().resident_kib();
  long long subscribers = 2;
  int rounds = 0;
  for (; rounds < 1000 && subscribers == 2; ++rounds) {
    caller.send_text(R"(["flood:x","all",2])");
    LONGS_EQUAL(65536 + 22, reader.receive().size());
    LONGS_EQUAL(65536 + 22, reader.receive().size());
    const std::string told = payload_of(caller.receive(), "flood:watch", "flooded");
    subscribers = std::stoll(told.substr(told.find(',') + 1));
  }
  LONGS_EQUAL(1, subscribers);
  server().expect_grown_less(before, 24 * 1024);
  expect_dropped(stuck);
  server().wait_for_log({"level=warning", "slow consumer"});
  reader.expect_nothing();
  caller.expect_nothing();
}

// Under the other policies nobody is closed, and what may be kept is there when it reads at last.
TEST(SlowConsumer, of_a_topic_whose_messages_may_be_dropped_stays) {
  for (const std::string policy : {"drop_oldest", "drop_new", "latest"}) {
    start({.plugins = {"flood"},
           .server = "max_message_bytes = 65536\nmax_outbox_bytes = 1048576\n"
                     "soft_outbox_bytes = 524288",
           .tables = "[[backlog]]\ntopics = [\"flood:all\"]\npolicy = \"" + policy + "\"\n"});
    WsClient stuck = connect({.receive_buffer = 4096});
    stuck.send_text(R"(["flood:all","subscribe",null])");
    stuck.expect(R"(["flood:all","subscribed",{}])");
    WsClient caller = connect();
    caller.send_text(R"(["flood:watch","subscribe",null])");
    caller.receive();
    const std::size_t before = server().resident_kib();
    constexpr int kRounds = 500;
    for (int i = 0; i < kRounds; ++i) {
      caller.send_text(R"(["flood:x","all",2])");
      caller.expect(R"(["flood:watch","flooded",[2,1]])");
    }
    server().expect_grown_less(before, 24 * 1024);
    server().wait_for_log({"level=warning", "slow consumer"});
    stuck.send_text(R"(["flood:all","unsubscribe",null])");
    int received = 0;
    while (stuck.receive().size() == 65536 + 22) ++received;
    CHECK_TRUE(received > 0);
    CHECK_TRUE(received < 2 * kRounds);
    stuck.expect_nothing();
    caller.expect_nothing();
  }
}

TEST(SlowConsumer, of_its_own_answers_is_closed_or_stopped_from_asking) {
  start({.plugins = {"echo"}, .server = "max_message_bytes = 65536\nmax_outbox_bytes = 1048576"});
  WsClient greedy = connect({.receive_buffer = 4096});
  WsClient other = connect();
  const std::size_t before = server().resident_kib();
  const std::string request =
      frame_bytes(Opcode::kText, R"(["echo:l","echo",")" + std::string(60000, 'x') + "\"]");
  // Until the server stops reading or closes: 64 MiB would be far over every buffer there is.
  std::size_t sent = 0;
  std::string left;
  bool is_stopped = false;
  while (sent < 64 << 20 && !is_stopped) {
    if (left.empty()) left = request;
    const std::optional<std::size_t> some = greedy.stream().send_some(left);
    if (!some) break;
    sent += *some;
    left.erase(0, *some);
    other.send_text(R"(["echo:o","echo",1])");
    other.expect(R"(["echo:o","echoed",1])");
    if (*some == 0) {
      other.send_text(R"(["echo:o","echo",2])");
      other.expect(R"(["echo:o","echoed",2])");
      is_stopped = greedy.stream().send_some(left).value_or(0) == 0;
    }
  }
  CHECK_TRUE(sent < 64 << 20);
  server().expect_grown_less(before, 24 * 1024);
}

TEST(SlowConsumer, a_burst_within_the_bound_is_delivered) {
  start({.plugins = {"flood"}});
  WsClient watcher = connect();
  watcher.send_text(R"(["flood:watch","subscribe",null])");
  watcher.receive();
  WsClient slow = connect({.receive_buffer = 4096});
  slow.send_text(R"(["flood:x","me",100])");
  watcher.expect(R"(["flood:watch","flooded",[100,0]])");
  for (int i = 0; i < 100; ++i) LONGS_EQUAL(65536 + 20, slow.receive().size());
  slow.expect_nothing();
}

}  // namespace
