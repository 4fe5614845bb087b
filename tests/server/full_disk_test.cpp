// No file can grow any more: what a server would write to a disk is not written, and that is all.
// A limit of its own (RLIMIT_FSIZE) stands for the full disk; tests/faults.sh has a real one.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/change_group.hpp"
#include "tests/support/faults.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

TEST_GROUP_BASE(FullDisk, ChangeGroup) {
  TemporaryFolder logs;
  const fs::path log = logs.path() / "log";

  // A server whose log is a file.
  void start_with_log(const ServerOptions& options) {
    ServerOptions all = options;
    all.wrapper = {"/bin/sh", "-c", "log=$1; shift; exec \"$@\" 2>>\"$log\"", "sh", log.string()};
    start(all);
  }
  Limited full(rlim_t octets = 0) {
    return Limited(server().process().pid(), RLIMIT_FSIZE, octets);
  }
  // Has a line logged.
  void have_said(WsClient& client) {
    client.send_text(R"(["echo:a","nothing of that name",null])");
    expect_echo(client);
  }
};

TEST(FullDisk, lines_of_the_log_are_dropped_and_counted_and_none_is_cut) {
  start_with_log({.plugins = {"echo"}});
  WsClient a = connect();
  have_said(a);
  {
    // The next line has begun when there is no more room.
    const Limited limit = full(fs::file_size(log) + 20);
    for (int i = 0; i < 5; ++i) have_said(a);
    LONGS_EQUAL(0, read_file(log).find("dropped") + 1);
  }
  have_said(a);
  a.close();
  server().stop();
  const std::string text = read_file(log);
  LONGS_EQUAL(1, count_lines(text, {"log lines dropped: 5"}));
  std::istringstream lines(text);
  int cut = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("level=") == std::string::npos && !line.starts_with("log lines")) ++cut;
  }
  LONGS_EQUAL(1, cut);  // the one that had begun, on a line of its own
  LONGS_EQUAL(2, count_lines(text, {"no such event"}));
}

TEST(FullDisk, a_plugin_is_not_replaced_until_there_is_room_for_its_copy) {
  serve("gen_1");
  WsClient a = connect();
  subscribe(a, "gen:a", "1.0.0");
  Limited limit = full();
  put("gen_2");
  server().wait_for_log(
      {"plugin refused", "cannot be copied to ", "File too large", "still=1.0.0"});
  expect_sum(a, "gen:a", 2, 2);
  limit.end();
  wait_for_generation(2);
  expect_sum(a, "gen:a", 3, 5);
  expect_logged(1, {"plugin refused"});
}

TEST(FullDisk, at_the_start_plugins_come_when_there_is_room) {
  if (kHasThreadSanitizer) {
    return say_not_checked("a disk that is full at the start: ThreadSanitizer writes files then");
  }
  start({.plugins = {"echo"}, .wrapper = {"/usr/bin/prlimit", "--fsize=0:unlimited"}});
  CHECK_TRUE(server().process().output().find("refused  ") != std::string::npos);
  WsClient a = connect();
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  LONGS_EQUAL(0, ::prlimit(server().process().pid(), RLIMIT_FSIZE, &unlimited, nullptr));
  server().wait_for_log({"plugin loaded", "plugin=echo"});
  expect_echo(a);
}

TEST(FullDisk, a_crash_that_cannot_be_counted_is_said_all_the_same) {
  start({.plugins = {"crash", "echo"}});
  for (int i = 0; i < 4; ++i) {
    if (server().ended()) server().restart();
    const Limited limit = full();
    WsClient a = connect();
    a.send_text(R"(["crash:x","segv",null])");
    a.expect_gone();
    server().wait_for_log({"plugin crashed the server", "plugin=crash "});
    const auto ending = server().process().wait();
    server().forget();
    CHECK_TRUE(ending.has_value());
    if (kMeasuresMemory) LONGS_EQUAL(SIGSEGV, ending->signal);
  }
  server().restart();
  LONGS_EQUAL(0, count_lines(server().process().output(), {"set aside"}));
  expect_echo(client("A"));
}

}  // namespace
