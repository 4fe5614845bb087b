// A plugin that is put into the folder of a running server, by whatever tool, serves.
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

// Longer than the time for which nothing must happen to a file.
constexpr std::chrono::milliseconds kLongPause{250};

TEST_GROUP_BASE(DropIn, ChangeGroup) {
  void setup() override { start({.plugins = {"echo"}}); }

  // Runs a line of shell, with $1, $2, ...
  static void shell(const std::string& line, const std::vector<std::string>& arguments,
                    Where where = Where::here()) {
    std::vector<std::string> command = {"/bin/sh", "-ec", line, "sh"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Finished finished = run_program(command, where);
    check(finished.ending.code == 0, line + ": " + finished.errors, where);
  }

  // A built plugin beside the folder, on the same file system.
  std::string beside(const char* build, Where where = Where::here()) {
    const fs::path copy = server().folder().path() / (std::string(build) + ".so");
    std::error_code error;
    fs::copy_file(built_plugin(build), copy, fs::copy_options::overwrite_existing, error);
    check(!error, error.message(), where);
    return copy.string();
  }

  void expect_loaded(const std::string& version, Where where = Where::here()) {
    server().wait_for_log({"plugin loaded", "plugin=generation", "version=" + version}, where);
    WsClient a = connect({}, where);
    subscribe(a, "gen:a", version, where);
    check(logged({"plugin refused"}) == 0, server().process().errors(), where);
  }
  void expect_replaced(int generation, const std::string& version, Where where = Where::here()) {
    wait_for_generation(generation, where);
    WsClient a = connect({}, where);
    subscribe(a, "gen:a", version, where);
    check(logged({"plugin refused"}) == 0, server().process().errors(), where);
  }
};

TEST(DropIn, cp_brings_and_replaces) {
  shell("cp \"$1\" \"$2\"", {built_plugin("gen_1"), file()});
  expect_loaded("1.0.0");
  shell("cp \"$1\" \"$2\"", {built_plugin("gen_2"), file()});
  expect_replaced(2, "2.0.0");
}

TEST(DropIn, mv_brings_and_replaces) {
  shell("mv \"$1\" \"$2\"", {beside("gen_1"), file()});
  expect_loaded("1.0.0");
  shell("mv \"$1\" \"$2\"", {beside("gen_2"), file()});
  expect_replaced(2, "2.0.0");
}

TEST(DropIn, install_brings_and_replaces) {
  shell("install -m 755 \"$1\" \"$2\"", {built_plugin("gen_1"), file()});
  expect_loaded("1.0.0");
  shell("install -m 755 \"$1\" \"$2\"", {built_plugin("gen_2"), file()});
  expect_replaced(2, "2.0.0");
}

TEST(DropIn, a_rename_within_the_folder_brings_and_replaces) {
  shell("cp \"$1\" \"$2\" && mv \"$2\" \"$3\"", {built_plugin("gen_1"), file("x.tmp"), file()});
  expect_loaded("1.0.0");
  shell("cp \"$1\" \"$2\" && mv \"$2\" \"$3\"",
        {built_plugin("gen_2"), file(".generation.so.Ab12"), file()});
  expect_replaced(2, "2.0.0");
}

TEST(DropIn, symbolic_links_bring_and_replace) {
  shell("ln -s \"$1\" \"$2\"", {beside("gen_1"), file()});
  expect_loaded("1.0.0");
  shell("ln -sfn \"$1\" \"$2\"", {beside("gen_2"), file()});
  expect_replaced(2, "2.0.0");
}

TEST(DropIn, hard_links_bring_and_replace) {
  shell("ln \"$1\" \"$2\"", {beside("gen_1"), file()});
  expect_loaded("1.0.0");
  shell("ln -f \"$1\" \"$2\"", {beside("gen_2"), file()});
  expect_replaced(2, "2.0.0");
}

TEST(DropIn, dd_in_pieces_brings_one_plugin_and_not_its_pieces) {
  shell("dd if=\"$1\" of=\"$2\" bs=512 2>/dev/null", {built_plugin("gen_1"), file()});
  expect_loaded("1.0.0");
  expect_logged(1, {"plugin loaded", "plugin=generation"});
}

TEST(DropIn, a_file_that_comes_in_pieces_with_pauses_serves_when_it_is_whole) {
  const std::string bytes = read_file(built_plugin("gen_1"));
  const std::size_t piece = bytes.size() / 3 + 1;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::ofstream(file(), std::ios::binary | std::ios::app) << bytes.substr(at, piece);
    const std::string octets = std::to_string(at + piece) + " octets";
    if (at + piece < bytes.size()) server().wait_for_log({"plugin refused", "cut short", octets});
  }
  server().wait_for_log({"plugin loaded", "plugin=generation", "generation=1"});
  expect_logged(2, {"plugin refused"});
}

TEST(DropIn, a_file_that_is_written_slowly_serves_after_its_end) {
  const std::string bytes = read_file(built_plugin("gen_1"));
  std::ofstream slow(file(), std::ios::binary);
  const std::size_t piece = bytes.size() / 3;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    slow << bytes.substr(at, piece) << std::flush;
    std::this_thread::sleep_for(kLongPause);
  }
  // Whole already, but not closed.
  LONGS_EQUAL(0, logged({"generation.so"}));
  slow.close();
  expect_loaded("1.0.0");
}

TEST(DropIn, a_served_file_that_is_rewritten_slowly_serves_on_until_the_end) {
  put("gen_1");
  expect_loaded("1.0.0");
  WsClient a = connect();
  const std::string bytes = read_file(built_plugin("gen_2"));
  std::ofstream slow(file(), std::ios::binary);  // which empties it
  const std::size_t piece = bytes.size() / 3;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    slow << bytes.substr(at, piece) << std::flush;
    std::this_thread::sleep_for(kLongPause);
    a.send_text(R"(["gen:a","add",1])");
    a.receive();
  }
  LONGS_EQUAL(0, logged({"plugin replaced"}));
  slow.close();
  expect_replaced(2, "2.0.0");
}

TEST(DropIn, sub_folders_and_other_names_are_passed_over) {
  fs::create_directory(file("folder.so"));
  fs::create_directory(file("more"));
  for (const char* name : {"more/generation.so", "folder.so/generation.so", "generation.so.bak",
                           "generation", "generation.SO", ".generation.so", "generation.so~"}) {
    put("gen_1", name);
  }
  put("gen_beside", "beside.so");
  server().wait_for_log({"plugin loaded", "plugin=beside"});
  LONGS_EQUAL(0, logged({"plugin=generation"}));
  LONGS_EQUAL(0, logged({"plugin refused"}));
}

TEST(DropIn, a_folder_that_is_missing_at_the_start_may_come_later) {
  const TemporaryFolder other;
  const fs::path later = other.path() / "later" / "plugins";
  start({.arguments = {"--plugins", later.string()}});
  fs::create_directories(later);
  shell("cp \"$1\" \"$2\"", {built_plugin("gen_1"), later / "generation.so"});
  expect_loaded("1.0.0");
}

TEST(DropIn, a_folder_that_is_removed_and_made_again_is_watched_again) {
  put("gen_1");
  expect_loaded("1.0.0");
  WsClient a = connect();
  subscribe(a, "gen:a", "1.0.0");
  fs::remove_all(server().plugin_folder());
  server().wait_for_log({"plugin removed", "plugin=generation"});
  expect_unloaded(a, "gen:a");
  server().wait_for_log({"plugin removed", "plugin=echo"});
  fs::create_directory(server().plugin_folder());
  put("gen_2");
  server().wait_for_log({"plugin loaded", "plugin=generation", "version=2.0.0", "generation=2"});
  subscribe(a, "gen:a", "2.0.0");
}

TEST(DropIn, a_folder_that_is_swapped_for_another_replaces_what_differs) {
  put("gen_1");
  expect_loaded("1.0.0");
  WsClient a = connect();
  a.send_text(R"(["gen:a","add",5])");
  a.receive();
  const fs::path other = server().folder().path() / "other";
  fs::create_directory(other);
  fs::copy_file(built_plugin("gen_2"), other / "generation.so");
  fs::copy_file(built_plugin("echo"), other / "echo.so");
  shell("mv \"$1\" \"$1.before\" && mv \"$2\" \"$1\"", {server().plugin_folder(), other});
  expect_replaced(2, "2.0.0");
  expect_sum(a, "gen:a", 1, 6);
  expect_echo(a);
}

TEST(DropIn, a_touched_file_is_loaded_again_with_its_state) {
  put("gen_1");
  expect_loaded("1.0.0");
  WsClient a = connect();
  a.send_text(R"(["gen:a","add",5])");
  a.receive();
  shell("touch \"$1\"", {file()});
  expect_replaced(2, "1.0.0");
  expect_sum(a, "gen:a", 1, 6);
}

}  // namespace
