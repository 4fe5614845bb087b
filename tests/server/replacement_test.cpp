// A plugin that is replaced while clients are connected: what goes on with the new one, and what
// ends.
#include <string>

#include "tests/support/change_group.hpp"
#include "tests/support/json.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Replacement, ChangeGroup) {};

TEST(Replacement, the_new_one_goes_on_with_the_state_and_nobody_is_disconnected) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  expect_sum(client("B"), "gen:b", 5, 5);
  client("B").expect_nothing();
  replace("gen_2", 2);
  converse(R"(
    B > ["gen:b","add",1]
    B < ["gen:b","count",6]
    A > ["gen:a","who",null]
    A < ["gen:a","who",{"version":"2.0.0","from":"1.0.0","count":6,"adopted":1}]
  )");
}

TEST(Replacement, the_log_says_what_became_of_what) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  subscribe(client("A"), "gen:b", "1.0.0");
  put("gen_other_topics");
  const std::string line = wait_for_generation(2);
  for (const char* part : {"version=3.0.0", "before=1.0.0", "adopted=1", "ended=1", "pause_us="}) {
    STRCMP_CONTAINS(part, line.c_str());
  }
}

TEST(Replacement, a_subscription_still_gets_broadcasts_and_its_one_leave_comes_from_the_new_one) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  replace("gen_2", 2);
  converse(R"(
    B > ["gen:a","say",[0,1]]
    A < ["gen:a","said",[0,1,1]]
    A > ["gen:a","unsubscribe",null]
    A < ["gen:a","unsubscribed",{}]
    B > ["gen:a","say",[0,2]]
  )");
  server().wait_for_log({"generation left", "version=2.0.0", "topic=gen:a", "reason=1"});
  expect_logged(1, {"generation left"});
}

TEST(Replacement, who_subscribes_again_afterwards_is_asked_by_the_new_one) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  replace("gen_2", 2);
  subscribe(client("A"), "gen:a", "2.0.0");
  client("A").expect_nothing();
}

TEST(Replacement, what_is_kept_with_a_subscription_stays) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  subscribe(client("B"), "gen:a", "1.0.0");
  converse(R"(
    A > ["gen:a","keep",{"of":"A"}]
    B > ["gen:a","keep",[1,2]]
  )");
  replace("gen_2", 2);
  replace("gen_2", 3);
  converse(R"(
    A > ["gen:a","kept",null]
    A < ["gen:a","kept",{"of":"A"}]
    B > ["gen:a","kept",null]
    B < ["gen:a","kept",[1,2]]
  )");
}

TEST(Replacement, a_snapshot_may_be_pushed_to_each_that_is_adopted) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  subscribe(client("A"), "gen:b", "1.0.0");
  subscribe(client("B"), "gen:a", "1.0.0");
  expect_sum(client("C"), "gen:c", 7, 7);
  client("C").expect_nothing();
  replace("gen_snapshot", 2);
  converse(R"(
    A < ["gen:a","snapshot",7]
    A < ["gen:b","snapshot",7]
    B < ["gen:a","snapshot",7]
    C > ["gen:c","add",1]
    C < ["gen:c","count",8]
  )");
}

TEST(Replacement, one_that_saves_nothing_is_followed_by_a_fresh_start) {
  serve("gen_save_is_null");
  subscribe(client("A"), "gen:a", "0.2.0");
  expect_sum(client("A"), "gen:a", 5, 5);
  client("A").expect_nothing();
  replace("gen_2", 2);
  expect_who(client("A"), R"({"version":"2.0.0","from":"nobody","count":0,"adopted":1})");
  client("A").expect_nothing();
}

TEST(Replacement, a_topic_that_the_new_one_does_not_serve_ends_in_the_old_one) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  subscribe(client("A"), "gen:b", "1.0.0");
  subscribe(client("B"), "gen:b", "1.0.0");
  replace("gen_other_topics", 2);
  expect_unloaded(client("A"), "gen:b");
  expect_unloaded(client("B"), "gen:b");
  expect_logged(2, {"generation left", "version=1.0.0", "topic=gen:b", "reason=4"});
  expect_logged(2, {"generation left"});
  converse(R"(
    B > ["gen:a","say",[1,1]]
    A < ["gen:a","said",[1,1,1]]
    B > ["gen:b","subscribe",null]
    B < ["gen:b","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: gen:b"}]
  )");
}

TEST(Replacement, one_that_the_new_one_does_not_adopt_ends_in_the_old_one) {
  serve("gen_1");
  subscribe(client("A"), "gen:unwanted", "1.0.0");
  subscribe(client("A"), "gen:a", "1.0.0");
  replace("gen_adopt_fails", 2);
  expect_unloaded(client("A"), "gen:unwanted");
  expect_logged(1, {"generation left", "version=1.0.0", "topic=gen:unwanted", "reason=4"});
  expect_logged(1, {"generation left"});
  subscribe(client("A"), "gen:unwanted", "2.2.0");
  converse(R"(
    A > ["gen:a","say",[0,1]]
    A < ["gen:a","said",[0,1,1]]
  )");
}

TEST(Replacement, a_file_that_now_holds_another_plugin_ends_the_one_before) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  put("gen_other_name");
  server().wait_for_log({"plugin loaded", "plugin=renamed", "generation=1"});
  server().wait_for_log({"plugin removed", "plugin=generation"});
  expect_unloaded(client("A"), "gen:a");
  expect_logged(1, {"generation left", "version=1.0.0", "reason=4"});
  subscribe(client("A"), "gen:a", "4.0.0");
  put("gen_1");  // and back
  server().wait_for_log({"plugin loaded", "plugin=generation", "generation=2"});
  server().wait_for_log({"plugin removed", "plugin=renamed"});
  expect_unloaded(client("A"), "gen:a");
  subscribe(client("A"), "gen:a", "1.0.0");
}

TEST(Replacement, a_second_file_of_the_same_plugin_waits_until_the_first_is_gone) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  expect_sum(client("A"), "gen:a", 5, 5);
  client("A").expect_nothing();
  put("gen_2", "second.so");
  server().wait_for_log({"plugin refused", "second.so", "loaded already", "still=1.0.0"});
  remove();
  wait_for_generation(2);
  expect_who(client("A"), R"({"version":"2.0.0","from":"1.0.0","count":5,"adopted":1})");
  client("A").expect_nothing();
  LONGS_EQUAL(0, logged({"plugin removed"}));
  LONGS_EQUAL(0, logged({"generation left"}));
}

TEST(Replacement, where_the_second_file_fails_the_plugin_goes_with_the_first) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  put("gen_start_fails", "second.so");
  server().wait_for_log({"plugin refused", "second.so", "loaded already"});
  remove();
  server().wait_for_log({"plugin refused", "second.so", "the device is missing"});
  server().wait_for_log({"plugin removed", "plugin=generation"});
  expect_unloaded(client("A"), "gen:a");
  expect_echo(client("A"));
  expect_logged(1, {"plugin refused", "the device is missing"});
  put("gen_2", "second.so");
  server().wait_for_log({"plugin loaded", "plugin=generation", "version=2.0.0"});
  subscribe(client("A"), "gen:a", "2.0.0");
}

TEST(Replacement, the_second_file_serves_where_the_first_now_holds_another_plugin) {
  serve("gen_1");
  put("gen_2", "second.so");
  server().wait_for_log({"plugin refused", "second.so", "loaded already"});
  put("gen_other_name");
  server().wait_for_log({"plugin loaded", "plugin=generation", "version=2.0.0"});
  expect_logged(1, {"plugin loaded", "plugin=renamed"});
}

TEST(Replacement, a_file_that_is_renamed_goes_on_under_its_new_name) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  expect_sum(client("A"), "gen:a", 5, 5);
  client("A").expect_nothing();
  std::filesystem::rename(file(), file("a_new_name.so"));
  server().wait_for_log({"plugin's file renamed", "plugin=generation", "a_new_name.so"});
  expect_sum(client("A"), "gen:a", 5, 10);
  client("A").expect_nothing();
  std::filesystem::rename(file("a_new_name.so"), file("z_new_name.so"));
  server().wait_for_log({"plugin's file renamed", "z_new_name.so"});
  LONGS_EQUAL(0, logged({"plugin replaced"}));
  remove("z_new_name.so");
  server().wait_for_log({"plugin removed", "plugin=generation", "z_new_name.so"});
  expect_unloaded(client("A"), "gen:a");
  expect_logged(1, {"plugin removed"});
  expect_logged(1, {"generation left"});
}

TEST(Replacement, the_order_of_the_plugins_stays) {
  serve("gen_1", {.plugins = {{"gen_over", "a_over.so"}}});
  subscribe(client("A"), "gen:a", "over");
  subscribe(client("A"), "gen:b", "1.0.0");
  replace("gen_2", 2);
  subscribe(client("B"), "gen:a", "over");
  subscribe(client("B"), "gen:b", "2.0.0");
  put("gen_over", "a_over.so");
  server().wait_for_log({"plugin replaced", "plugin=over", "generation=2 "});
  subscribe(client("C"), "gen:a", "over");
  subscribe(client("C"), "gen:b", "2.0.0");
}

TEST(Replacement, a_plugin_that_comes_takes_its_place_among_the_others) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  put("gen_over", "z_over.so");  // comes after generation.so, which takes the topic
  server().wait_for_log({"plugin loaded", "plugin=over"});
  subscribe(client("B"), "gen:a", "1.0.0");
  remove("z_over.so");
  server().wait_for_log({"plugin removed", "plugin=over"});
  put("gen_over", "a_over.so");
  server().wait_for_log({"plugin loaded", "plugin=over", "generation=2"});
  subscribe(client("C"), "gen:a", "over");
  // Who subscribed before stays where it is.
  converse(R"(
    B > ["gen:a","unsubscribe",null]
    B < ["gen:a","unsubscribed",{}]
  )");
  server().wait_for_log({"generation left", "version=1.0.0", "topic=gen:a"});
}

}  // namespace
