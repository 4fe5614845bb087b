// The repository's own plugins together in one real server: the conversations of their main use.
// What each does in detail is tested without a server (tests/unit).
#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(ServedPlugins, ServerGroup) {
  void setup() override {
    start({.plugins = {"chat", "echo", "observatory", "system"},
           .tables = "[plugin.system]\ninterval_ms = 50\n"});
  }
};

TEST(ServedPlugins, each_says_what_it_serves) {
  const std::string said = server().process().output();
  for (const char* pattern :
       {"echo:<name>", "room:<room>", "system:<metric>", "observatory  reasoning:<sessionId>"}) {
    STRCMP_CONTAINS(pattern, said.c_str());
  }
}

TEST(ServedPlugins, a_reasoning_session_is_followed_live) {
  const std::string session =
      R"({"id":"s1","title":"Why","createdAt":"2026-11-23T04:00:00.000Z","status":"active"})";
  const std::string thought =
      R"({"id":"t1","thoughtNumber":1,"totalThoughts":3,"thought":"first","nextThoughtNeeded":true,"timestamp":"2026-11-23T04:00:01.000Z"})";
  WsClient browser = connect();
  browser.send_text(R"(["observatory","subscribe",{"id":"o"}])");
  browser.expect(R"(["observatory","subscribed",{"id":"o"}])");
  browser.expect(R"(["observatory","sessions:active",{"sessions":[]}])");
  browser.send_text(R"(["reasoning:s1","subscribe",{"id":"r"}])");
  browser.expect(R"(["reasoning:s1","subscribed",{"id":"r"}])");
  browser.expect(
      R"(["reasoning:s1","error",{"code":"SESSION_NOT_FOUND","message":"Session s1 not found"}])");

  WsClient producer = connect();
  producer.send_text(R"(["observatory","session:started",{"session":)" + session + "}]");
  browser.expect_bytes(R"(["observatory","session:started",{"session":)" + session + "}]");
  producer.send_text(R"(["reasoning:s1","thought:added",{"thought":)" + thought +
                     R"(,"parentId":null}])");
  browser.expect_bytes(R"(["reasoning:s1","thought:added",{"thought":)" + thought +
                       R"(,"parentId":null}])");

  WsClient late = connect();
  late.send_text(R"(["reasoning:s1","subscribe",{"id":"l"}])");
  late.expect(R"(["reasoning:s1","subscribed",{"id":"l"}])");
  const std::string snapshot = payload_of(late.receive(), "reasoning:s1", "session:snapshot");
  STRCMP_CONTAINS("\"first\"", snapshot.c_str());
  STRCMP_CONTAINS("\"branches\"", snapshot.c_str());

  producer.send_text(R"(["observatory","session:ended",{"sessionId":"s1","finalThoughtCount":1}])");
  browser.expect(R"(["observatory","session:ended",{"sessionId":"s1","finalThoughtCount":1}])");
  browser.expect(R"(["reasoning:s1","session:ended",{"sessionId":"s1","finalThoughtCount":1}])");
  late.expect(R"(["reasoning:s1","session:ended",{"sessionId":"s1","finalThoughtCount":1}])");
  producer.expect_nothing();
}

TEST(ServedPlugins, a_thought_that_misses_a_field_is_refused) {
  WsClient a = connect();
  a.send_text(R"(["reasoning:s1","thought:added",{"thought":{"id":"t1"},"parentId":null}])");
  const std::string error = payload_of(a.receive(), "reasoning:s1", "error");
  STRCMP_EQUAL("INVALID_PAYLOAD", string_member(error, "code").c_str());
  STRCMP_CONTAINS("thought.", string_member(error, "message").c_str());
}

TEST(ServedPlugins, the_machines_telemetry_comes_as_snapshot_and_then_at_the_interval) {
  WsClient a = connect();
  for (const char* metric : {"memory", "uptime", "load", "cpu"}) {
    const std::string topic = "system:" + std::string(metric);
    a.send_text("[\"" + topic + "\",\"subscribe\",{\"id\":\"m\"}]");
    a.expect("[\"" + topic + "\",\"subscribed\",{\"id\":\"m\"}]");
    CHECK_TRUE(payload_of(a.receive(), topic, "snapshot").size() > 2);
    for (int i = 0; i < 2; ++i) CHECK_TRUE(payload_of(a.receive(), topic, "update").size() > 2);
    a.send_text("[\"" + topic + "\",\"unsubscribe\",null]");
    // Updates may have been on their way.
    while (a.receive().find("unsubscribed") == std::string::npos) {
    }
  }
  a.expect_nothing();
}

TEST(ServedPlugins, an_unknown_metric_is_no_topic) {
  converse(R"(
    A > ["system:nothing","subscribe",null]
    A < ["system:nothing","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: system:nothing"}]
  )");
}

TEST(ServedPlugins, two_talk_in_a_room) {
  WsClient ada = connect();
  ada.send_text(R"(["room:tea","subscribe",{"name":"Ada"}])");
  ada.expect(R"(["room:tea","subscribed",{}])");
  STRCMP_CONTAINS("\"Ada\"", payload_of(ada.receive(), "room:tea", "snapshot").c_str());
  WsClient bob = connect();
  bob.send_text(R"(["room:tea","subscribe",{"name":"Bob"}])");
  bob.expect(R"(["room:tea","subscribed",{}])");
  STRCMP_CONTAINS("\"Ada\"", payload_of(bob.receive(), "room:tea", "snapshot").c_str());
  STRCMP_CONTAINS("\"Bob\"", payload_of(ada.receive(), "room:tea", "joined").c_str());
  ada.send_text(R"(["room:tea","say",{"text":"hello"}])");
  STRCMP_EQUAL("hello",
               string_member(payload_of(bob.receive(), "room:tea", "said"), "text").c_str());
  STRCMP_EQUAL("Ada", string_member(payload_of(ada.receive(), "room:tea", "said"), "name").c_str());
  bob.stream().reset();
  STRCMP_EQUAL("Bob", string_member(payload_of(ada.receive(), "room:tea", "left"), "name").c_str());
}

}  // namespace
