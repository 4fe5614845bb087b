// SIGSTOP: a server that is stopped for longer than its clients have for an answer does not take
// its own sleep for theirs; and a client that is stopped is noticed. (tests/unit/net_server_test.cpp
// has the same without signals, for each moment.)
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using namespace std::chrono_literals;

TEST_GROUP_BASE(Stopped, ServerGroup) {
  void stop_for(std::chrono::milliseconds time, Where where = Where::here()) {
    ChildProcess& process = server().process();
    process.signal(SIGSTOP);
    const Deadline deadline;
    while (state() != 'T') check(deadline.milliseconds() > 0, "it does not stop", where);
    std::this_thread::sleep_for(time);
    process.signal(SIGCONT);
  }
  char state() {
    std::ifstream file("/proc/" + std::to_string(server().process().pid()) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return text.at(text.rfind(')') + 2);
  }
};

TEST(Stopped, all_who_are_there_are_kept_whether_they_answered_before_or_not) {
  start({.plugins = {"echo"}, .server = "ping_interval_s = 0.2\nping_timeout_s = 1"});
  WsClient prompt = connect();
  WsClient late = connect();
  WsClient asleep = connect();
  Stream shaking(server().addresses().at(0));
  for (WsClient* each : {&prompt, &late, &asleep}) {
    CHECK_TRUE(each->receive_frame().opcode == Opcode::kPing);
  }
  server().process().signal(SIGSTOP);
  prompt.send_frame(Opcode::kPong, "jf");  // the server has not read it when it is woken
  stop_for(2500ms);
  late.send_frame(Opcode::kPong, "jf");
  // Who was stopped as well, with the server's machine, is asked again.
  CHECK_TRUE(asleep.receive_frame().opcode == Opcode::kPing);
  asleep.send_frame(Opcode::kPong, "jf");
  for (WsClient* each : {&prompt, &late, &asleep}) {
    each->send_text(R"(["echo:a","echo",1])");
    each->expect(R"(["echo:a","echoed",1])");
  }
  std::string rest;
  LONGS_EQUAL(101, http_request(shaking, Handshake().request(), rest).status);
  shaking.drop();
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"connection lost"}));
}

TEST(Stopped, a_client_that_is_stopped_is_given_up) {
  start({.plugins = {"leaves"}, .server = "ping_interval_s = 0.2\nping_timeout_s = 0.3"});
  ChildProcess watcher({jackfield_executable(), "watch", "--url", server().url(), "leaves:a"});
  CHECK_TRUE(watcher.wait_for_output({"subscribed"}).has_value());
  watcher.signal(SIGSTOP);
  server().wait_for_log({"connection lost: no answer to pings"});
  server().wait_for_log({"somebody left", "topic=leaves:a"});
}

}  // namespace
