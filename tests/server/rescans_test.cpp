// What makes the server look at its plugins again, and what does not make it lose them.
#include <fcntl.h>
#include <stdio.h>

#include <csignal>
#include <cstring>
#include <string>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

TEST_GROUP_BASE(Rescans, ChangeGroup) {
  void hang_up() { server().process().signal(SIGHUP); }
};

TEST(Rescans, a_signal_has_refused_files_tried_again) {
  start({.plugins = {"echo", "start_fails"}});
  expect_logged(1, {"plugin refused", "start_fails.so"});
  hang_up();
  expect_logged(2, {"plugin refused", "start_fails.so"});
  hang_up();
  expect_logged(3, {"plugin refused", "start_fails.so"});
  LONGS_EQUAL(1, logged({"plugin loaded", "plugin=echo"}));
  LONGS_EQUAL(0, logged({"plugin replaced"}));
}

TEST(Rescans, one_that_was_refused_for_the_hosts_fault_serves_when_it_is_tried_again) {
  serve("gen_start_waits", {.loading = "start_timeout_s = 0.75"});
  server().wait_for_log({"plugin refused", "generation.so", "start did not return within 750 ms"});
  let_go();
  server().wait_for_log({"has waited in its start"});
  hang_up();
  server().wait_for_log({"plugin loaded", "plugin=generation", "version=2.4.0"});
  subscribe(client("A"), "gen:a", "2.4.0");
}

TEST(Rescans, one_that_waits_for_a_name_is_not_tried_in_vain) {
  serve("gen_1");
  put("gen_2", "second.so");
  expect_logged(1, {"plugin refused", "second.so"});
  hang_up();
  put("gen_beside", "beside.so");
  server().wait_for_log({"plugin loaded", "plugin=beside"});
  expect_logged(1, {"plugin refused"});
}

TEST(Rescans, a_folder_that_cannot_be_read_for_a_moment_loses_nothing) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  // A link to itself (ELOOP), which binds root too, takes the folder's place at once.
  const fs::path folder = server().plugin_folder();
  const fs::path loop = server().folder().path() / "loop";
  fs::create_symlink(folder, loop);
  const auto exchange = [&] {
    const int result =
        ::renameat2(AT_FDCWD, folder.c_str(), AT_FDCWD, loop.c_str(), RENAME_EXCHANGE);
    check(result == 0, std::strerror(errno));
  };
  exchange();
  server().wait_for_log({"changes of files are looked for, not told"});
  hang_up();
  expect_echo(client("A"));
  exchange();
  server().wait_for_log({"changes of files are told again"});
  LONGS_EQUAL(0, logged({"plugin removed"}));
  LONGS_EQUAL(0, logged({"plugin replaced"}));
  replace("gen_2", 2);
  expect_sum(client("A"), "gen:a", 1, 1);
  client("A").expect_nothing();
  LONGS_EQUAL(0, logged({"plugin removed"}));
}

}  // namespace
