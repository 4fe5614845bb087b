// The log: one line an event, logfmt, with levels.
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

#include <regex>

namespace {

using namespace jackfield::test;

std::size_t count_all_lines(const std::string& text) { return count_lines(text, {}); }

TEST_GROUP_BASE(Logging, ServerGroup) {
  void provoke() {
    WsClient a = connect();
    a.send_text(R"(["logs","log",null])");
    a.expect(R"(["logs","logged",true])");
  }
};

TEST(Logging, every_line_has_time_level_and_message) {
  start({.plugins = {"logs", "echo", "no_symbol"}, .log_level = "debug"});
  provoke();
  converse(R"(
    A > ["echo:a","nothing like this",null]
    A > no json
    A < ["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}]
  )");
  client("A").close();
  server().stop();
  const std::regex form(
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(error|warning|info|debug) msg=("([^"\\]|\\.)*"|[^ "]+)( [a-z0-9_]+=("([^"\\]|\\.)*"|[^ "]*))*)");
  std::istringstream lines(server().process().errors());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    check(std::regex_match(line, form), "not logfmt: " + line);
  }
  CHECK_TRUE(count > 5);
}

TEST(Logging, a_plugins_lines_have_its_name_and_fields) {
  start({.plugins = {"logs"}});
  provoke();
  const std::string line = server().wait_for_log({"a warning line"});
  for (const char* part : {"level=warning", "msg=\"a warning line\"", "plugin=logs", "plain=value",
                           "spaced=\"two words\"", "quoted=\"say \\\"hi\\\" = 1\"",
                           "lines=\"first\\nlevel=error msg=forged\""}) {
    STRCMP_CONTAINS(part, line.c_str());
  }
  CHECK_TRUE(line.find("unseen") == std::string::npos);
  server().wait_for_log({"level=error", "an error line", "plugin=logs"});
  server().wait_for_log({"level=info", "an info line", "plugin=logs"});
}

TEST(Logging, no_text_can_forge_a_line) {
  start({.plugins = {"logs", "echo"}, .server = kDoesNotWaitForCloses});
  provoke();
  converse(R"(
    A > ["echo:\nlevel=error msg=forged\u001b[31m","nothing\nlevel=error msg=forged",null]
  )");
  server().stop();
  std::istringstream lines(server().process().errors());
  for (std::string line; std::getline(lines, line);) {
    check(line.find("Z level=") != std::string::npos, "a line without its begin: " + line);
    check(line.find('\x1b') == std::string::npos, "a raw control character: " + line);
  }
}

TEST(Logging, the_level_holds_back_what_is_below_it) {
  start({.plugins = {"logs"}, .log_level = "warning"});
  provoke();
  server().stop();
  const std::string errors = server().process().errors();
  LONGS_EQUAL(1, count_lines(errors, {"a warning line"}));
  LONGS_EQUAL(1, count_lines(errors, {"an error line"}));
  LONGS_EQUAL(0, count_lines(errors, {"an info line"}));
  LONGS_EQUAL(0, count_lines(errors, {"a debug line"}));
  LONGS_EQUAL(0, count_lines(errors, {"a line of no level"}));
}

TEST(Logging, the_debug_level_shows_all) {
  start({.plugins = {"logs"}, .log_level = "debug"});
  provoke();
  server().wait_for_log({"level=debug", "a debug line"});
}

TEST(Logging, a_busy_server_does_not_log_each_message) {
  start({.plugins = {"echo"}, .server = kDoesNotWaitForCloses});
  WsClient a = connect();
  for (int i = 0; i < 200; ++i) {
    a.send_text(R"(["echo:a","echo",1])");
    a.send_text("no json");
    a.send_text(R"(["nowhere","echo",1])");
  }
  for (int i = 0; i < 600; ++i) a.receive();
  server().stop();
  CHECK_TRUE(count_all_lines(server().process().errors()) < 60);
}

TEST(Logging, repeats_are_held_down) {
  start({.plugins = {"echo"}, .server = kDoesNotWaitForCloses});
  WsClient a = connect();
  for (int i = 0; i < 1000; ++i) a.send_text(R"(["echo:a","never heard of",1])");
  a.expect_nothing();
  server().stop();
  const std::size_t count = count_lines(server().process().errors(), {"never heard of"});
  CHECK_TRUE(count >= 1 && count <= 100);
}

TEST(Logging, a_line_about_a_connection_has_its_id_and_topic) {
  start({.plugins = {"echo"}});
  converse(R"(
    A > ["echo:a","never heard of",1]
  )");
  const std::string line = server().wait_for_log({"never heard of"});
  STRCMP_CONTAINS("conn=", line.c_str());
  STRCMP_CONTAINS("topic=echo:a", line.c_str());
}

}  // namespace
