// A plugin that crashes the server: who it was is said, and counted over restarts.
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Crashes, ChangeGroup) {
  // The server dies of that signal, and has said so in one line that holds the parts.
  void expect_crash(int signal, const std::vector<std::string>& parts,
                    Where where = Where::here()) {
    const auto line = server().process().wait_for_error({"plugin crashed the server"});
    const std::optional<Ending> ending = server().process().wait();
    check(ending.has_value(), "it does not end", where);
    server().forget();
    check(line.has_value(), server().process().errors(), where);
    for (const std::string& part : parts) {
      check(line->find(part) != std::string::npos, "no " + part + " in: " + *line, where);
    }
    check(logged({"msg=\"plugin crashed the server\""}) == 1, server().process().errors(), where);
    // A sanitizer ends the process in its own way, after its report.
    if (kHasSanitizer) {
      say_not_checked("the signal that a crash ends with: a sanitizer ends it by an exit code");
    } else {
      check(ending->signal == signal, ending->text(), where);
    }
    check(ending->code != 0, ending->text(), where);
  }

  // A client says so, and the server dies of it.
  void crash(const char* message, int signal, const std::vector<std::string>& parts,
             Where where = Where::here()) {
    WsClient a = connect({}, where);
    a.send_text(message, where);
    a.expect_gone(where);
    expect_crash(signal, parts, where);
  }
  void crash_in_event(Where where = Where::here()) {
    crash(R"(["crash:x","segv",null])", SIGSEGV, {"plugin=crash ", "callback=event"}, where);
  }

  // The server runs without the plugin, and says why, in its report and in its log.
  void expect_set_aside(const char* name, Where where = Where::here()) {
    const std::string file = std::string(name) + ".so";
    const std::string report = server().process().output();
    check(count_lines(report, {"refused ", file, "set aside"}) == 1, report, where);
    server().wait_for_log({"level=error", "plugin refused", file, "set aside: it crashed"}, where);
    WsClient a = connect({}, where);
    expect_echo(a, where);
  }
};

TEST(Crashes, one_line_names_plugin_version_generation_callback_topic_and_event) {
  start({.plugins = {"crash", "echo"}});
  crash(R"(["crash:x","segv",null])", SIGSEGV,
        {"level=error", "plugin=crash ", "version=1.2.3 ", "generation=1 ", "callback=event ",
         "topic=crash:x ", "event=segv ", "signal=SIGSEGV ", "where=crash.so+0x"});
}

TEST(Crashes, the_generation_is_the_one_that_crashed) {
  start({.plugins = {"crash", "echo"}});
  put("crash", "crash.so");
  server().wait_for_log({"plugin replaced", "plugin=crash", "generation=2 "});
  crash(R"(["crash","fpe",null])", SIGFPE, {"generation=2 ", "topic=crash ", "signal=SIGFPE"});
}

TEST(Crashes, each_callback_is_named) {
  const std::pair<const char*, const char*> rows[] = {{"timer", "callback=timer"},
                                                      {"work", "callback=work"},
                                                      {"overflow", "callback=event"},
                                                      {"thread", "callback=thread"}};
  start({.plugins = {"crash", "echo"}});
  for (const auto& [event, callback] : rows) {
    // Its stamp changes, and so it is not set aside.
    put("crash", "crash.so");
    if (server().ended()) server().restart();
    crash(("[\"crash\",\"" + std::string(event) + "\",null]").c_str(), SIGSEGV,
          {"plugin=crash ", callback});
  }
}

TEST(Crashes, abort_is_a_crash_too) {
  start({.plugins = {"crash", "echo"}});
  crash(R"(["crash","abort",null])", SIGABRT, {"callback=event", "signal=SIGABRT"});
}

TEST(Crashes, one_that_crashes_when_a_client_leaves) {
  start({.plugins = {"crash_leave", "echo"}});
  WsClient a = connect();
  a.send_text(R"(["crash_leave:x","subscribe",null])");
  a.expect(R"(["crash_leave:x","subscribed",{}])");
  a.send_text(R"(["crash_leave:x","unsubscribe",null])");
  expect_crash(SIGSEGV, {"plugin=crash_leave ", "callback=leave", "topic=crash_leave:x"});
}

TEST(Crashes, one_that_is_dropped_in_and_crashes_at_once_is_set_aside_after_three_times) {
  start({.plugins = {"echo"}});
  put("crash_start", "crash_start.so");
  expect_crash(SIGSEGV, {"plugin=crash_start ", "callback=start", "generation=1 "});
  for (int i = 0; i < 2; ++i) {
    server().launch();
    expect_crash(SIGSEGV, {"plugin=crash_start ", "callback=start", "generation=1 "});
  }
  server().restart();
  expect_set_aside("crash_start");
}

TEST(Crashes, one_that_crashes_while_it_is_loaded_is_set_aside_after_three_times) {
  start({.plugins = {"echo"}});
  put("crash_load", "crash_load.so");
  expect_crash(SIGSEGV, {"plugin=crash_load ", "callback=load"});
  for (int i = 0; i < 2; ++i) {
    server().launch();
    expect_crash(SIGSEGV, {"plugin=crash_load ", "callback=load"});
  }
  server().restart();
  expect_set_aside("crash_load");
}

TEST(Crashes, one_that_is_set_aside_is_loaded_again_when_its_file_changes) {
  start({.plugins = {"crash", "echo"}});
  crash_in_event();
  server().restart();
  crash_in_event();
  server().restart();
  crash_in_event();
  server().restart();
  expect_set_aside("crash");
  server().stop();
  server().restart();  // no crash since makes no difference
  expect_set_aside("crash");
  run_program({"/bin/sh", "-c", "touch \"$1\"", "sh", file("crash.so")});
  server().wait_for_log({"plugin loaded", "plugin=crash "});
  crash_in_event();
  server().restart();  // counted anew
  LONGS_EQUAL(0, count_lines(server().process().output(), {"refused "}));
}

TEST(Crashes, one_that_is_set_aside_gives_way_to_a_better_build) {
  start({.plugins = {"echo"}});
  put("crash_start", "generation.so");
  expect_crash(SIGSEGV, {"plugin=crash_start "});
  for (int i = 0; i < 2; ++i) {
    server().launch();
    expect_crash(SIGSEGV, {"plugin=crash_start "});
  }
  server().restart();
  expect_set_aside("generation");
  put("gen_1");
  server().wait_for_log({"plugin loaded", "plugin=generation "});
  WsClient a = connect();
  subscribe(a, "gen:a", "1.0.0");
}

}  // namespace
