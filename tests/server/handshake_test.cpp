// The opening handshake (RFC 6455, 4.2) and what HTTP requests get that do not ask for it rightly.
#include <chrono>

#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Handshakes, ServerGroup) {
  Response ask(const Handshake& handshake, Where where = Where::here()) {
    return http_request(server().addresses().at(0), handshake.request(), where);
  }

  void expect_refused(const Handshake& handshake, Where where = Where::here()) {
    const Response response = ask(handshake, where);
    check(response.status == 400, "expected a 400 but got: " + response.head, where);
  }

  void expect_served(const Handshake& handshake, Where where = Where::here()) {
    WsClient client = connect(handshake, where);
    client.send_text(R"(["echo:h","echo",1])", where);
    client.expect(R"(["echo:h","echoed",1])", where);
  }
};

TEST(Handshakes, any_path_is_served_where_none_is_configured) {
  start({.plugins = {"echo"}});
  for (const char* path : {"/", "/ws", "/a/b/c", "/?query=1", "/%20?a=b&c=d"}) {
    expect_served({.path = path});
  }
}

TEST(Handshakes, only_the_configured_path_is_served) {
  start({.plugins = {"echo"}, .server = "path = \"/ws\""});
  expect_served({.path = "/ws"});
  expect_served({.path = "/ws?token=1"});
  for (const char* path : {"/", "/w", "/ws/", "/wss", "/WS", "/ws/x"}) {
    LONGS_EQUAL(404, ask({.path = path}).status);
  }
}

TEST(Handshakes, no_subprotocol_is_offered_and_none_is_chosen) {
  start({.plugins = {"echo"}});
  WsClient a = connect();
  STRCMP_EQUAL("", a.response().header("Sec-WebSocket-Protocol").c_str());
}

// A browser fails the connection where it offered subprotocols and none was chosen, so the first
// one is, as in the reference's ws library.
TEST(Handshakes, of_unknown_subprotocols_the_first_is_chosen) {
  start({.plugins = {"echo"}});
  WsClient a = connect({.headers = {"Sec-WebSocket-Protocol: chat.v9, other"}});
  STRCMP_EQUAL("chat.v9", a.response().header("Sec-WebSocket-Protocol").c_str());
  a.send_text(R"(["echo:h","echo",1])");
  a.expect(R"(["echo:h","echoed",1])");
}

TEST(Handshakes, one_unknown_subprotocol_is_chosen) {
  start({.plugins = {"echo"}});
  WsClient a = connect({.headers = {"Sec-WebSocket-Protocol: jackfield.v99"}});
  STRCMP_EQUAL("jackfield.v99", a.response().header("Sec-WebSocket-Protocol").c_str());
}

TEST(Handshakes, header_names_and_tokens_have_no_case) {
  start({.plugins = {"echo"}});
  expect_served({.upgrade = "WebSocket", .connection = "keep-alive, upgrade"});
  expect_served({.upgrade = "WEBSOCKET", .connection = "UPGRADE"});
}

TEST(Handshakes, extensions_that_are_offered_are_not_chosen) {
  start({.plugins = {"echo"}});
  WsClient a = connect(
      {.headers = {"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}});
  STRCMP_EQUAL("", a.response().header("Sec-WebSocket-Extensions").c_str());
  a.send_text(R"(["echo:h","echo",1])");
  a.expect(R"(["echo:h","echoed",1])");
}

TEST(Handshakes, any_origin_and_other_headers_are_taken) {
  start({.plugins = {"echo"}});
  expect_served(
      {.headers = {"Origin: http://elsewhere.example", "Cookie: a=b; c=d", "User-Agent: a test",
                   "Pragma: no-cache", "X-Unknown: " + std::string(1000, 'x')}});
}

TEST(Handshakes, a_post_is_refused) {
  start({.plugins = {"echo"}});
  const int status = ask({.method = "POST", .headers = {"Content-Length: 0"}}).status;
  CHECK_TRUE(status == 400 || status == 405);
}

TEST(Handshakes, a_missing_or_bad_key_is_refused) {
  start({.plugins = {"echo"}});
  expect_refused({.key = ""});
  expect_refused({.key = "short"});
  expect_refused({.key = "dGhlIHNhbXBsZSBub25jZQ"});
  expect_refused({.key = "dGhlIHNhbXBsZSBub25jZSE="});
  expect_refused({.key = "!!!!!!!!!!!!!!!!!!!!!!=="});
}

TEST(Handshakes, another_version_is_told_which_one_is_spoken) {
  start({.plugins = {"echo"}});
  for (const char* version : {"8", "14", "0", "x", "130", ""}) {
    const Response response = ask({.version = version});
    CHECK_TRUE(response.status == 426 || response.status == 400);
    STRCMP_EQUAL("13", response.header("Sec-WebSocket-Version").c_str());
  }
}

TEST(Handshakes, a_plain_request_is_told_to_upgrade) {
  start({.plugins = {"echo"}});
  const Response response = ask({.upgrade = "", .connection = "", .key = "", .version = ""});
  LONGS_EQUAL(426, response.status);
  STRCMP_NOCASE_EQUAL("websocket", response.header("Upgrade").c_str());
}

TEST(Handshakes, an_upgrade_to_something_else_is_not_a_websocket) {
  start({.plugins = {"echo"}});
  CHECK_TRUE(ask({.upgrade = "h2c"}).status != 101);
}

TEST(Handshakes, a_request_that_is_no_http_ends_the_connection) {
  start({.plugins = {"echo"}});
  Stream stream(server().addresses().at(0));
  stream.send("\x16\x03\x01\x02 this is no request\r\n\r\n");
  std::string bytes;
  while (stream.receive(bytes, Where::here())) {
  }
  CHECK_FALSE(bytes.starts_with("HTTP/1.1 101"));
  expect_served({});
}

TEST(Handshakes, a_request_may_arrive_octet_by_octet) {
  start({.plugins = {"echo"}});
  Stream stream(server().addresses().at(0));
  const std::string request = Handshake().request();
  for (const char octet : request.substr(0, request.size() - 1)) {
    stream.send(std::string(1, octet));
  }
  std::string rest;
  LONGS_EQUAL(101, http_request(stream, request.substr(request.size() - 1), rest).status);
}

TEST(Handshakes, messages_right_behind_the_request_are_handled) {
  start({.plugins = {"echo"}});
  Stream stream(server().addresses().at(0));
  std::string rest;
  const std::string frame = frame_bytes(Opcode::kText, R"(["echo:h","echo",1])");
  const Response response = http_request(stream, Handshake().request() + frame + frame, rest);
  LONGS_EQUAL(101, response.status);
  const std::string answer = R"(["echo:h","echoed",1])";
  while (rest.size() < 2 * (answer.size() + 2)) CHECK_TRUE(stream.receive(rest, Where::here()));
  CHECK_TRUE(rest.substr(2, answer.size()) == answer);
  CHECK_TRUE(rest.ends_with(answer));
}

TEST(Handshakes, a_very_long_header_does_not_harm_the_server) {
  start({.plugins = {"echo"}});
  Stream stream(server().addresses().at(0));
  stream.send(Handshake{.headers = {"X-Long: " + std::string(1 << 20, 'x')}}.request());
  std::string bytes;
  while (stream.receive(bytes, Where::here())) {
  }
  CHECK_FALSE(bytes.starts_with("HTTP/1.1 101"));
  expect_served({});
}

TEST(Handshakes, a_connection_that_asks_for_nothing_is_closed_after_a_time) {
  start({.plugins = {"echo"}, .server = "handshake_timeout_s = 0.3"});
  const auto begin = std::chrono::steady_clock::now();
  Stream silent(server().addresses().at(0));
  Stream half(server().addresses().at(0));
  half.send("GET / HTTP/1.1\r\nHost: x\r\n");
  WsClient served = connect();
  std::string bytes;
  while (silent.receive(bytes, Where::here())) {
  }
  while (half.receive(bytes, Where::here())) {
  }
  CHECK_FALSE(bytes.starts_with("HTTP/1.1 101"));
  CHECK_TRUE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(9));
  served.expect_nothing();
}

}  // namespace
