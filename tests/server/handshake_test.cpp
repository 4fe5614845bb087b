// The opening handshake, as far as it is the server's own matter: tests/conformance has RFC 6455's.
#include <chrono>

#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Handshakes, ServerGroup) {
  Response ask(const Handshake& handshake, Where where = Where::here()) {
    return http_request(server().addresses().at(0), handshake.request(), where);
  }

  void expect_served(const Handshake& handshake, Where where = Where::here()) {
    WsClient client = connect(handshake, where);
    client.send_text(R"(["echo:h","echo",1])", where);
    client.expect(R"(["echo:h","echoed",1])", where);
  }
};

TEST(Handshakes, only_the_configured_path_is_served) {
  start({.plugins = {"echo"}, .server = "path = \"/ws\""});
  expect_served({.path = "/ws"});
  expect_served({.path = "/ws?token=1"});
  for (const char* path : {"/", "/w", "/ws/", "/wss", "/WS", "/ws/x"}) {
    LONGS_EQUAL(404, ask({.path = path}).status);
  }
}

TEST(Handshakes, other_headers_are_taken) {
  start({.plugins = {"echo"}});
  expect_served(
      {.headers = {"Origin: https://localhost:8080", "Cookie: a=b; c=d", "User-Agent: a test",
                   "Pragma: no-cache", "X-Unknown: " + std::string(1000, 'x')}});
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
