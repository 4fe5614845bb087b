#include "core/hub/router.hpp"

#include <string_view>

#include "tests/unit/hub_fakes.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using jackfield::test::FakeChannel;

TEST_GROUP(HubRouter) {
  Router router;
  Params params;

  const Channel* find(std::string_view topic) { return router.find(topic, 0, params).channel; }
};

TEST(HubRouter, the_first_match_in_the_order_that_was_given_wins) {
  FakeChannel first("room:<id>");
  FakeChannel second("room:lobby");
  router.set({&first, &second});
  POINTERS_EQUAL(&first, find("room:lobby"));
  router.set({&second});
  POINTERS_EQUAL(&second, find("room:lobby"));
  POINTERS_EQUAL(nullptr, find("room:other"));
}

TEST(HubRouter, a_channel_that_does_not_take_a_topic_leaves_it_to_later_ones) {
  FakeChannel narrow("room:<id>");
  narrow.on_match = [](const Request& request) { return !request.topic.starts_with("room:private"); };
  FakeChannel rest("<kind>:<id>");
  router.set({&narrow, &rest});
  POINTERS_EQUAL(&narrow, find("room:1"));
  POINTERS_EQUAL(&rest, find("room:private-1"));
  LONGS_EQUAL(2, params.count);
}

TEST(HubRouter, a_held_channel_is_not_asked) {
  FakeChannel held("room:<id>");
  FakeChannel rest("<kind>:<id>");
  int asked = 0;
  held.on_match = [&](const Request&) {
    ++asked;
    return false;
  };
  router.set({&held, &rest});
  router.hold({&held});
  CHECK(router.find("room:1", 0, params).is_held);
  CHECK_FALSE(router.find("door:1", 0, params).is_held);
  LONGS_EQUAL(0, asked);
  router.release();
  POINTERS_EQUAL(&rest, find("room:1"));
  LONGS_EQUAL(1, asked);
}
