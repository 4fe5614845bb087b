#include "core/hub/router.hpp"

#include <string>
#include <string_view>

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;

namespace {

// Takes only topics that do not begin with `refused`.
class NarrowChannel : public Channel {
 public:
  explicit NarrowChannel(std::string refused = "\n") : refused_(std::move(refused)) {}

  bool match(const Request& request) override { return !request.topic.starts_with(refused_); }
  Answer join(const Request& /*request*/) override { return Answer::ok(); }
  Answer event(const Request& /*request*/) override { return Answer::ok(); }
  void leave(const Request& /*request*/, LeaveReason /*reason*/) override {}
  std::string_view owner() const override { return "test"; }

 private:
  const std::string refused_;
};

}  // namespace

TEST_GROUP(HubRouter) {
  Router router;
  Params params;

  const Channel* find(std::string_view topic) {
    const Route* route = router.find(topic, 0, params);
    return route == nullptr ? nullptr : &route->channel;
  }
};

TEST(HubRouter, the_first_match_in_the_order_of_registration_wins) {
  NarrowChannel first;
  NarrowChannel second;
  CHECK(router.add("room:<id>", first).is_ok());
  CHECK(router.add("room:lobby", second).is_ok());
  POINTERS_EQUAL(&first, find("room:lobby"));
  router.remove(first);
  POINTERS_EQUAL(&second, find("room:lobby"));
  POINTERS_EQUAL(nullptr, find("room:other"));
}

TEST(HubRouter, a_channel_that_does_not_take_a_topic_leaves_it_to_later_ones) {
  NarrowChannel narrow("room:private");
  NarrowChannel rest;
  CHECK(router.add("room:<id>", narrow).is_ok());
  CHECK(router.add("<kind>:<id>", rest).is_ok());
  POINTERS_EQUAL(&narrow, find("room:1"));
  POINTERS_EQUAL(&rest, find("room:private-1"));
  LONGS_EQUAL(2, params.count);
}

TEST(HubRouter, a_malformed_pattern_is_refused_when_it_is_registered) {
  NarrowChannel channel;
  CHECK_FALSE(router.add("a::b", channel).is_ok());
  POINTERS_EQUAL(nullptr, find("a::b"));
}

TEST(HubRouter, one_channel_may_have_several_patterns) {
  NarrowChannel channel;
  CHECK(router.add("a", channel).is_ok());
  CHECK(router.add("b", channel).is_ok());
  POINTERS_EQUAL(&channel, find("a"));
  POINTERS_EQUAL(&channel, find("b"));
  router.remove(channel);
  POINTERS_EQUAL(nullptr, find("a"));
  POINTERS_EQUAL(nullptr, find("b"));
}
