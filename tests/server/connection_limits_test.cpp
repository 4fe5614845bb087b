// What one address, or many who are refused, can take of the server: sockets, headers, time; and
// how fast those are noticed who are gone.
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/json.hpp"
#include "tests/support/own_address.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(ConnectionLimits, ServerGroup) {
  // Listens everywhere; `from_outside` connects by an address that counts.
  void start_open(const std::string& settings) {
    start({.plugins = {"echo"}, .server = settings, .listen = {"0.0.0.0:0"}});
    outside = server().addresses().at(0);
    outside.host = own_address();
  }
  Address outside;

  std::size_t descriptors() {
    const auto folder = "/proc/" + std::to_string(server().process().pid()) + "/fd";
    const std::filesystem::directory_iterator entries(folder);
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }
  // Of `jackfield status`.
  // One from outside that is served: when those before it that ended by themselves are noticed.
  WsClient connect_served(Where where = Where::here()) {
    const Deadline deadline;
    while (true) {
      WsClient next(outside);
      next.send_text(R"(["echo:h","echo",1])");
      if (next.receive_frame(where).opcode == Opcode::kText) return next;
      check(deadline.milliseconds() > 0, "those that have ended still count", where);
    }
  }
  std::string counted(const std::string& name) {
    const Finished asked = run_program({"/usr/bin/env",
                                        "RUNTIME_DIRECTORY=" + (server().folder().path() / "run").string(),
                                        jackfield_executable(), "status", "--json"});
    const std::size_t at = asked.output.find("\"" + name + "\":");
    check(at != std::string::npos, asked.output + asked.errors);
    const std::size_t begin = asked.output.find_first_of("0123456789", at);
    return asked.output.substr(begin, asked.output.find_first_not_of("0123456789", begin) - begin);
  }
  void expect_served(const Address& address, Where where = Where::here()) {
    WsClient client(address, {}, where);
    client.send_text(R"(["echo:h","echo",1])", where);
    client.expect(R"(["echo:h","echoed",1])", where);
  }
  // Until it ends.
  std::string all_of(Stream& stream) {
    std::string bytes;
    while (stream.receive(bytes, Where::here())) {
    }
    return bytes;
  }
};

}  // namespace

TEST(ConnectionLimits, one_address_has_so_many_and_others_go_on) {
  start_open("max_connections_per_address = 3");
  if (outside.host.empty()) return;
  WsClient a(outside);
  WsClient b(outside);
  {
    WsClient c(outside);
    WsClient(outside).expect_closed(1008, "Too many connections from your address");
    expect_served({"127.0.0.1", outside.port, ""});
    c.expect_nothing();
    c.close();
    c.expect_gone();
  }
  STRCMP_EQUAL("1", counted("addresses_over_limit").c_str());
  server().wait_for_log({"too many from one address", "peer=" + outside.host});
  WsClient c(outside);
  c.expect_nothing();
  a.expect_nothing();
}

TEST(ConnectionLimits, sockets_of_an_address_that_are_no_websocket_yet_count_too) {
  start_open("max_connections_per_address = 2");
  if (outside.host.empty()) return;
  Stream silent(outside);
  Stream half(outside);
  half.send("GET / HTTP/1.1\r\n");
  WsClient(outside).expect_closed(1008, "Too many connections from your address");
  silent.drop();
  half.drop();
}

TEST(ConnectionLimits, who_is_far_over_is_not_even_listened_to) {
  start_open("max_connections_per_address = 1\nclose_timeout_s = 0.1");
  if (outside.host.empty()) return;
  std::vector<Stream> silent;
  for (int i = 0; i < 1 + 16; ++i) silent.emplace_back(outside);
  for (int i = 0; i < 5; ++i) {
    Stream over(outside);
    STRCMP_EQUAL("", all_of(over).c_str());
  }
  STRCMP_EQUAL("5", counted("accepts_refused").c_str());
  expect_served({"127.0.0.1", outside.port, ""});
}

// However a connection ends, its address has it no more.
TEST(ConnectionLimits, ended_connections_of_an_address_do_not_count) {
  start_open("max_connections_per_address = 2\nmax_connections = 2\nhandshake_timeout_s = 0.1");
  if (outside.host.empty()) return;
  WsClient stays(outside);
  const Handshake other{.version = "8"};
  for (int i = 0; i < 30; ++i) {
    {
      WsClient closes = connect_served();
      closes.close();
      closes.expect_gone();
    }
    WsClient(outside).stream().reset();
    CHECK_TRUE(http_request(outside, other.request()).status == 426);
    CHECK_TRUE(http_request(outside, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").status == 426);
    Stream odd(outside);
    odd.send("odd\r\n\r\n");
    all_of(odd);
    Stream half(outside);
    half.send("GET / ");
    all_of(half);
    Stream(outside).reset();
  }
  connect_served();
  stays.expect_nothing();
}

TEST(ConnectionLimits, the_limit_of_an_address_changes_while_it_runs_and_zero_is_none) {
  start_open("max_connections_per_address = 0");
  if (outside.host.empty()) return;
  std::vector<WsClient> clients;
  for (int i = 0; i < 60; ++i) clients.emplace_back(outside);
  clients.back().expect_nothing();
}

// Nobody of them answers the server's Close, which they could do for a minute.
TEST(ConnectionLimits, a_flood_of_refused_connections_takes_few_descriptors_and_none_of_the_served) {
  start({.plugins = {"echo"}, .server = "max_connections = 3\nclose_timeout_s = 60"});
  WsClient a = connect();
  WsClient b = connect();
  WsClient c = connect();
  const std::size_t before = descriptors();
  std::vector<WsClient> refused;
  for (int i = 0; i < 500; ++i) {
    refused.push_back(connect());
    const Frame close = refused.back().receive_frame();
    CHECK_TRUE(close.opcode == Opcode::kClose);
  }
  CHECK(descriptors() <= before + 256 + 8);
  CHECK(std::stoi(counted("refused_cut")) >= 500 - 256);
  a.send_text(R"(["echo:h","echo",1])");
  a.expect(R"(["echo:h","echoed",1])");
  refused.clear();
  b.close();
  b.expect_gone();
  WsClient next = connect();
  next.expect_nothing();
}

// ---- what comes before the WebSocket

TEST(ConnectionLimits, headers_over_the_limit_end_the_connection_and_are_counted) {
  start({.plugins = {"echo"}});
  const Handshake fits{.headers = {"Cookie: x=" + std::string(3000, 'x')}};
  const Handshake large{.headers = {"Cookie: x=" + std::string(5000, 'x')}};
  connect(fits).expect_nothing();
  Stream stream(server().addresses().at(0));
  stream.send(large.request());
  CHECK_FALSE(all_of(stream).starts_with("HTTP/1.1 101"));
  STRCMP_EQUAL("1", counted("heads_too_large").c_str());
  server().stop();
  start({.plugins = {"echo"}, .server = "max_header_bytes = 16384"});
  connect(large).expect_nothing();
}

TEST(ConnectionLimits, a_request_that_does_not_come_in_time_is_answered) {
  start({.plugins = {"echo"}, .server = "handshake_timeout_s = 0.2"});
  Stream silent(server().addresses().at(0));
  Stream half(server().addresses().at(0));
  half.send("GET / HTTP/1.1\r\nHost: x\r\n");
  for (Stream* stream : {&silent, &half}) {
    const std::string answer = all_of(*stream);
    CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    CHECK(answer.ends_with("\r\n\r\nThe request did not come in its time.\n"));
  }
  STRCMP_EQUAL("2", counted("handshakes_timed_out").c_str());
}

TEST(ConnectionLimits, who_never_sends_a_message_is_closed_where_there_is_a_time_for_it) {
  start({.plugins = {"echo"}, .server = "first_message_timeout_s = 0.5"});
  WsClient talks = connect();
  talks.send_text(R"(["echo:h","echo",1])");
  talks.expect(R"(["echo:h","echoed",1])");
  WsClient silent = connect();
  silent.send_frame(Opcode::kPing, "x");
  const Frame pong = silent.receive_frame();
  CHECK_TRUE(pong.opcode == Opcode::kPong);
  silent.expect_closed(1008, "No message came");
  talks.expect_nothing();
  STRCMP_EQUAL("1", counted("first_messages_missed").c_str());
}

// ---- who is gone

// It takes nothing and says nothing, as one that has vanished with the network.
TEST(ConnectionLimits, a_peer_that_vanished_while_there_is_something_for_it_is_noticed) {
  start({.plugins = {"flood"}, .server = "ping_interval_s = 0.3\nping_timeout_s = 0.3"});
  WsClient gone = connect({.receive_buffer = 4096});
  gone.send_text(R"(["flood:x","me",100])");
  server().wait_for_log({"connection lost: no answer to pings"});
  STRCMP_EQUAL("1", counted("heartbeats_missed").c_str());
}

TEST(ConnectionLimits, half_open_connections_do_not_pile_up) {
  start({.plugins = {"echo"},
         .server = "handshake_timeout_s = 0.3\nping_interval_s = 0.3\nping_timeout_s = 0.3"});
  const std::size_t before = descriptors();
  std::vector<Stream> silent;
  std::vector<WsClient> mute;
  for (int i = 0; i < 50; ++i) {
    silent.emplace_back(server().addresses().at(0));
    mute.push_back(connect());
  }
  server().wait_for_logs(10, {"connection lost: no answer to pings"});
  const Deadline deadline;
  while (descriptors() > before && deadline.milliseconds() > 0) {
    expect_served(server().addresses().at(0));
  }
  CHECK(descriptors() <= before);
}
