// How plugins are loaded: what is refused, with the reason, while the others serve; and what a
// plugin sees when it starts and stops.
#include <csignal>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(PluginLoading, ServerGroup) {
  // With `refused` in the folder the server starts, serves echo, and has a line in the log that
  // names the file and holds `reason`.
  std::string expect_refused(const char* refused, std::string_view reason,
                             Where where = Where::here()) {
    start({.plugins = {refused, "echo"}}, where);
    const std::string file = std::string(refused) + ".so";
    const std::string line = server().wait_for_log({file, reason}, where);
    check(line.find("level=error") != std::string::npos ||
              line.find("level=warning") != std::string::npos,
          line, where);
    expect_echo(where);
    return line;
  }

  // With a file of these bytes in the folder, likewise.
  void expect_file_refused(const std::string& bytes, Where where = Where::here()) {
    const TemporaryFolder folder;
    folder.write("a_bad.so", bytes);
    std::filesystem::copy_file(built_plugin("echo"), folder.path() / "echo.so");
    start({.arguments = {"--plugins", folder.path().string()}}, where);
    server().wait_for_log({"a_bad.so"}, where);
    expect_echo(where);
    server().stop(where);
  }

  void expect_echo(Where where = Where::here()) {
    WsClient client = connect({}, where);
    client.send_text(R"(["echo:a","echo",1])", where);
    client.expect(R"(["echo:a","echoed",1])", where);
  }

  void expect_served(const char* plugin) {
    start({.plugins = {plugin}});
    converse(R"(
      A > ["odd:x","show",null]
      A < ["odd:x","served",true]
    )");
  }
};

TEST(PluginLoading, one_without_the_symbol_is_refused) {
  expect_refused("no_symbol", "jackfield_plugin_v1");
}

TEST(PluginLoading, one_of_another_major_version_is_refused_with_both_numbers) {
  std::string line = expect_refused("wrong_major", "");
  line.erase(0, line.find("msg="));
  STRCMP_CONTAINS("1", line.c_str());
  STRCMP_CONTAINS("2", line.c_str());
}

TEST(PluginLoading, one_whose_size_is_too_small_is_refused) { expect_refused("small_size", " 8 "); }

TEST(PluginLoading, one_without_start_is_refused) { expect_refused("null_start", "start"); }

TEST(PluginLoading, one_with_a_bad_name_is_refused) { expect_refused("bad_name", "name"); }

TEST(PluginLoading, one_with_an_empty_name_is_refused) { expect_refused("empty_name", "name"); }

TEST(PluginLoading, one_with_a_name_of_33_octets_is_refused) {
  expect_refused("long_name", "name");
}

TEST(PluginLoading, one_that_needs_a_missing_function_is_refused_at_the_start) {
  expect_refused("unresolved", "a_function_that_nobody_has");
}

TEST(PluginLoading, a_table_that_ends_after_start_is_taken) { expect_served("short_table"); }

TEST(PluginLoading, a_longer_table_of_a_later_minor_version_is_taken) {
  expect_served("newer_minor");
}

TEST(PluginLoading, what_is_no_shared_object_is_refused) {
  expect_file_refused("");
  expect_file_refused("this is text");
  expect_file_refused(
      std::string("\x7f"
                  "ELF",
                  4));
  expect_file_refused(std::string(100000, '\0'));
}

TEST(PluginLoading, half_a_plugin_is_refused) {
  const std::string whole = read_file(built_plugin("echo"));
  expect_file_refused(whole.substr(0, 64));
  expect_file_refused(whole.substr(0, whole.size() / 2));
  expect_file_refused(whole.substr(0, whole.size() - 100));
}

TEST(PluginLoading, a_plugin_for_another_machine_is_refused) {
  std::string other = read_file(built_plugin("echo"));
  other[18] = static_cast<char>(0xf3);  // e_machine: RISC-V
  other[19] = 0;
  expect_file_refused(other);
  other = read_file(built_plugin("echo"));
  other[4] = static_cast<char>(other[4] == 1 ? 2 : 1);  // EI_CLASS: the other word size
  expect_file_refused(other);
}

TEST(PluginLoading, a_folder_a_dangling_link_and_other_files_are_passed_over) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "folder.so");
  std::filesystem::create_symlink("/nowhere.so", folder.path() / "dangling.so");
  folder.write("README", "nothing");
  folder.write(".hidden.so.swp", "nothing");
  std::filesystem::copy_file(built_plugin("echo"), folder.path() / "linked");
  std::filesystem::create_symlink("linked", folder.path() / "linked.so");
  start({.arguments = {"--plugins", folder.path().string()}});
  expect_echo();
}

TEST(PluginLoading, the_dropped_file_may_be_overwritten_while_it_serves) {
  start({.plugins = {"echo"}});
  const std::filesystem::path file = server().plugin_folder() / "echo.so";
  const std::size_t size = std::filesystem::file_size(file);
  server().folder().write("plugins/echo.so", std::string(size, 'x'));
  expect_echo();
  std::filesystem::resize_file(file, 0);
  expect_echo();
}

TEST(PluginLoading, of_two_with_one_name_the_first_serves) {
  start({.plugins = {{"echo", "a.so"}, {"echo", "b.so"}}});
  expect_echo();
  server().wait_for_log({"b.so", "echo"});
  LONGS_EQUAL(1, count_lines(server().process().output(), {"plugin     echo"}));
}

TEST(PluginLoading, nothing_stays_of_one_whose_start_fails) {
  start({.plugins = {"start_fails", "timers"}, .server = kDoesNotWaitForCloses});
  server().wait_for_log({"the device is missing", "plugin=start_fails"});
  server().wait_for_log({"start_fails.so"});
  converse(R"(
    A > ["failing:x","subscribe",null]
    A < ["failing:x","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: failing:x"}]
  )");
  // By the time that another's timer has fired, its own would have too.
  WsClient a = connect();
  a.send_text(R"(["timers:watch","subscribe",null])");
  a.receive();
  a.send_text(R"(["timers:watch","once",null])");
  a.receive();
  server().stop();
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"of a failed start"}));
}

TEST(PluginLoading, the_configuration_reaches_the_plugin_as_json) {
  start({.plugins = {"config", "echo"},
         .tables =
             "[plugin.config]\ntext = \"a \\\"ü\\\"\"\ninteger = 9007199254740993\nreal = 2.5\n"
             "yes = true\nlist = [1, [2], {x = 3}]\n[plugin.config.inner]\nkey = \"value\"\n"
             "[plugin.echo]\nother = 1\n"});
  WsClient a = connect();
  a.send_text(R"(["config","show",null])");
  const std::string message = a.receive();
  CHECK_TRUE(same_json(
      payload_of(message, "config", "config"),
      R"({"text":"a \"ü\"","integer":9007199254740993,"real":2.5,"yes":true,"list":[1,[2],{"x":3}],"inner":{"key":"value"}})"));
  STRCMP_CONTAINS("9007199254740993", message.c_str());
}

TEST(PluginLoading, a_plugin_without_a_table_gets_an_empty_object) {
  start({.plugins = {"config"}});
  converse(R"(
    A > ["config","show",null]
    A < ["config","config",{}]
  )");
}

TEST(PluginLoading, stop_gets_the_instance_that_start_gave) {
  start({.plugins = {"config"}});
  server().stop();
  LONGS_EQUAL(1, count_lines(server().process().errors(), {"config starts", "plugin=config"}));
  LONGS_EQUAL(1, count_lines(server().process().errors(), {"config stops with its instance"}));
}

TEST(PluginLoading, the_hosts_table_is_whole) {
  start({.plugins = {"host_table"}});
  converse(R"(
    A > ["host_table","show",null]
    A < ["host_table","seen",{"all":true,"minor":0,"version":"0.1.0","unknown_extension":null}]
  )");
}

// A crash inside a plugin ends the server: it does not go on with a broken one.
TEST(PluginLoading, a_crash_ends_the_server_with_another_code_than_a_mistake) {
  start({.plugins = {"crash", "echo"}});
  WsClient a = connect();
  a.send_text(R"(["crash","now",null])");
  a.expect_gone();
  const std::optional<Ending> ending = server().process().wait();
  CHECK_TRUE(ending.has_value());
  CHECK_TRUE(ending->signal == SIGABRT || ending->code > 3);
  server().forget();
}

}  // namespace
