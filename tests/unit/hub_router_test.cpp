#include "core/hub/router.hpp"

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

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

TEST(HubRouter, patterns_that_begin_with_a_parameter_keep_their_place_among_the_literal_ones) {
  FakeChannel before("<kind>:1");
  FakeChannel literal("room:<id>");
  FakeChannel after("<kind>:<id>");
  router.set({&before, &literal, &after});
  POINTERS_EQUAL(&before, find("room:1"));
  POINTERS_EQUAL(&literal, find("room:2"));
  POINTERS_EQUAL(&before, find("door:1"));
  POINTERS_EQUAL(&after, find("door:2"));
  POINTERS_EQUAL(&after, find(":2"));
  POINTERS_EQUAL(nullptr, find("room"));
  POINTERS_EQUAL(nullptr, find(""));
}

TEST(HubRouter, finds_what_asking_all_of_them_in_order_finds) {
  std::mt19937 random(1);
  const std::vector<std::string> segments{"a", "b", "<x>", "<y>"};
  const std::vector<std::string> topics{"a",   "b",   "c",   "",      "a:a",   "a:b",  "b:a",
                                        "c:a", "a:c", "c:c", "a:b:a", "c:b:a", "b::a", ":"};
  for (int round = 0; round < 200; ++round) {
    std::vector<std::unique_ptr<FakeChannel>> channels;
    std::vector<Channel*> given;
    while (channels.size() < random() % 8) {
      const std::string& first = segments[random() % 3];
      const std::string second = segments[random() % 2] + (random() % 2 == 0 ? "" : ":<z>");
      channels.push_back(std::make_unique<FakeChannel>(
          random() % 2 == 0 ? first : first + ":" + (random() % 2 == 0 ? "<y>" : second)));
      given.push_back(channels.back().get());
    }
    router.set(given);
    for (const std::string& topic : topics) {
      const Channel* expected = nullptr;
      for (const Channel* channel : given) {
        Params ignored;
        if (expected == nullptr && channel->pattern().match(topic, ignored)) expected = channel;
      }
      POINTERS_EQUAL(expected, find(topic));
    }
  }
}
