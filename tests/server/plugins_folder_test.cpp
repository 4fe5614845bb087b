// The plugins folder as a whole vanishes, in several ways, and comes back. (An unmounted one, and
// one that may not be read any more, are in tests/faults.sh: they take root, and nobody.)
#include <filesystem>
#include <string>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

TEST_GROUP_BASE(PluginsFolder, ChangeGroup) {
  fs::path folder() { return server().plugin_folder(); }
  fs::path beside() { return server().folder().path() / "elsewhere"; }

  void begin() {
    serve("gen_1");
    subscribe(client("A"), "gen:a", "1.0.0");
    expect_sum(client("A"), "gen:a", 1, 1);
  }
  // Both plugins have gone, and nobody has lost the connection.
  void expect_gone() {
    server().wait_for_log({"plugin removed", "plugin=generation"});
    server().wait_for_log({"plugin removed", "plugin=echo"});
    expect_unloaded(client("A"), "gen:a");
    client("A").expect_nothing();
  }
  void expect_back(const char* version, int generation) {
    server().wait_for_log({"plugin loaded", "plugin=generation",
                           "generation=" + std::to_string(generation)});
    server().wait_for_logs(2, {"plugin loaded", "plugin=echo"});
    subscribe(client("A"), "gen:a", version);
    expect_echo(client("A"));
  }
};

TEST(PluginsFolder, moved_away_and_back) {
  begin();
  fs::rename(folder(), beside());
  expect_gone();
  fs::rename(beside(), folder());
  expect_back("1.0.0", 2);
}

TEST(PluginsFolder, removed_and_made_again) {
  begin();
  fs::remove_all(folder());
  expect_gone();
  fs::create_directory(folder());
  put("gen_2");
  put("echo", "echo.so");
  expect_back("2.0.0", 2);
}

TEST(PluginsFolder, a_file_in_its_place) {
  begin();
  fs::rename(folder(), beside());
  server().folder().write("plugins", "no folder");
  expect_gone();
  fs::remove(folder());
  fs::rename(beside(), folder());
  expect_back("1.0.0", 2);
}

TEST(PluginsFolder, a_link_that_leads_nowhere_and_then_to_another) {
  begin();
  fs::rename(folder(), beside());
  fs::create_directory_symlink(server().folder().path() / "nowhere", folder());
  expect_gone();
  fs::remove(folder());
  fs::create_directory_symlink(beside(), folder());
  expect_back("1.0.0", 2);
}

TEST(PluginsFolder, swapped_for_another_in_one_go_the_plugins_are_replaced) {
  begin();
  fs::create_directory(beside());
  fs::copy_file(built_plugin("gen_2"), beside() / "generation.so");
  fs::copy_file(built_plugin("echo"), beside() / "echo.so");
  const fs::path link = server().folder().path() / "link";
  fs::rename(folder(), server().folder().path() / "old");
  // No moment without one, from here on: the way of an update by symbolic links.
  fs::create_directory_symlink(server().folder().path() / "old", folder());
  fs::create_directory_symlink(beside(), link);
  fs::rename(link, folder());
  server().wait_for_log({"plugin", "plugin=generation ", "version=2.0.0"});
  WsClient b = connect();
  subscribe(b, "gen:b", "2.0.0");
  expect_echo(b);
}

}  // namespace
