// A call of a plugin that holds up the loop is said.
#include <string>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(SlowCalls, ChangeGroup) {};

TEST(SlowCalls, one_warning_names_plugin_function_channel_topic_event_and_time) {
  serve("gen_1");
  converse(R"(
    A > ["gen:a","block",80]
    A < ["gen:a","blocked",null]
  )");
  const std::string line = server().wait_for_log({"plugin held up the loop", "event=block"});
  for (const char* part : {"level=warning", "plugin=generation ", "version=1.0.0 ",
                           "function=event ", "channel=gen:<name> ", "topic=gen:a "}) {
    STRCMP_CONTAINS(part, line.c_str());
  }
  const std::size_t ms = line.find(" ms=");
  CHECK_TRUE(ms != std::string::npos);
  CHECK_TRUE(std::stol(line.substr(ms + 4)) >= 80);
  expect_logged(1, {"plugin held up the loop", "event=block"});
}

TEST(SlowCalls, what_a_plugin_does_beside_the_loop_may_take_its_time) {
  serve("gen_1");
  converse(R"(
    A > ["gen:a","work",80]
    A < ["gen:a","answer","1.0.0"]
  )");
  LONGS_EQUAL(0, logged({"plugin held up the loop", "function=work"}));
}

}  // namespace
