// Plugins whose threads never rest, replaced and stopped under clients that ask: for the sanitizers
// above all. Each call is answered once, whichever thread answers it.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

constexpr int kKinds = 6;  // of answers: tests/plugins/crowd.cpp

TEST_GROUP_BASE(Crowd, ServerGroup) {
  // A client that subscribes to the topic; the answer to its join comes from a thread.
  WsClient subscriber(const std::string& topic) {
    WsClient client = connect();
    client.send_text("[\"" + topic + "\",\"subscribe\",null]");
    std::map<std::string, int> got;
    while (got["subscribed"] == 0 || got["told"] == 0) ++got[event_of(client.receive())];
    LONGS_EQUAL(1, got["subscribed"]);
    return client;
  }

  // The event of a message, or the code of an error.
  static std::string event_of(const std::string& message) {
    for (const char* word : {"subscribed", "told", "REFUSED", "INTERNAL_ERROR", "tick", "noise"}) {
      if (message.find(std::string("\"") + word + "\"") != std::string::npos) return word;
    }
    fail("unexpected: " + message, Where::here());
    return {};
  }

  // Asks for each kind of answer, so many times.
  static void ask(WsClient& client, const std::string& topic, int times) {
    for (int i = 0; i < times * kKinds; ++i) {
      client.send_text("[\"" + topic + "\",\"ask\"," + std::to_string(i % kKinds) + "]");
    }
  }
  // Waits for all of the answers.
  static void expect_answers(WsClient& client, int times) {
    std::map<std::string, int> got;
    for (int answers = 0; answers < times * kKinds; ++answers) ++got[event_of(client.receive())];
    LONGS_EQUAL(4 * times, got["told"]);
    LONGS_EQUAL(times, got["REFUSED"]);
    LONGS_EQUAL(times, got["INTERNAL_ERROR"]);
  }

  // Copies the plugin's file over itself, by way of another name.
  void replace(int generation) {
    const fs::path file = server().plugin_folder() / "crowd.so";
    fs::copy_file(built_plugin("crowd"), file.string() + ".new");
    fs::rename(file.string() + ".new", file);
    server().wait_for_log({"msg=\"plugin replaced\"", "plugin=crowd ",
                           "generation=" + std::to_string(generation) + " "});
  }
};

TEST(Crowd, answers_each_call_once_from_whatever_thread) {
  start({.plugins = {"crowd"}, .server = kDoesNotWaitForCloses});
  WsClient noise = subscriber("crowd:noise");
  std::vector<WsClient> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(subscriber("crowd:" + std::to_string(i)));
  for (WsClient& client : clients) ask(client, "crowd:0", 5);
  for (WsClient& client : clients) expect_answers(client, 5);
  std::map<std::string, int> heard;
  while (heard["tick"] < 5 || heard["noise"] < 5) ++heard[event_of(noise.receive())];
}

TEST(Crowd, is_replaced_while_its_threads_go_on_and_goes_without_a_trace) {
  constexpr int kTimes = 5;
  start({.plugins = {"crowd"},
         .server = kDoesNotWaitForCloses,
         .loading = "quiet_s = 0.02\ndrain_timeout_s = 30",
         .log_level = "debug"});
  WsClient a = subscriber("crowd:a");
  for (int generation = 2; generation <= kTimes + 1; ++generation) {
    ask(a, "crowd:a", 4);
    replace(generation);
    ask(a, "crowd:a", 2);
    expect_answers(a, 6);
    server().wait_for_log({"msg=\"plugin unmapped\"", "plugin=crowd ",
                           "generation=" + std::to_string(generation - 1)});
  }
}

}  // namespace
