// Memory runs out at every place in turn: an allocator that fails on demand is preloaded into the
// server. What a peer asked for may cost that peer its connection, and is done for all others; what
// the server needs for itself may end it, with a last line that says so. It never crashes or hangs.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/change_group.hpp"
#include "tests/support/faults.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using namespace std::chrono_literals;

TEST_GROUP_BASE(OutOfMemory, ChangeGroup) {
  Faults faults;
  int ends = 0;  // of the server, with its last line

  void teardown() override {
    faults.let_allocate();
    ChangeGroup::teardown();
  }

  bool has_failing() {
    if (!has_faults()) std::printf("SKIPPED: faults cannot be preloaded into this build\n");
    return has_faults();
  }

  void begin(const ServerOptions& options) {
    ServerOptions all = options;
    all.wrapper = faults.wrapper();
    start(all);
  }

  // Shakes hands, says all this without waiting for an answer, and then Close, so that the server
  // ends the connection, early or late. Gives what it said.
  std::string converse_blindly(const std::vector<std::string>& messages,
                               Where where = Where::here()) {
    std::string bytes;
    std::optional<Stream> stream = Stream::try_connect(server().addresses().at(0));
    if (!stream) return bytes;
    if (http_request(*stream, Handshake().request(), bytes, where).status != 101) return bytes;
    std::string all;
    for (const std::string& message : messages) all += frame_bytes(Opcode::kText, message);
    all += frame_bytes(Opcode::kClose, close_payload(1000));
    if (stream->send(all)) {
      while (stream->receive(bytes, where)) {
      }
    }
    return bytes;
  }

  // The server still serves, or has ended as it should and is started again.
  void expect_sound(std::int64_t n, Where where = Where::here()) {
    const std::string answers = converse_blindly({R"(["echo:a","echo",4711])"}, where);
    if (answers.find(R"(["echo:a","echoed",4711])") != std::string::npos) return;
    ChildProcess& process = server().process();
    const auto ending = process.wait();
    const std::string said = "allocation " + std::to_string(n) + ": " + process.errors();
    check(ending.has_value(), "it neither serves nor ends: " + said, where);
    check(ending->code == 1, ending->text() + ", " + said, where);
    check(said.ends_with("jackfield: out of memory: the server ends\n"), said, where);
    server().forget();
    ++ends;
    server().restart(where);
  }
};

TEST(OutOfMemory, a_message_for_which_there_is_none_costs_its_sender_the_connection) {
  if (!has_failing()) return;
  begin({.plugins = {"echo"}});
  WsClient modest = connect();
  expect_echo(modest);
  WsClient greedy = connect();
  faults.fail_allocations_of(100'000);
  greedy.send_text(R"(["echo:a","echo",")" + std::string(1'000'000, 'x') + "\"]");
  greedy.expect_gone();
  server().wait_for_log({"level=error", "connection dropped"});
  expect_echo(modest);
  faults.let_allocate();
  expect_echo(modest);
}

TEST(OutOfMemory, at_each_allocation_of_a_conversation_in_turn) {
  if (!has_failing()) return;
  begin({.plugins = {"echo", "snapshots", "chat"}, .server = "close_timeout_s = 0.2"});
  const std::vector<std::string> messages = {
      R"(["echo:a","subscribe",{"id":"1"}])",
      R"(["echo:a","say",{"text":"x"}])",
      R"(["snapshots:5000:x","subscribe",null])",
      R"(["echo:a","echo",")" + std::string(20'000, 'x') + "\"]",
      R"(["room:a","subscribe",{"name":"x"}])",
      R"(["room:a","say",{"text":"x"}])",
      "no json",
      R"(["nobody","x",null])",
      R"(["echo:a","unsubscribe",null])",
  };
  for (const std::int64_t how_many : {std::int64_t{1}, std::int64_t{1} << 40}) {
    for (std::int64_t n = 1;; n += how_many == 1 ? 1 : 3) {
      WsClient bystander = connect();  // to whom is broadcast
      bystander.send_text(R"(["echo:a","subscribe",null])");
      bystander.receive();
      faults.fail_allocations(n, how_many);
      converse_blindly(messages);
      const std::int64_t allocations = faults.let_allocate();
      expect_sound(n);
      if (allocations < n) break;
    }
  }
  std::printf("the server ended %d times\n", ends);
}

TEST(OutOfMemory, while_a_plugin_is_replaced_the_configuration_read_and_the_status_asked_for) {
  if (!has_failing()) return;
  begin({.plugins = {"echo"}, .loading = "quiet_s = 0.01"});
  for (std::int64_t n = 1; n < 1000; n += 1 + n / 12) {
    faults.fail_allocations(n, 2);
    put("echo", "echo.so");
    server().process().signal(SIGHUP);
    const std::string folder = "jackfield-" + std::to_string(server().process().pid());
    if (auto status = Stream::try_connect(
            {.host = {}, .path = server().folder().path() / "run" / folder / "status"})) {
      std::string text;
      while (status->receive(text, Where::here())) {
      }
    }
    std::this_thread::sleep_for(60ms);  // it has begun with the plugin, or has not
    faults.let_allocate();
    expect_sound(n);
  }
  // What could not be taken in then was tried again.
  const std::size_t before = logged({"plugin replaced"});
  put("echo", "echo.so");
  server().wait_for_logs(before + 1, {"plugin replaced"});
  std::printf("the server ended %d times\n", ends);
}

}  // namespace
