// What of a plugin is not run on the loop may hang, and clients of the others do not notice: a
// static constructor, the destructor of a thread-local object.
#include <string>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(SlowConstructors, ChangeGroup) {
  // The others come first: nothing can be loaded while one hangs.
  void begin(bool is_there_at_start = false, Where where = Where::here()) {
    ServerOptions options{.plugins = {"echo"},
                          .loading = "start_timeout_s = 0.3\norder = [\"echo\"]",
                          .log_level = "debug"};
    if (is_there_at_start) options.plugins.emplace_back("constructor_hangs");
    start(options, where);
    if (!is_there_at_start) put("constructor_hangs", "constructor_hangs.so", where);
    server().wait_for_log({"plugin refused", "constructor_hangs.so",
                           "it could not be opened within 300 ms: a constructor of it hangs"},
                          where);
  }
  void let_constructor_go() { server().folder().write("run/constructor-go", ""); }
};

TEST(SlowConstructors, one_that_hangs_is_refused_and_the_others_serve) {
  begin();
  expect_echo(client("A"));
  put("gen_beside", "beside.so");
  expect_echo(client("A"));
  let_constructor_go();
  server().wait_for_log({"plugin unmapped", "plugin=constructor_hangs"});
  server().wait_for_log({"plugin loaded", "plugin=beside"});
  LONGS_EQUAL(0, logged({"plugin loaded", "plugin=constructor_hangs"}));
  // Its time is over, but another time it may do better.
  put("constructor_hangs", "constructor_hangs.so");
  server().wait_for_log({"plugin loaded", "plugin=constructor_hangs"});
  converse(R"(
    A > ["constructor_hangs","x",null]
    A < ["constructor_hangs","here",true]
  )");
}

TEST(SlowConstructors, one_that_hangs_at_the_start_keeps_no_server_from_serving) {
  begin(true);
  expect_echo(client("A"));
  let_constructor_go();
  server().wait_for_log({"plugin unmapped", "plugin=constructor_hangs"});
}

TEST(SlowConstructors, what_changes_while_one_hangs_is_seen_after_it) {
  begin();
  put("gen_1");
  remove("constructor_hangs.so");
  remove("echo.so");
  let_constructor_go();
  server().wait_for_log({"plugin loaded", "plugin=generation"});
  server().wait_for_log({"plugin removed", "plugin=echo"});
  subscribe(client("A"), "gen:a", "1.0.0");
}

TEST(SlowConstructors, the_server_ends_while_one_hangs) {
  begin();
  expect_echo(client("A"));
  client("A").close();
  server().stop();
}

// ---- thread-local objects

TEST(SlowConstructors, a_thread_local_object_that_goes_slowly_holds_up_nobody) {
  const TemporaryFolder control;
  const std::string until = (control.path() / "go").string();
  start({.plugins = {"echo"},
         .loading = "start_timeout_s = 60",
         .tables = "[plugin.slow_thread_local]\nuntil = \"" + until + "\"\n",
         .log_level = "debug"});
  put("slow_thread_local", "slow.so");
  server().wait_for_log({"waits in a destructor"});
  for (int i = 0; i < 20; ++i) expect_echo(client("A"));
  LONGS_EQUAL(0, logged({"plugin loaded", "plugin=slow_thread_local"}));
  control.write("go", "");
  server().wait_for_log({"plugin loaded", "plugin=slow_thread_local"});
  converse(R"(
    A > ["slow_thread_local","x",null]
    A < ["slow_thread_local","here",true]
  )");
  put("slow_thread_local", "slow.so");
  server().wait_for_log({"plugin replaced", "plugin=slow_thread_local"});
  server().wait_for_log({"plugin unmapped", "plugin=slow_thread_local", "generation=1"});
}

}  // namespace
