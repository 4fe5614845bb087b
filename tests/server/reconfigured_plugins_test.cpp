// Another configuration for a running server, as far as plugins are concerned: their tables, and
// what holds for all of them.
#include "tests/support/json.hpp"
#include "tests/support/reconfiguration_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(PluginTables, ReconfigurationGroup) {
  // What `configures` shows of its table.
  void expect_shown(WsClient& client, std::string_view json, Where where = Where::here()) {
    client.send_text(R"(["configures","show",null])", where);
    client.expect(R"(["configures","config",)" + std::string(json) + "]", where);
  }

  // What `restarts` shows: how many it has counted over its generations, and its table.
  void expect_counted(WsClient& client, int counted, std::string_view json,
                      Where where = Where::here()) {
    client.send_text(R"(["restarts","count",null])", where);
    client.expect(
        R"(["restarts","counted",[)" + std::to_string(counted) + "," + std::string(json) + "]]",
        where);
  }

  // What `jackfield status` says of the server.
  std::string status() {
    ChildProcess program({jackfield_executable(), "status",
                          "--pid=" + std::to_string(server().process().pid())},
                         {{"RUNTIME_DIRECTORY", (server().folder().path() / "run").string()}});
    CHECK(program.wait().has_value());
    return program.output();
  }

  void set_table(const std::string& plugin, const std::string& lines) {
    options.tables = kUnwatched + std::string("[plugin.") + plugin + "]\n" + lines + "\n";
  }
};

TEST(PluginTables, one_that_takes_it_live_is_told) {
  begin({.plugins = {"configures"}, .tables = "[plugin.configures]\nx = 1\n"});
  WsClient a = connect();
  expect_shown(a, R"({"x":1})");
  set_table("configures", "x = 2");
  change("plugin.configures");
  server().wait_for_log({"level=info msg=\"plugin configured\" plugin=configures"});
  expect_shown(a, R"({"x":2})");
  options.tables = kUnwatched;
  change("plugin.configures");
  server().wait_for_logs(2, {"plugin configured"});
  expect_shown(a, "{}");
  LONGS_EQUAL(0, count({"generation=2"}));
}

TEST(PluginTables, one_that_refuses_it_keeps_the_old_one_and_is_asked_again) {
  begin({.plugins = {"configures"}, .tables = "[plugin.configures]\nx = 1\n"});
  WsClient a = connect();
  set_table("configures", "refuse = true");
  change("plugin.configures");
  const std::string line =
      server().wait_for_log({"level=error", "plugin keeps its configuration", "plugin=configures"});
  STRCMP_CONTAINS("refuse is true", line.c_str());
  STRCMP_CONTAINS("refuses its table: its configure failed", status().c_str());
  expect_shown(a, R"({"x":1})");
  expect_unchanged();
  server().wait_for_logs(2, {"plugin keeps its configuration"});
  set_table("configures", "x = 3");
  change("plugin.configures");
  server().wait_for_log({"plugin configured"});
  expect_shown(a, R"({"x":3})");
  CHECK(status().find("refuses its table") == std::string::npos);
  STRCMP_CONTAINS("/configures.so\n", status().c_str());
}

TEST(PluginTables, one_that_takes_none_live_is_replaced_with_its_state_and_subscribers) {
  begin({.plugins = {"restarts"}, .tables = "[plugin.restarts]\nx = 1\n"});
  WsClient a = connect();
  a.send_text(R"(["restarts","subscribe",null])");
  a.expect(R"(["restarts","subscribed",{}])");
  expect_counted(a, 1, R"({"x":1})");
  expect_counted(a, 2, R"({"x":1})");
  set_table("restarts", "x = 2");
  change("plugin.restarts");
  const std::string line = server().wait_for_log({"plugin replaced", "plugin=restarts"});
  STRCMP_CONTAINS("generation=2", line.c_str());
  STRCMP_CONTAINS("adopted=1", line.c_str());
  expect_counted(a, 3, R"({"x":2})");
}

TEST(PluginTables, one_whose_next_generation_fails_goes_on_and_is_tried_again) {
  begin({.plugins = {"restarts"}, .tables = "[plugin.restarts]\nx = 1\n"});
  WsClient a = connect();
  expect_counted(a, 1, R"({"x":1})");
  set_table("restarts", "fail = true");
  change("plugin.restarts");
  server().wait_for_log({"level=error", "it is told to fail"});
  server().wait_for_log({"level=error", "plugin refused", "restarts.so", "still=1.2.3"});
  expect_counted(a, 2, R"({"x":1})");
  set_table("restarts", "x = 3");
  change("plugin.restarts");
  server().wait_for_log({"plugin replaced", "plugin=restarts"});
  expect_counted(a, 3, R"({"x":3})");
}

TEST(PluginTables, the_others_are_left_alone) {
  begin({.plugins = {"configures", "restarts"}, .tables = "[plugin.restarts]\nx = 1\n"});
  options.tables += "[plugin.configures]\ny = 1\n[plugin.nobody]\nz = 1\n";
  change("plugin.configures,plugin.nobody");
  server().wait_for_log({"plugin configured", "plugin=configures"});
  server().wait_for_log({"level=warning", "configuration of a plugin that is not there", "nobody"});
  WsClient a = connect();
  expect_counted(a, 1, R"({"x":1})");
  LONGS_EQUAL(1, count({"it starts"}));
}

TEST(PluginTables, a_file_with_a_mistake_reaches_no_plugin) {
  begin({.plugins = {"configures"}, .tables = "[plugin.configures]\nx = 1\n"});
  set_table("configures", "x = 2\n[plugin.Mistaken]");
  STRCMP_CONTAINS("configuration not changed", change().c_str());
  WsClient a = connect();
  expect_shown(a, R"({"x":1})");
  set_table("configures", "x = nan");
  STRCMP_CONTAINS("configuration not changed", change().c_str());
  server().wait_for_log({"mistake in the configuration", "plugin.configures.x: must be a finite"});
  expect_shown(a, R"({"x":1})");
}

// What is set in [plugins] for all of them.
TEST_GROUP_BASE(PluginSettings, ReconfigurationGroup) {
  // Waits of `restarts` for a file, which the test makes.
  std::string file(const char* name) { return (server().folder().path() / name).string(); }
  void set_waits(const std::string& member, const char* name) {
    options.tables = kUnwatched + std::string("[plugin.restarts]\n") + member + " = \"" +
                     file(name) + "\"\n";
  }
};

TEST(PluginSettings, the_order_changes_who_serves_a_topic) {
  begin({.plugins = {"overlap_one", "overlap_two"}});
  WsClient a = connect();
  const auto served_by = [&a] { return a.request(R"(["both:x","who",null])"); };
  STRCMP_CONTAINS("overlap_one", served_by().c_str());
  options.loading = "order = [\"overlap_two\"]";
  change("plugins.order");
  STRCMP_CONTAINS("overlap_two", served_by().c_str());
}

TEST(PluginSettings, the_budget_of_a_call_changes) {
  begin({.plugins = {"slow"}, .loading = "callback_budget_s = 3600"});
  WsClient a = connect();
  a.send_text(R"(["slow","sleep",100])");
  a.expect(R"(["slow","awake",true])");
  options.loading = "callback_budget_s = 0.05";
  change("plugins.callback_budget_s");
  a.send_text(R"(["slow","sleep",100])");
  a.expect(R"(["slow","awake",true])");
  server().wait_for_log({"level=warning", "plugin held up the loop", "plugin=slow"});
  LONGS_EQUAL(1, count({"plugin held up the loop"}));
}

TEST(PluginSettings, the_time_for_a_start_changes) {
  begin({.plugins = {"restarts"}, .loading = "start_timeout_s = 3600"});
  options.loading = "start_timeout_s = 0.05";
  set_waits("start_waits", "go");
  change("plugins.start_timeout_s,plugin.restarts");
  server().wait_for_log({"level=error", "plugin refused", "its start did not return within 50 ms"});
  WsClient a = connect();
  a.send_text(R"(["restarts","count",null])");
  a.expect(R"(["restarts","counted",[1,{}]])");
  server().folder().write("go", "");
}

TEST(PluginSettings, the_time_for_what_was_begun_changes) {
  begin({.plugins = {"restarts"}, .loading = "drain_timeout_s = 3600"});
  WsClient a = connect();
  a.send_text(R"(["restarts","never",null])");
  a.expect_nothing();
  options.loading = "drain_timeout_s = 0.05";
  options.tables += "[plugin.restarts]\nx = 1\n";
  change("plugins.drain_timeout_s,plugin.restarts");
  server().wait_for_log({"plugin replaced", "generation=2"});
  STRCMP_EQUAL("INTERNAL_ERROR",
               string_member(payload_of(a.receive(), "restarts", "error"), "code").c_str());
}

TEST(PluginSettings, the_time_for_a_stop_changes) {
  begin({.plugins = {"restarts"}, .loading = "stop_timeout_s = 3600"});
  set_waits("stop_waits", "go");
  change("plugin.restarts");
  server().wait_for_log({"plugin replaced", "generation=2"});
  options.loading = "stop_timeout_s = 0.05";
  options.tables = kUnwatched;
  change("plugins.stop_timeout_s,plugin.restarts");
  server().wait_for_log({"level=error", "plugin does not stop", "generation=2"});
  server().folder().write("go", "");
}

}  // namespace
