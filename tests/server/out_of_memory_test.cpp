// Memory runs out at every place in turn: an allocator that fails on demand is preloaded into the
// server. What a peer asked for may cost that peer its connection, and is done for all others; what
// the server needs for itself may end it, with a last line that says so. It never crashes or hangs.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
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

  // A whole conversation, sent without waiting for an answer, which ends with a Close. The server
  // ends the connection, early or late.
  void converse_blindly(const std::vector<std::string>& messages, Where where = Where::here()) {
    if (!Stream::is_accepted(server().addresses().at(0))) return;
    Stream stream(server().addresses().at(0));
    if (!stream.send(Handshake().request())) return;
    std::string frames;
    for (const std::string& message : messages) frames += frame_bytes(Opcode::kText, message);
    frames += frame_bytes(Opcode::kClose, close_payload(1000));
    std::string bytes;
    if (stream.send(frames)) {
      while (stream.receive(bytes, where)) bytes.clear();
    }
  }

  // The server still serves, or has ended as it should and is started again.
  void expect_sound(std::int64_t n, Where where = Where::here()) {
    ChildProcess& process = server().process();
    if (!Stream::is_accepted(server().addresses().at(0))) {
      const auto ending = process.wait();
      const std::string said = "allocation " + std::to_string(n) + ": " + process.errors();
      check(ending.has_value(), "it neither serves nor ends: " + said, where);
      check(ending->code == 1, ending->text() + ", " + said, where);
      check(said.ends_with("jackfield: out of memory: the server ends\n"), said, where);
      server().forget();
      ++ends;
      server().restart(where);
      return;
    }
    WsClient a = connect({}, where);
    expect_echo(a, where);
    a.close(1000, {}, where);
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
  begin({.plugins = {"echo", "snapshots", "chat"}, .server = "close_timeout_s = 1"});
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
    for (std::int64_t n = 1;; ++n) {
      WsClient bystander = connect();
      bystander.send_text(R"(["echo:a","subscribe",null])");
      bystander.receive();
      faults.fail_allocations(n, how_many);
      converse_blindly(messages);
      const std::int64_t allocations = faults.let_allocate();
      expect_sound(n);
      if (allocations < n) break;
    }
  }
  std::printf("%d ends\n", ends);
}

}  // namespace
