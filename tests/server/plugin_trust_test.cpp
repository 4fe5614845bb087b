// Plugins that others could change: refused, or loaded with a warning where the configuration says
// so. Files are given away only where the tests run as root.
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/support/change_group.hpp"
#include "tests/support/reconfiguration_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

void set_mode(unsigned mode, const fs::path& path) {
  check(::chmod(path.c_str(), static_cast<mode_t>(mode)) == 0, "chmod " + path.string());
}

TEST_GROUP_BASE(PluginTrust, ReconfigurationGroup) {
  static constexpr const char* kServed = R"(
    A > ["echo:a","echo",1]
    A < ["echo:a","echoed",1]
  )";

  // A folder whose plugin is echo.so, for --plugins.
  const TemporaryFolder folder;
  const fs::path plugins = (fs::create_directory(folder.path() / "plugins"),
                            folder.path() / "plugins");
  const fs::path plugin = (fs::copy_file(built_plugin("echo"), plugins / "echo.so"),
                           plugins / "echo.so");

  void start_here(const std::string& loading = "", Where where = Where::here()) {
    begin({.loading = loading, .arguments = {"--plugins", plugins.string()}}, where);
  }
  // It is said at the start and in the log that `place` is why the file is not loaded.
  void expect_refused(const fs::path& file, const std::string& place,
                      Where where = Where::here()) {
    const std::string said = server().process().output();
    check(count_lines(said, {"refused    " + file.string(), "others can change it: the " + place})
              == 1,
          said, where);
    server().wait_for_log({"level=error", "plugin refused", "file=" + file.string(),
                           "others can change it: the " + place}, where);
  }
};

TEST(PluginTrust, a_file_that_all_can_write_is_refused_with_owner_mode_and_what_mends_it) {
  set_mode(0666, plugin);
  start_here();
  expect_refused(plugin, "file " + plugin.string());
  const std::string said = server().process().output();
  LONGS_EQUAL(1, count_lines(said, {"refused    ", ", mode 0666) is writable by all; "
                                    "\"chmod go-w " + plugin.string() + "\" mends that"}));
  const Finished status = run_program({jackfield_executable(), "status", "--pid",
                                       std::to_string(server().process().pid()), "--config",
                                       server().folder().write("s.toml",
          "[plugins]\nruntime_directory = \"run\"\n").string()});
  LONGS_EQUAL(1, count_lines(status.output, {"refused      " + plugin.string(), "mode 0666"}));
}

TEST(PluginTrust, a_folder_that_all_can_write_is_refused_also_further_up) {
  set_mode(0777, plugins);
  start_here();
  expect_refused(plugin, "folder " + plugins.string());
  server().stop();
  set_mode(0755, plugins);
  set_mode(0777, folder.path());
  server().restart();
  expect_refused(plugin, "folder " + folder.path().string());
}

TEST(PluginTrust, a_link_out_of_the_folder_counts_where_it_leads) {
  const fs::path elsewhere = folder.path() / "elsewhere";
  fs::create_directory(elsewhere);
  fs::rename(plugin, elsewhere / "real.so");
  fs::create_symlink("../elsewhere/real.so", plugin);
  set_mode(0777, elsewhere);
  start_here();
  expect_refused(plugin, "folder " + elsewhere.string());
}

TEST(PluginTrust, what_was_mended_is_loaded_on_a_hangup) {
  set_mode(0666, plugin);
  start_here();
  expect_refused(plugin, "file ");
  set_mode(0644, plugin);
  hang_up();
  server().wait_for_log({"plugin loaded", "plugin=echo"});
  converse(kServed);
}

TEST(PluginTrust, a_file_that_comes_while_it_runs_is_judged_likewise) {
  start_here();
  converse(kServed);
  const fs::path coming = folder.path() / "coming.so";
  fs::copy_file(built_plugin("chat"), coming);
  set_mode(0666, coming);
  fs::rename(coming, plugins / "chat.so");
  server().wait_for_log({"plugin refused", "chat.so", "others can change it: the file "});
  // And one that was good goes on where its successor is not.
  fs::copy_file(built_plugin("echo"), coming);
  set_mode(0666, coming);
  fs::rename(coming, plugin);
  server().wait_for_log({"plugin refused", "echo.so", "others can change it: ", "still=1.0.0"});
  converse(kServed);
}

TEST(PluginTrust, where_the_configuration_allows_it_it_is_loaded_with_a_warning_each_time) {
  set_mode(0666, plugin);
  start_here("allow_writable_by_others = true");
  LONGS_EQUAL(0, count_lines(server().process().output(), {"refused"}));
  const std::initializer_list<std::string_view> warning = {
      "level=warning", "plugin loaded though others can change it", "echo.so", "mode 0666"};
  server().wait_for_log(warning);
  converse(kServed);
  const fs::path coming = folder.path() / "coming.so";
  fs::copy_file(built_plugin("echo"), coming);
  set_mode(0666, coming);
  fs::rename(coming, plugin);
  server().wait_for_log({"plugin replaced", "generation=2"});
  LONGS_EQUAL(2, count(warning));
}

TEST(PluginTrust, that_can_be_allowed_and_forbidden_while_it_runs) {
  set_mode(0666, plugin);
  start_here();
  expect_refused(plugin, "file ");
  options.loading = "allow_writable_by_others = true";
  ReconfigurationGroup::change("plugins.allow_writable_by_others");
  server().wait_for_log({"plugin loaded", "plugin=echo"});
  converse(kServed);
  // What serves goes on; what comes is refused again.
  options.loading = "";
  ReconfigurationGroup::change("plugins.allow_writable_by_others");
  converse(kServed);
  run_program({"/bin/sh", "-c", "touch \"$1\"", "sh", plugin.string()});
  server().wait_for_log({"plugin refused", "others can change it: ", "still=1.0.0"});
  converse(kServed);
}

TEST(PluginTrust, a_strangers_file_is_refused_even_where_only_he_can_write_it) {
  if (::geteuid() != 0) {
    UT_PRINT("SKIPPED: only root can give a file away");
    return;
  }
  LONGS_EQUAL(0, ::chown(plugin.c_str(), 4711, 4711));
  start_here();
  expect_refused(plugin, "file " + plugin.string());
  LONGS_EQUAL(1, count_lines(server().process().output(),
                             {"refused    ", "\"chown root " + plugin.string() + "\""}));
}

TEST(PluginTrust, a_runtime_folder_in_which_others_could_swap_copies_is_no_start) {
  const fs::path bad = folder.path() / "bad";
  fs::create_directory(bad);
  set_mode(0777, bad);
  const std::string configuration =
      folder.write("j.toml", "[server]\nlisten = [\"127.0.0.1:0\"]\n[plugins]\n"
                             "runtime_directory = \"bad\"\n").string();
  const Finished finished = run_program({jackfield_executable(), "--config", configuration});
  LONGS_EQUAL(3, finished.ending.code);
  STRCMP_CONTAINS("others could change copies in it: the folder ", finished.errors.c_str());
  STRCMP_CONTAINS("chmod go-w", finished.errors.c_str());
  CHECK(fs::is_empty(bad));
}

TEST(PluginTrust, inspect_says_the_same_and_runs_nothing_of_it) {
  set_mode(0666, plugin);
  const Finished refused = run_program({jackfield_executable(), "inspect", plugin.string()});
  LONGS_EQUAL(3, refused.ending.code);
  STRCMP_CONTAINS("would be refused: others can change it: the file ", refused.errors.c_str());
  const std::string allowing =
      folder.write("j.toml", "[plugins]\nallow_writable_by_others = true\n").string();
  const Finished allowed = run_program(
      {jackfield_executable(), "inspect", plugin.string(), "--config", allowing});
  LONGS_EQUAL(0, allowed.ending.code);
  STRCMP_CONTAINS("plugin loaded though others can change it", allowed.errors.c_str());
}

TEST(PluginTrust, nothing_that_the_server_makes_is_for_others_to_write) {
  begin({.plugins = {"echo"}, .wrapper = {"/bin/sh", "-c", "umask 0; exec \"$@\"", "sh"}});
  const fs::path run = server().folder().path() / "run";
  std::size_t looked_at = 0;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    struct stat info {};
    LONGS_EQUAL(0, ::lstat(entry.path().c_str(), &info));
    check((info.st_mode & (S_IWGRP | S_IWOTH)) == 0, entry.path().string());
    ++looked_at;
  }
  CHECK(looked_at > 1);
}

}  // namespace
