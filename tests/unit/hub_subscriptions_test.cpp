#include "core/hub/subscriptions.hpp"

#include <memory>
#include <string>
#include <string_view>

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;

namespace {

class NoLink : public Link {
 public:
  const ConnectionFacts& facts() const override { return facts_; }
  bool is_congested() const override { return false; }
  void write(std::string_view /*frames*/) override {}
  void begin_close() override {}
  void finish_close(std::string_view /*close_frame*/) override {}

 private:
  ConnectionFacts facts_;
};

class NoChannel : public Channel {
 public:
  bool match(const Request& /*request*/) override { return true; }
  Answer join(const Request& /*request*/) override { return Answer::ok(); }
  Answer event(const Request& /*request*/) override { return Answer::ok(); }
  void leave(const Request& /*request*/, LeaveReason /*reason*/) override {}
  std::string_view owner() const override { return "none"; }
};

}  // namespace

TEST_GROUP(HubSubscriptions) {
  NoLink link;
  NoChannel channel;
  Route route{Pattern::parse("<t>").value(), channel};
  Connection first{1, link};
  Connection second{2, link};
  SubscriptionIndex index;
};

TEST(HubSubscriptions, are_found_by_id_and_by_place) {
  Subscription& a = index.add(10, first, "t", route);
  Subscription& b = index.add(11, second, "t", route);
  POINTERS_EQUAL(&a, index.find(10));
  POINTERS_EQUAL(&a, index.find(first, "t"));
  POINTERS_EQUAL(&b, index.find(second, "t"));
  POINTERS_EQUAL(nullptr, index.find(first, "u"));
  POINTERS_EQUAL(nullptr, index.find(12));
  LONGS_EQUAL(2, index.find_topic("t")->subscriptions.size());
  LONGS_EQUAL(1, index.topic_count());
}

TEST(HubSubscriptions, an_ended_one_is_found_by_its_id_only) {
  Subscription& a = index.add(10, first, "t", route);
  index.end(a);
  POINTERS_EQUAL(&a, index.find(10));
  POINTERS_EQUAL(nullptr, index.find(first, "t"));
  LONGS_EQUAL(0, first.subscriptions.size());
  STRCMP_EQUAL("t", a.topic->name.c_str());
  // The place is free for another before it is gone.
  Subscription& again = index.add(11, first, "t", route);
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
    index.add(id, first, "t" + std::to_string(id), route);
    index.add(1000 + id, second, "t" + std::to_string(id), route);
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
      POINTERS_EQUAL(found, first.subscriptions[found->index_in_connection]);
      POINTERS_EQUAL(found, found->topic->subscriptions[found->index_in_topic]);
    }
  }
  LONGS_EQUAL(86, left);
  LONGS_EQUAL(86, first.subscriptions.size());
  LONGS_EQUAL(100, second.subscriptions.size());
}

TEST(HubSubscriptions, those_of_a_channel_include_ended_ones) {
  NoChannel other;
  Route other_route{Pattern::parse("x").value(), other};
  index.add(1, first, "t", route);
  index.add(2, first, "x", other_route);
  index.end(*index.find(1));
  LONGS_EQUAL(1, index.of_channel(channel).size());
  LONGS_EQUAL(1, index.of_channel(other).size());
}
