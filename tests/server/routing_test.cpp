// Which channel a topic finds: patterns, their order, and `match`.
#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Routing, ServerGroup) {};

TEST(Routing, a_parameter_takes_any_one_segment_the_empty_one_too) {
  start({.plugins = {"params"}});
  converse(R"(
    A > ["reasoning:abc","show",null]
    A < ["reasoning:abc","params",["sessionId=abc"]]
    A > ["reasoning:","show",null]
    A < ["reasoning:","params",["sessionId="]]
    A > ["reasoning:a:b","show",null]
    A < ["reasoning:a:b","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: reasoning:a:b"}]
    A > ["two::of:","show",null]
    A < ["two::of:","params",["first=","second="]]
    A > ["two:x y:of:ü","show",null]
    A < ["two:x y:of:ü","params",["first=x y","second=ü"]]
    A > ["two:x:off:y","show",null]
    A < ["two:x:off:y","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: two:x:off:y"}]
    A > ["literal:only","show",null]
    A < ["literal:only","params",[]]
    A > ["literal:","show",null]
    A < ["literal:","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: literal:"}]
    A > ["reasoning","show",null]
    A < ["reasoning","params",["all=reasoning"]]
    A > ["","show",null]
    A < ["","params",["all="]]
  )");
}

TEST(Routing, topics_with_an_empty_parameter_are_subscribed_to_like_others) {
  start({.plugins = {"echo"}});
  converse(R"(
    A > ["echo:","subscribe",{"id":"x"}]
    A < ["echo:","subscribed",{"id":"x"}]
    A < ["echo:","snapshot",{"name":"","subscribers":1}]
    B > ["echo:","say",{"text":"x"}]
    A < ["echo:","said",{"text":"x"}]
  )");
}

TEST(Routing, malformed_patterns_are_refused_and_well_formed_ones_taken) {
  start({.plugins = {"patterns"}});
  converse(R"(
    A > ["patterns","show",null]
    A < ["patterns","results",[["",-6],["a:",-6],[":a",-6],["a::b",-6],["a:<>",-6],["a:<1x>",-6],["a:<x-y>",-6],["<x>:<x>",-6],["a:< x>",-6],["patterns",0],["a:<_x1>",0],["a:<x>:b:<y>",0],["grün:<x>",0],["a:<x>:<y>:<z>",0]]]
    A > ["grün:1","show",null]
    A < ["grün:1","results",[["",-6],["a:",-6],[":a",-6],["a::b",-6],["a:<>",-6],["a:<1x>",-6],["a:<x-y>",-6],["<x>:<x>",-6],["a:< x>",-6],["patterns",0],["a:<_x1>",0],["a:<x>:b:<y>",0],["grün:<x>",0],["a:<x>:<y>:<z>",0]]]
  )");
  server().wait_for_log({"plugin=patterns", "a::b"});
}

TEST(Routing, the_first_plugin_in_the_order_of_file_names_serves) {
  start({.plugins = {{"overlap_two", "a.so"}, {"overlap_one", "b.so"}}});
  converse(R"(
    A > ["both:x","who",null]
    A < ["both:x","served_by","overlap_two"]
  )");
}

TEST(Routing, file_names_are_compared_octet_by_octet) {
  start({.plugins = {{"overlap_one", "b.so"}, {"overlap_two", "B.so"}}});
  converse(R"(
    A > ["both:x","who",null]
    A < ["both:x","served_by","overlap_two"]
  )");
}

TEST(Routing, the_configured_order_goes_before_the_file_names) {
  start({.plugins = {"overlap_one", "overlap_two"}, .loading = "order = [\"overlap_two\"]"});
  converse(R"(
    A > ["both:x","who",null]
    A < ["both:x","served_by","overlap_two"]
  )");
}

TEST(Routing, match_narrows_and_leaves_the_rest_to_later_channels) {
  start({.plugins = {"narrow"}});
  converse(R"(
    A > ["narrowed:yes","who",null]
    A < ["narrowed:yes","served_by","narrow"]
    A > ["narrowed:no","who",null]
    A < ["narrowed:no","served_by","wide"]
    A > ["narrowed:","who",null]
    A < ["narrowed:","served_by","wide"]
    A > ["only:yes","subscribe",null]
    A < ["only:yes","subscribed",{}]
    A > ["only:no","subscribe",null]
    A < ["only:no","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: only:no"}]
    A > ["only:no","who",null]
    A < ["only:no","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: only:no"}]
  )");
}

TEST(Routing, a_channel_without_functions_can_be_joined_and_knows_no_event) {
  start({.plugins = {"no_functions"}});
  converse(R"(
    A > ["nulls:x","subscribe",{"id":"1"}]
    A < ["nulls:x","subscribed",{"id":"1"}]
    A > ["nulls:x","event",null]
    A > ["nulls:x","unsubscribe",null]
    A < ["nulls:x","unsubscribed",{}]
    A > ["short:x","subscribe",{"id":"2"}]
    A < ["short:x","subscribed",{"id":"2"}]
    A < ["short:x","joined",true]
    A > ["short:x","event",null]
    A > ["short:x","unsubscribe",null]
    A < ["short:x","unsubscribed",{}]
  )");
  server().wait_for_log({"level=warning", "nulls:x", "event"});
}

}  // namespace
