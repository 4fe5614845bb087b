#include "core/hub/subscriptions.hpp"

#include <string>

#include "tests/unit/hub_fakes.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using jackfield::test::FakeChannel;
using jackfield::test::FakeLink;

TEST_GROUP(HubSubscriptions) {
  FakeLink link;
  FakeChannel channel;
  Connection first{1, link};
  Connection second{2, link};
  SubscriptionIndex index;
};

TEST(HubSubscriptions, are_found_by_id_and_by_place) {
  Subscription& a = index.add(10, first, "t", channel);
  Subscription& b = index.add(11, second, "t", channel);
  POINTERS_EQUAL(&a, index.find(10));
  POINTERS_EQUAL(&a, index.find(first, "t"));
  POINTERS_EQUAL(&b, index.find(second, "t"));
  POINTERS_EQUAL(nullptr, index.find(first, "u"));
  POINTERS_EQUAL(nullptr, index.find(12));
  LONGS_EQUAL(2, index.find_topic("t")->members.size());
  LONGS_EQUAL(1, index.topic_count());
}

TEST(HubSubscriptions, an_ended_one_is_found_by_its_id_only) {
  Subscription& a = index.add(10, first, "t", channel);
  index.end(a);
  POINTERS_EQUAL(&a, index.find(10));
  POINTERS_EQUAL(nullptr, index.find(first, "t"));
  LONGS_EQUAL(0, first.subscriptions.size());
  STRCMP_EQUAL("t", a.topic->name.c_str());
  // The place is free for another before it is gone.
  Subscription& again = index.add(11, first, "t", channel);
  POINTERS_EQUAL(&again, index.find(first, "t"));
  index.erase(a);
  POINTERS_EQUAL(nullptr, index.find(10));
  POINTERS_EQUAL(&again, index.find(first, "t"));
  index.end(again);
  index.erase(again);
  LONGS_EQUAL(0, index.topic_count());
  LONGS_EQUAL(0, index.size());
}

TEST(HubSubscriptions, ending_one_of_many_keeps_the_others_in_their_places) {
  for (jackfield::base::Id id = 1; id <= 100; ++id) {
    index.add(id, first, "t" + std::to_string(id), channel);
    index.add(1000 + id, second, "t" + std::to_string(id), channel);
  }
  for (jackfield::base::Id id = 3; id <= 100; id += 7) {
    Subscription& ended = *index.find(id);
    index.end(ended);
    index.erase(ended);
  }
  std::size_t left = 0;
  for (jackfield::base::Id id = 1; id <= 100; ++id) {
    const Subscription* found = index.find(first, "t" + std::to_string(id));
    if (found != nullptr) {
      ++left;
      LONGS_EQUAL(id, found->id);
      POINTERS_EQUAL(found, found->topic->members[found->index_in_topic].subscription);
    }
  }
  LONGS_EQUAL(86, left);
  LONGS_EQUAL(86, first.subscriptions.size());
  LONGS_EQUAL(100, second.subscriptions.size());
}

TEST(HubSubscriptions, those_of_a_channel_include_ended_ones) {
  FakeChannel other;
  index.add(1, first, "t", channel);
  index.add(2, first, "x", other);
  index.end(*index.find(1));
  LONGS_EQUAL(1, index.of_channels({&channel}).size());
  LONGS_EQUAL(1, index.of_channels({&other}).size());
}
