// The realtime clock jumps, as it does on a machine without a battery when the network comes: only
// what tells the time of day is changed.
#include <chrono>
#include <cstdio>
#include <string>

#include "tests/support/change_group.hpp"
#include "tests/support/faults.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using namespace std::chrono_literals;

TEST_GROUP_BASE(Clock, ChangeGroup) {
  Faults faults;

  bool has_jumps() {
    if (!has_faults()) std::printf("SKIPPED: faults cannot be preloaded into this build\n");
    return has_faults();
  }
  // The year of the next line of the log.
  int year_of_next_line(WsClient & client) {
    const std::size_t before = server().process().errors().size();
    client.send_text(R"(["echo:a","nothing of that name",null])");
    expect_echo(client);
    put("echo", "echo.so");  // which is said each time
    Deadline deadline;
    std::string line;
    while (line.find('\n') == std::string::npos && deadline.milliseconds() > 0) {
      expect_echo(client);
      line = server().process().errors().substr(before);
    }
    return std::stoi(line.substr(0, 4));
  }
};

constexpr std::chrono::seconds kYears{10 * 365 * 24 * 3600};

TEST(Clock, jumps_change_what_the_log_says_and_nothing_else) {
  if (!has_jumps()) return;
  // Any of these times, taken for a jump of the clock, would be over at once, or never.
  serve("gen_1", {.plugins = {"timers"},
                  .server = "ping_interval_s = 0.2\nping_timeout_s = 60\n"
                            "handshake_timeout_s = 600\nclose_timeout_s = 600",
                  .loading = "scan_interval_s = 0.1\nstart_timeout_s = 600\ndrain_timeout_s = 600",
                  .wrapper = faults.wrapper()});
  WsClient a = connect();
  subscribe(a, "gen:a", "1.0.0");
  WsClient timed = connect();
  timed.send_text(R"(["timers:watch","subscribe",null])");
  timed.expect(R"(["timers:watch","subscribed",{}])");
  Stream shaking(server().addresses().at(0));
  int sum = 0;
  const int now = year_of_next_line(a);
  for (const std::chrono::seconds jump : {3600s, -3600s, kYears, -kYears, 0s}) {
    timed.send_text(R"(["timers:x","order",null])");  // in 20, 40 and 60 ms
    faults.set_clock_offset(jump);
    // They fire, in their order; and pings come and are answered meanwhile.
    for (int i = 0; i < 3; ++i) timed.receive();
    sum += 2;
    expect_sum(a, "gen:a", 2, sum);
    const int year = year_of_next_line(a);
    const auto years = static_cast<int>(jump / (kYears / 10));
    CHECK_TRUE(year >= now + years - 1 && year <= now + years + 1);
    Frame frame = a.receive_frame();
    CHECK_TRUE(frame.opcode == Opcode::kPing);
    a.send_frame(Opcode::kPong, frame.payload);
  }
  // One that shook hands through all of it.
  std::string rest;
  LONGS_EQUAL(101, http_request(shaking, Handshake().request(), rest).status);
  shaking.drop();
  // And a closing one: no close was cut short.
  timed.close();
  put("gen_2");
  wait_for_generation(2);
  expect_sum(a, "gen:a", 1, sum + 1);
  LONGS_EQUAL(0, logged({"connection lost"}));
  LONGS_EQUAL(0, logged({"handshake cut"}));
  a.close();
  server().stop();
}

TEST(Clock, times_go_on_to_be_kept_after_a_jump) {
  if (!has_jumps()) return;
  start({.plugins = {"leaves", "echo"},
         .server = "ping_interval_s = 0.2\nping_timeout_s = 0.2\nhandshake_timeout_s = 0.3",
         .wrapper = faults.wrapper()});
  for (const std::chrono::seconds jump : {-kYears, kYears}) {
    WsClient silent = connect();
    Stream mute(server().addresses().at(0));
    faults.set_clock_offset(jump);
    CHECK_TRUE(silent.receive_frame().opcode == Opcode::kPing);
    silent.expect_gone();
    std::string said;  // 408 perhaps, and then the end
    while (mute.receive(said, Where::here())) {
    }
  }
  expect_logged(2, {"connection lost: no answer to pings"});
  expect_logged(2, {"handshake cut"});
}

}  // namespace
