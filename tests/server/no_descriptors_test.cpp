// Descriptors run out: nobody new gets in for as long as that lasts, and nobody else notices.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "tests/support/change_group.hpp"
#include "tests/support/faults.hpp"
#include "tests/support/json.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_GROUP_BASE(OutOfDescriptors, ChangeGroup) {
  Address status_address() {
    const std::string folder = "jackfield-" + std::to_string(server().process().pid());
    return {.host = {}, .path = (server().folder().path() / "run" / folder / "status").string()};
  }
  // From now on; there may be gaps in the numbers of those that it has.
  Limited no_descriptors() {
    const pid_t pid = server().process().pid();
    return Limited(pid, RLIMIT_NOFILE, next_descriptor(pid));
  }
  // All that is said to whoever connects there.
  static std::string read_all(Stream& stream, Where where = Where::here()) {
    std::string text;
    while (stream.receive(text, where)) {
    }
    return text;
  }
  void expect_paused(const char* times, Where where = Where::here()) {
    Stream stream(status_address());
    const std::string text = read_all(stream, where);
    check(text.find("accepts_paused " + std::string(times) + "\n") != std::string::npos, text,
          where);
  }
};

TEST(OutOfDescriptors, accepting_rests_and_goes_on_and_who_is_connected_does_not_notice) {
  start({.plugins = {"echo"}, .server = kDoesNotWaitForCloses});
  WsClient connected = connect();
  expect_echo(connected);
  Limited none = no_descriptors();
  // They get as far as the kernel's queue.
  Stream first(server().addresses().at(0));
  Stream second(server().addresses().at(0));
  server().wait_for_log({"level=warning", "accepting rests", "reason=\"Too many open files\""});
  for (int i = 0; i < 100; ++i) expect_echo(connected);
  none.end();
  server().wait_for_log({"level=info", "accepting goes on"});
  for (Stream* waiting : {&first, &second}) {
    std::string rest;
    LONGS_EQUAL(101, http_request(*waiting, Handshake().request(), rest).status);
  }
  WsClient next = connect();
  expect_echo(next);
  expect_echo(connected);
  expect_paused("1");
  server().stop();
  expect_logged(1, {"accepting rests"});
  expect_logged(1, {"accepting goes on"});
}

TEST(OutOfDescriptors, waiting_for_them_takes_no_time_of_the_processor) {
  start({.plugins = {"echo"}});
  WsClient connected = connect();
  expect_echo(connected);
  Limited none = no_descriptors();
  Stream waiting(server().addresses().at(0));
  Stream asking(status_address());
  server().wait_for_logs(2, {"accepting rests"});
  const auto before = cpu_time(server().process().pid());
  std::this_thread::sleep_for(1500ms);
  const auto used = cpu_time(server().process().pid()) - before;
  // A loop that spins takes all that the machine gives it: 1,500 ms, or its share of them.
  CHECK_TRUE_TEXT(used < 200ms, std::to_string(used.count()).c_str());
  expect_echo(connected);
  none.end();
  CHECK_TRUE(read_all(asking).find("accepts_paused 1\n") != std::string::npos);
}

TEST(OutOfDescriptors, the_status_is_told_when_there_are_some_again) {
  start({.plugins = {"echo"}});
  Limited none = no_descriptors();
  Stream asking(status_address());
  server().wait_for_log({"accepting rests", "status"});
  none.end();
  CHECK_TRUE(read_all(asking).starts_with("jackfield "));
  server().wait_for_log({"accepting goes on", "status"});
}

TEST(OutOfDescriptors, of_the_whole_machine_rest_it_too) {
  if (!has_faults()) {
    std::printf("SKIPPED: faults cannot be preloaded into this build\n");
    return;
  }
  Faults faults;
  start({.plugins = {"echo"}, .wrapper = faults.wrapper()});
  WsClient connected = connect();
  std::size_t times = 0;
  for (const int error : {ENFILE, ENOBUFS, ENOMEM}) {
    faults.set_accept_error(error);
    Stream waiting(server().addresses().at(0));
    server().wait_for_logs(++times, {"accepting rests"});
    expect_echo(connected);
    faults.set_accept_error(0);
    std::string rest;
    LONGS_EQUAL(101, http_request(waiting, Handshake().request(), rest).status);
    server().wait_for_logs(times, {"accepting goes on"});
  }
  expect_paused("3");
}

TEST(OutOfDescriptors, a_plugin_that_comes_meanwhile_serves_later_by_itself) {
  start({.plugins = {"echo"}});
  WsClient connected = connect();
  expect_echo(connected);
  Limited none = no_descriptors();
  put("gen_1");
  server().wait_for_log({"plugin refused", "generation.so", "Too many open files"});
  expect_echo(connected);
  none.end();
  server().wait_for_log({"plugin loaded", "plugin=generation"});
  subscribe(connected, "gen:a", "1.0.0");
  expect_logged(1, {"plugin refused"});
}

TEST(OutOfDescriptors, a_plugin_that_is_replaced_meanwhile_goes_on_and_is_replaced_later) {
  serve("gen_1");
  WsClient connected = connect();
  subscribe(connected, "gen:a", "1.0.0");
  Limited none = no_descriptors();
  put("gen_2");
  server().wait_for_log({"plugin refused", "Too many open files", "still=1.0.0"});
  expect_sum(connected, "gen:a", 2, 2);
  none.end();
  wait_for_generation(2);
  expect_sum(connected, "gen:a", 3, 5);
}

}  // namespace
