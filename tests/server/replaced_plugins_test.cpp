// The repository's own plugins, each replaced by a new image of itself while clients talk: they hear
// nothing of it. What each hands over in detail is tested without a server (tests/unit).
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

TEST_GROUP_BASE(ReplacedPlugins, ServerGroup) {
  void setup() override {
    start({.plugins = {"chat", "echo", "observatory", "system"}, .log_level = "debug"});
  }

  // Copies the file over itself, by way of another name; the image before goes.
  void replace(const std::string& plugin, int generation) {
    const fs::path file = server().plugin_folder() / (plugin + ".so");
    fs::copy_file(built_plugin(plugin), file.string() + ".new");
    fs::rename(file.string() + ".new", file);
    server().wait_for_log({"msg=\"plugin replaced\"", "plugin=" + plugin + " ",
                           "generation=" + std::to_string(generation) + " "});
    server().wait_for_log({"msg=\"plugin unmapped\"", "plugin=" + plugin + " ",
                           "generation=" + std::to_string(generation - 1)});
  }
};

TEST(ReplacedPlugins, two_in_a_room_talk_on) {
  WsClient ada = connect();
  ada.send_text(R"(["room:tea","subscribe",{"name":"Ada"}])");
  ada.expect(R"(["room:tea","subscribed",{}])");
  payload_of(ada.receive(), "room:tea", "snapshot");
  WsClient bob = connect();
  bob.send_text(R"(["room:tea","subscribe",{"name":"Bob"}])");
  bob.expect(R"(["room:tea","subscribed",{}])");
  payload_of(bob.receive(), "room:tea", "snapshot");
  payload_of(ada.receive(), "room:tea", "joined");
  std::vector<std::string> said;
  for (int id = 1; id <= 4; ++id) {
    ada.send_text(R"(["room:tea","say",{"text":"hello"}])");
    said.push_back(payload_of(bob.receive(), "room:tea", "said"));
    CHECK_EQUAL(said.back(), payload_of(ada.receive(), "room:tea", "said"));
    STRCMP_CONTAINS(("\"id\":" + std::to_string(id) + ",\"name\":\"Ada\"").c_str(),
                    said.back().c_str());
    replace("chat", id + 1);
  }
  bob.send_text(R"(["room:tea","subscribe",null])");
  bob.expect(R"(["room:tea","subscribed",{}])");
  std::string history;
  for (const std::string& each : said) history += (history.empty() ? "" : ",") + each;
  CHECK_EQUAL(R"({"room":"tea","name":"Bob","members":["Ada","Bob"],"history":[)" + history + "]}",
              payload_of(bob.receive(), "room:tea", "snapshot"));
  ada.stream().reset();
  STRCMP_CONTAINS("\"Ada\"", payload_of(bob.receive(), "room:tea", "left").c_str());
}

TEST(ReplacedPlugins, a_reasoning_session_is_followed_on) {
  const std::string session =
      R"({"id":"s1","title":"Why","tags":[],"createdAt":"2026-11-23","status":"active"})";
  const std::string thought =
      R"({"id":"t1","thoughtNumber":1,"totalThoughts":3,"thought":"first","nextThoughtNeeded":true,"timestamp":"2026-11-23T04:00:01.000Z"})";
  WsClient producer = connect();
  producer.send_text(R"(["observatory","session:started",{"session":)" + session + "}]");
  WsClient browser = connect();
  browser.send_text(R"(["reasoning:s1","subscribe",null])");
  browser.expect(R"(["reasoning:s1","subscribed",{}])");
  payload_of(browser.receive(), "reasoning:s1", "session:snapshot");
  replace("observatory", 2);
  producer.send_text(R"(["reasoning:s1","thought:added",{"thought":)" + thought +
                     R"(,"parentId":null}])");
  browser.expect_bytes(R"(["reasoning:s1","thought:added",{"thought":)" + thought +
                       R"(,"parentId":null}])");
  replace("observatory", 3);
  browser.send_text(R"(["reasoning:s1","subscribe",null])");
  browser.expect(R"(["reasoning:s1","subscribed",{}])");
  CHECK_EQUAL(R"({"session":)" + session + R"(,"thoughts":[)" + thought + R"(],"branches":{}})",
              payload_of(browser.receive(), "reasoning:s1", "session:snapshot"));
}

TEST(ReplacedPlugins, telemetry_comes_on_and_compares_with_the_reading_before) {
  WsClient a = connect();
  a.send_text(R"(["system:cpu","subscribe",null])");
  a.expect(R"(["system:cpu","subscribed",{}])");
  STRCMP_CONTAINS("\"since\":\"boot\"", payload_of(a.receive(), "system:cpu", "snapshot").c_str());
  for (int generation = 2; generation <= 3; ++generation) {
    replace("system", generation);
    STRCMP_CONTAINS("\"since\":\"previous\"",
                    payload_of(a.receive(), "system:cpu", "update").c_str());
  }
}

TEST(ReplacedPlugins, an_echo_answers_on) {
  WsClient a = connect();
  a.send_text(R"(["echo:x","subscribe",null])");
  a.expect(R"(["echo:x","subscribed",{}])");
  a.expect(R"(["echo:x","snapshot",{"name":"x","subscribers":1}])");
  replace("echo", 2);
  a.send_text(R"(["echo:x","echo",1])");
  a.expect(R"(["echo:x","echoed",1])");
  a.send_text(R"(["echo:x","subscribe",null])");
  a.expect(R"(["echo:x","subscribed",{}])");
  a.expect(R"(["echo:x","snapshot",{"name":"x","subscribers":1}])");
}

}  // namespace
