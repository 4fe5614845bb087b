// Connections as a whole: how many there may be, how they end, and that one's end is nobody else's.
#include <csignal>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Capacity, ServerGroup) {
  void expect_full(Where where = Where::here()) {
    WsClient refused = connect({}, where);
    refused.expect_closed(1008, "Server at maximum capacity", true, where);
  }
};

TEST(Capacity, a_hundred_are_served_and_one_more_is_closed_with_1008) {
  start({.plugins = {"echo"}});
  std::vector<WsClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(connect());
    clients.back().send_text(R"(["echo:c","echo",)" + std::to_string(i) + "]");
  }
  for (int i = 0; i < 100; ++i) {
    clients[static_cast<std::size_t>(i)].expect(R"(["echo:c","echoed",)" + std::to_string(i) + "]");
  }
  expect_full();
  expect_full();
  clients[50].close();
  WsClient next = connect();
  next.expect_nothing();
  expect_full();
  for (WsClient& each : clients) {
    if (&each != &clients[50]) each.expect_nothing();
  }
}

TEST(Capacity, the_limit_is_configured) {
  start({.plugins = {"echo"}, .server = "max_connections = 2"});
  WsClient a = connect();
  WsClient b = connect();
  expect_full();
  a.expect_nothing();
  b.expect_nothing();
}

TEST(Capacity, one_that_is_refused_gets_no_service) {
  start({.plugins = {"echo"}, .server = "max_connections = 1"});
  WsClient a = connect();
  a.send_text(R"(["echo:c","subscribe",null])");
  a.receive();
  a.receive();
  WsClient refused = connect();
  refused.send_text(R"(["echo:c","say",{"text":"x"}])");
  refused.expect_closed(1008, "Server at maximum capacity");
  a.expect_nothing();
}

TEST(Capacity, one_that_vanishes_makes_room) {
  start({.plugins = {"leaves", "echo"}, .server = "max_connections = 2"});
  WsClient a = connect();
  a.send_text(R"(["leaves:watch","subscribe",null])");
  a.expect(R"(["leaves:watch","subscribed",{}])");
  WsClient b = connect();
  b.send_text(R"(["leaves:b","subscribe",null])");
  b.expect(R"(["leaves:b","subscribed",{}])");
  expect_full();
  b.stream().reset();
  a.receive();  // of its leave
  WsClient c = connect();
  c.expect_nothing();
}

TEST_GROUP_BASE(Vanishing, ServerGroup) {
  void setup() override {
    start({.plugins = {"leaves", "echo"}});
    client("W").send_text(R"(["leaves:watch","subscribe",null])");
    client("W").expect(R"(["leaves:watch","subscribed",{}])");
  }

  WsClient joined(Where where = Where::here()) {
    WsClient made = connect({}, where);
    made.send_text(R"(["leaves:a","subscribe",null])", where);
    made.expect(R"(["leaves:a","subscribed",{}])", where);
    return made;
  }

  void expect_left(Where where = Where::here()) {
    const std::string payload =
        payload_of(client("W").receive(where), "leaves:watch", "left", where);
    check(string_member(payload, "topic", where) == "leaves:a", payload, where);
    check(integer_member(payload, "reason", where) == 2, payload, where);
    client("W").expect_nothing(where);
  }
};

TEST(Vanishing, a_reset_ends_its_subscriptions) {
  joined().stream().reset();
  expect_left();
}

TEST(Vanishing, an_end_without_a_close_ends_its_subscriptions) {
  joined().stream().drop();
  expect_left();
}

TEST(Vanishing, a_half_closed_connection_ends) {
  WsClient a = joined();
  a.stream().finish();
  expect_left();
  a.expect_gone();
}

TEST(Vanishing, an_end_within_a_frame_ends_its_subscriptions) {
  WsClient a = joined();
  const std::string bytes = frame_bytes(Opcode::kText, R"(["echo:a","echo",1])");
  a.send_bytes(bytes.substr(0, bytes.size() / 2));
  a.stream().drop();
  expect_left();
}

TEST(Vanishing, a_reset_while_answers_are_on_their_way) {
  WsClient a = joined();
  std::string all;
  const std::string letters(20000, 'x');
  for (int i = 0; i < 100; ++i) {
    all += frame_bytes(Opcode::kText, R"(["echo:a","echo",")" + letters + "\"]");
  }
  a.send_bytes(all);
  a.receive();
  a.stream().reset();
  expect_left();
}

TEST(Vanishing, many_at_once_while_others_go_on) {
  std::vector<WsClient> vanishing;
  for (int i = 0; i < 50; ++i) vanishing.push_back(connect());
  WsClient staying = connect();
  for (WsClient& each : vanishing) each.stream().reset();
  for (int i = 0; i < 20; ++i) {
    staying.send_text(R"(["echo:a","echo",1])");
    staying.expect(R"(["echo:a","echoed",1])");
  }
}

// Pings (RFC 6455, 5.5.2) find out who is still there.
TEST_GROUP_BASE(Heartbeat, ServerGroup) {};

TEST(Heartbeat, one_that_never_answers_is_given_up) {
  start({.plugins = {"leaves"}, .server = "ping_interval_s = 0.2\nping_timeout_s = 0.2"});
  WsClient silent = connect();
  silent.send_text(R"(["leaves:a","subscribe",null])");
  silent.receive_frame();
  const Frame ping = silent.receive_frame();
  CHECK_TRUE(ping.opcode == Opcode::kPing);
  silent.expect_gone();
  server().wait_for_log({"somebody left", "topic=leaves:a", "why=2"});
}

TEST(Heartbeat, one_that_answers_is_kept) {
  start({.plugins = {"echo"}, .server = "ping_interval_s = 0.1\nping_timeout_s = 20"});
  WsClient a = connect();
  for (int i = 0; i < 5; ++i) {
    const Frame ping = a.receive_frame();
    CHECK_TRUE(ping.opcode == Opcode::kPing);
    a.send_frame(Opcode::kPong, ping.payload);
  }
  a.send_text(R"(["echo:a","echo",1])");
  a.expect(R"(["echo:a","echoed",1])");
}

TEST(Heartbeat, no_pings_where_the_interval_is_zero) {
  start({.plugins = {"timers"}, .server = "ping_interval_s = 0\nping_timeout_s = 0.01"});
  WsClient a = connect();
  a.send_text(R"(["timers:watch","subscribe",null])");
  a.receive();
  a.send_text(R"(["timers:watch","order",null])");
  for (int i = 0; i < 3; ++i) CHECK_TRUE(a.receive_frame().opcode == Opcode::kText);
}

// What ends when the server does.
TEST_GROUP_BASE(Shutdown, ServerGroup) {
  void expect_all_closed(int signal) {
    std::vector<WsClient> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(connect());
      clients.back().expect_nothing();
    }
    server().process().signal(signal);
    for (WsClient& each : clients) each.expect_closed(1000, "Server shutting down");
    server().expect_clean_end();
  }
};

TEST(Shutdown, sigterm_closes_everyone_with_1000) {
  start({.plugins = {"echo"}});
  expect_all_closed(SIGTERM);
}

TEST(Shutdown, sigint_closes_everyone_with_1000) {
  start({.plugins = {"echo"}});
  expect_all_closed(SIGINT);
}

TEST(Shutdown, what_waits_is_delivered_first) {
  start({.plugins = {"flood"}});
  WsClient watcher = connect();
  watcher.send_text(R"(["flood:watch","subscribe",null])");
  watcher.receive();
  WsClient slow = connect({.receive_buffer = 4096});
  slow.send_text(R"(["flood:x","me",100])");
  watcher.expect(R"(["flood:watch","flooded",[100,0]])");
  server().process().signal(SIGTERM);
  watcher.expect_closed(1000, "Server shutting down");
  for (int i = 0; i < 100; ++i) LONGS_EQUAL(65536 + 20, slow.receive().size());
  slow.expect_closed(1000, "Server shutting down");
  server().expect_clean_end();
}

TEST(Shutdown, what_was_asked_before_it_is_not_half_done) {
  start({.plugins = {"slow", "echo"}});
  WsClient a = connect();
  WsClient b = connect();
  a.send_text(R"(["slow","sleep",300])");
  b.send_text(R"(["echo:s","echo",1])");
  a.expect(R"(["slow","awake",true])");
  b.expect(R"(["echo:s","echoed",1])");
  server().process().signal(SIGTERM);
  a.expect_closed(1000, "Server shutting down");
  b.expect_closed(1000, "Server shutting down");
  server().expect_clean_end();
}

TEST(Shutdown, nobody_is_accepted_any_more) {
  // A Unix socket, since a port could be another test's server's by then.
  const TemporaryFolder folder;
  start({.plugins = {"echo"},
         .server = "shutdown_timeout_s = 60\nclose_timeout_s = 60",
         .listen = {"unix:" + (folder.path() / "socket").string()}});
  WsClient a = connect();
  a.expect_nothing();
  server().process().signal(SIGTERM);
  const Frame close = a.receive_frame();
  CHECK_TRUE(close.opcode == Opcode::kClose);
  // The server waits for our Close, and no longer listens.
  CHECK_FALSE(Stream::is_accepted(server().addresses().at(0)));
  a.send_frame(Opcode::kClose, close.payload.substr(0, 2));
  server().expect_clean_end();
}

TEST(Shutdown, one_that_does_not_answer_the_close_does_not_hold_it_up) {
  start({.plugins = {"echo"}, .server = "shutdown_timeout_s = 0.3\nclose_timeout_s = 60"});
  WsClient mute = connect();
  mute.expect_nothing();
  server().process().signal(SIGTERM);
  server().expect_clean_end();
}

TEST(Shutdown, one_that_does_not_read_does_not_hold_it_up) {
  start({.plugins = {"flood"}, .server = "shutdown_timeout_s = 0.3\nclose_timeout_s = 60"});
  WsClient watcher = connect();
  watcher.send_text(R"(["flood:watch","subscribe",null])");
  watcher.receive();
  WsClient stuck = connect({.receive_buffer = 4096});
  stuck.send_text(R"(["flood:x","me",100])");
  watcher.expect(R"(["flood:watch","flooded",[100,0]])");
  server().process().signal(SIGTERM);
  server().expect_clean_end();
}

TEST(Shutdown, a_second_signal_exits_at_once) {
  start({.plugins = {"echo"}, .server = "shutdown_timeout_s = 3600\nclose_timeout_s = 3600"});
  WsClient mute = connect();
  mute.expect_nothing();
  server().process().signal(SIGTERM);
  CHECK_TRUE(mute.receive_frame().opcode == Opcode::kClose);
  server().process().signal(SIGTERM);
  const std::optional<Ending> ending = server().process().wait();
  CHECK_TRUE(ending.has_value());
  server().forget();
}

TEST(Shutdown, an_idle_server_ends) {
  start({.plugins = {"echo"}});
  server().stop();
}

TEST(Shutdown, connections_that_have_not_upgraded_do_not_hold_it_up) {
  start({.plugins = {"echo"}, .server = "handshake_timeout_s = 3600"});
  Stream silent(server().addresses().at(0));
  WsClient a = connect();
  a.expect_nothing();
  server().process().signal(SIGTERM);
  a.expect_closed(1000, "Server shutting down");
  server().expect_clean_end();
}

TEST(Shutdown, private_copies_of_plugins_are_removed) {
  start({.plugins = {"echo", "leaves"}});
  server().stop();
  // What stays is the count of crashes, for the next start.
  for (const auto& entry : std::filesystem::directory_iterator(server().folder().path() / "run")) {
    STRNCMP_EQUAL("jackfield-crashes-", entry.path().filename().c_str(), 18);
  }
}

}  // namespace
