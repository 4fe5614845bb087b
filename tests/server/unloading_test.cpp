// What stays of a generation that has been replaced: nothing, or its image, with the reason.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

TEST_GROUP_BASE(Unloading, ChangeGroup) {
  // Starts a server with that plugin alone, and echo where that is another.
  void begin(const char* plugin, const std::string& table = {}, Where where = Where::here()) {
    ServerOptions options{.plugins = {{plugin, "plugin.so"}}, .log_level = "debug"};
    if (std::string_view(plugin) != "echo") options.plugins.emplace_back("echo");
    if (!table.empty()) {
      options.tables = "[plugin." + std::string(plugin) + "]\n" + table + "\n";
    }
    plugin_ = plugin;
    start(options, where);
  }

  // The same file again, which is a new generation.
  void replace_by_itself(int generation, Where where = Where::here()) {
    put(plugin_.c_str(), "plugin.so", where);
    server().wait_for_log({"plugin replaced", "plugin=" + plugin_ + " ",
                           "generation=" + std::to_string(generation) + " "},
                          where);
  }

  void expect_unmapped(int generation, Where where = Where::here()) {
    server().wait_for_log(
        {"plugin unmapped", "plugin=" + plugin_ + " ", "generation=" + std::to_string(generation)},
        where);
  }
  // The line, which holds the reason too.
  void expect_stays(int generation, std::string_view reason, Where where = Where::here()) {
    server().wait_for_log({"plugin stays mapped", "plugin=" + plugin_ + " ",
                           "generation=" + std::to_string(generation) + " ", reason},
                          where);
  }

  // The plugin's newest generation serves: the client's event on its topic, which is its name, has
  // this answer (an event and a payload) and no other.
  void expect_answer(const std::string& event, const std::string& answer,
                     Where where = Where::here()) {
    converse("A > [\"" + plugin_ + "\",\"" + event + "\",null]\n" +
                 "A < [\"" + plugin_ + "\"," + answer + "]",
             where);
  }

  fs::path process() { return fs::path("/proc") / std::to_string(server().process().pid()); }

  static std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }

  // Of plugin.so, by the paths of their private copies, plugin.NUMBER.so.
  std::size_t mapped_images() {
    std::vector<std::string> paths;
    std::ifstream maps(process() / "maps");
    for (std::string line; std::getline(maps, line);) {
      const std::size_t path = line.find('/');
      if (path == std::string::npos || line.find("plugin.", path) == std::string::npos) continue;
      paths.push_back(line.substr(path));
    }
    std::sort(paths.begin(), paths.end());
    const auto end = std::unique(paths.begin(), paths.end());
    return static_cast<std::size_t>(end - paths.begin());
  }

  // Of one that is built as it should be nothing stays, however often it is replaced.
  void expect_nothing_stays(const char* plugin, Where where = Where::here()) {
    begin(plugin, {}, where);
    check(mapped_images() == 1, "one image at first", where);
    replace_by_itself(2, where);
    expect_unmapped(1, where);
    const std::size_t threads = entries(process() / "task");
    const std::size_t descriptors = entries(process() / "fd");
    for (int generation = 3; generation <= 6; ++generation) {
      replace_by_itself(generation, where);
      expect_unmapped(generation - 1, where);
      check(mapped_images() == 1, std::to_string(mapped_images()) + " images", where);
    }
    check(entries(process() / "task") == threads, "other threads than before", where);
    check(entries(process() / "fd") == descriptors, "other descriptors than before", where);
    check(logged({"stays mapped"}) == 0, server().process().errors(), where);
  }

  std::string plugin_;
};

TEST(Unloading, nothing_stays_of_plugins_in_c_and_in_cpp) {
  expect_nothing_stays("echo");
  server().stop();
  expect_nothing_stays("chat");
  server().stop();
  expect_nothing_stays("timers");
}

TEST(Unloading, a_removed_plugin_is_unmapped_and_so_is_one_that_was_refused) {
  begin("chat");
  put("start_fails", "bad.so");
  server().wait_for_log({"plugin refused", "bad.so"});
  server().wait_for_log({"plugin unmapped", "plugin=start_fails"});
  remove("plugin.so");
  server().wait_for_log({"plugin removed", "plugin=chat"});
  expect_unmapped(1);
  LONGS_EQUAL(0, mapped_images());
}

TEST(Unloading, no_dropped_file_is_mapped_itself) {
  begin("chat");
  replace_by_itself(2);
  std::ifstream maps(process() / "maps");
  for (std::string line; std::getline(maps, line);) {
    CHECK_TRUE(line.find(server().plugin_folder().string()) == std::string::npos);
  }
}

TEST(Unloading, an_image_that_a_thread_still_runs_stays) {
  begin("lingering_thread");
  replace_by_itself(2);
  expect_stays(1, "thread");
  LONGS_EQUAL(2, mapped_images());
  expect_answer("x", R"("here",true)");
  expect_echo(client("A"));
}

// The tables of the generations that stayed are there as long as somebody may call them.
TEST(Unloading, a_thread_that_stays_may_go_on_calling_the_host) {
  const TemporaryFolder control;
  begin("lingering_thread",
        "calls = true\nuntil = \"" + (control.path() / "go").string() + "\"");
  WsClient& a = client("A");
  for (int generation = 2; generation <= 4; ++generation) {
    replace_by_itself(generation);
    expect_stays(generation - 1, "thread");
    for (int i = 0; i < 50; ++i) expect_echo(a);
  }
  LONGS_EQUAL(0, logged({"a lingering thread ends"}));
  control.write("go", "");
  server().process().wait_for_errors(4, {"a lingering thread ends", "plugin=lingering_thread"});
  expect_logged(4, {"a lingering thread ends"});
  LONGS_EQUAL(4, mapped_images());
  // Nobody was served by those that had been replaced.
  expect_echo(a);
  a.expect_nothing();
}

TEST(Unloading, one_whose_thread_is_joined_goes) {
  begin("lingering_thread", "joined = true");
  replace_by_itself(2);
  expect_unmapped(1);
  LONGS_EQUAL(1, mapped_images());
}

TEST(Unloading, an_image_with_a_thread_local_object_of_the_loop_stays) {
  begin("thread_local_object");
  replace_by_itself(2);
  expect_unmapped(1);  // nobody has touched it
  expect_answer("touch", R"("touched",1)");
  replace_by_itself(3);
  expect_stays(2, "thread-local");
  expect_answer("touch", R"("touched",1)");
}

TEST(Unloading, an_image_that_exports_unique_symbols_stays) {
  begin("unique");
  expect_answer("count", R"("counted",1)");
  replace_by_itself(2);
  expect_stays(1, "unique");
  expect_answer("count", R"("counted",2)");
}

TEST(Unloading, an_image_that_is_linked_to_stay_stays) {
  begin("nodelete");
  replace_by_itself(2);
  expect_stays(1, "nodelete");
  expect_answer("x", R"("here",true)");
}

// ---- a served file that is written over in place

TEST(Unloading, a_file_that_is_written_over_in_place_serves_on_until_its_end) {
  serve("gen_1");
  WsClient& a = client("A");
  subscribe(a, "gen:a", "1.0.0");
  const std::string bytes = read_file(built_plugin("gen_2"));
  std::fstream over(file(), std::ios::binary | std::ios::in | std::ios::out);
  CHECK_TRUE(over.is_open());
  int count = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 256) {
    over << bytes.substr(at, 256) << std::flush;
    expect_sum(a, "gen:a", 1, ++count);
  }
  LONGS_EQUAL(0, logged({"plugin replaced"}));
  over.close();
  wait_for_generation(2);
  expect_who(a, R"({"version":"2.0.0","from":"1.0.0","count":)" + std::to_string(count) +
                    R"(,"adopted":1})");
  LONGS_EQUAL(0, logged({"plugin refused"}));
}

TEST(Unloading, dd_writes_over_a_served_file_octet_by_octet) {
  serve("gen_1");
  WsClient& a = client("A");
  subscribe(a, "gen:a", "1.0.0");
  ChildProcess writer({"/bin/sh", "-ec", "dd if=\"$1\" of=\"$2\" bs=1 conv=notrunc 2>/dev/null",
                       "sh", built_plugin("gen_2"), file()});
  int count = 0;
  const Deadline deadline;
  while (!server().process().wait_for_error({"plugin replaced", "plugin=generation "},
                                            Deadline(std::chrono::milliseconds(0)))) {
    CHECK_TRUE(deadline.milliseconds() > 0);
    expect_sum(a, "gen:a", 1, ++count);
  }
  LONGS_EQUAL(0, writer.wait()->code);
  LONGS_EQUAL(0, logged({"plugin refused"}));
  subscribe(a, "gen:a", "2.0.0");
}

}  // namespace
