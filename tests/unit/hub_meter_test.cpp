// How fast a connection may send: what comes of it, and when it is closed.
#include <string>

#include "core/hub/hub.hpp"
#include "tests/unit/hub_group.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using namespace jackfield::test;

namespace {

const std::string kOver =
    R"(["t:1","error",{"code":"LIMIT_EXCEEDED","message":"Too many messages"}])";
const std::string kEvent = R"(["t:1","x",1])";

}  // namespace

TEST_GROUP_BASE(HubRates, HubGroup) {
  void limit(std::size_t messages, std::size_t bytes, std::size_t subscribes) {
    limits.max_messages_per_s = messages;
    limits.max_bytes_per_s = bytes;
    limits.max_subscribes_per_s = subscribes;
    hub->set_limits(limits);
    now = 1'000'000;
  }

  // How many of these messages reach the channel.
  std::size_t handled(Connection & connection, int count, const std::string& message = kEvent) {
    channel.take();
    for (int i = 0; i < count; ++i) say(connection, message);
    return channel.take().size();
  }
};

TEST(HubRates, a_bucket_of_messages_holds_those_of_four_seconds) {
  limit(10, 0, 0);
  Connection& connection = hub->open(link);
  LONGS_EQUAL(40, handled(connection, 45));
  check_lines({kOver, kOver, kOver, kOver, kOver}, link.take());
  now += 100;
  LONGS_EQUAL(1, handled(connection, 2));
  now += 1000;
  LONGS_EQUAL(10, handled(connection, 12));
  now += 100'000;
  LONGS_EQUAL(40, handled(connection, 42));
  LONGS_EQUAL(5 + 1 + 2 + 2, hub->counts().messages_over_rate);
  LONGS_EQUAL(5 + 1 + 2 + 2, hub->counts().limits_exceeded);
  LONGS_EQUAL(0, link.close_code);
}

TEST(HubRates, a_connection_does_not_pay_for_another) {
  limit(1, 0, 0);
  FakeLink other;
  Connection& a = hub->open(link);
  Connection& b = hub->open(other);
  LONGS_EQUAL(4, handled(a, 6));
  LONGS_EQUAL(4, handled(b, 4));
}

TEST(HubRates, a_message_may_take_more_octets_than_are_left_and_others_wait_for_them) {
  limit(0, 1000, 0);
  Connection& connection = hub->open(link);
  std::string large = R"(["t:1","x",""])";
  large.insert(large.size() - 2, 8000 - large.size(), 'x');
  LONGS_EQUAL(1, handled(connection, 2, large));  // 4,000 were there
  now += 3900;
  LONGS_EQUAL(0, handled(connection, 1));
  now += 110;
  LONGS_EQUAL(1, handled(connection, 1));
}

TEST(HubRates, zero_is_no_limit) {
  limit(0, 0, 0);
  Connection& connection = hub->open(link);
  LONGS_EQUAL(5000, handled(connection, 5000));
}

TEST(HubRates, a_refusal_names_the_topic_where_it_can_be_read) {
  limit(1, 0, 0);
  Connection& connection = hub->open(link);
  handled(connection, 4);
  limits.max_topic_bytes = 4;
  hub->set_limits(limits);
  say(connection, R"(["t\u003a1",)");
  say(connection, R"(["longer","x",1])");
  link.take();
  say(connection, "{}");
  check_lines({R"(["error","error",{"code":"LIMIT_EXCEEDED","message":"Too many messages"}])"},
              link.take());
}

TEST(HubRates, who_goes_on_regardless_is_closed_with_1008) {
  limit(10, 0, 0);
  Connection& connection = hub->open(link);
  LONGS_EQUAL(40, handled(connection, 40 + 39));
  LONGS_EQUAL(0, link.close_code);
  say(connection, kEvent);
  LONGS_EQUAL(1008, link.close_code);
  LONGS_EQUAL(1, hub->counts().connections_over_rate);
  LONGS_EQUAL(40, hub->counts().messages_over_rate);
}

// Ten times too fast for ever: what is let through now and then gives nobody more time.
TEST(HubRates, refusals_are_forgotten_only_when_the_buckets_were_half_full) {
  limit(10, 0, 0);
  Connection& connection = hub->open(link);
  int rounds = 0;
  for (; link.close_code == 0 && rounds < 100; ++rounds) {
    handled(connection, 10);
    now += 100;
  }
  CHECK(rounds < 12);
  FakeLink patient;
  Connection& other = hub->open(patient);
  for (int i = 0; i < 10; ++i) {
    handled(other, 60);
    now += 3000;
  }
  LONGS_EQUAL(0, patient.close_code);
}

TEST(HubRates, what_costs_as_much_as_a_message_counts_as_one) {
  limit(10, 0, 0);
  Connection& connection = hub->open(link);
  for (int i = 0; i < 40; ++i) hub->charge(connection, now);
  LONGS_EQUAL(0, handled(connection, 1));
  for (int i = 0; i < 39; ++i) hub->charge(connection, now);
  hub->end_turn();
  LONGS_EQUAL(1008, link.close_code);
  LONGS_EQUAL(39, hub->counts().signs_over_rate);
}

TEST(HubRates, subscribes_have_a_rate_of_their_own_that_closes_nobody) {
  limits.max_subscriptions = 20;
  limit(0, 0, 2);
  Connection& connection = hub->open(link);
  // As many as it may have at once, though eight come in four seconds.
  LONGS_EQUAL(20, handled(connection, 22, R"(["t:1","subscribe",{}])"));
  LONGS_EQUAL(2, hub->counts().subscribes_over_rate);
  now += 1000;
  LONGS_EQUAL(2, handled(connection, 3, R"(["t:1","subscribe",{}])"));
  link.take();
  say(connection, R"(["t:2","subscribe",{}])");
  check_lines({R"(["t:2","error",{"code":"LIMIT_EXCEEDED","message":"Too many subscribes"}])"},
              link.take());
  LONGS_EQUAL(1, handled(connection, 1));
}

TEST(HubRates, what_waited_for_a_held_channel_is_counted_once) {
  limit(1, 0, 0);
  Connection& connection = hub->open(link);
  hub->hold({&channel});
  for (int i = 0; i < 4; ++i) say(connection, kEvent);
  hub->release();
  hub->end_turn();
  LONGS_EQUAL(4, channel.take().size());
  LONGS_EQUAL(0, handled(connection, 1));
}

TEST(HubRates, a_higher_rate_counts_at_once) {
  limit(1, 0, 0);
  Connection& connection = hub->open(link);
  LONGS_EQUAL(4, handled(connection, 5));
  limit(1000, 0, 0);
  now += 1;
  LONGS_EQUAL(1, handled(connection, 1));
}

TEST(HubRates, the_loops_time_may_pass_its_32nd_bit) {
  limit(10, 0, 0);
  now = (std::uint64_t{1} << 32) - 1;
  Connection& connection = hub->open(link);
  LONGS_EQUAL(40, handled(connection, 41));
  now += 200;
  LONGS_EQUAL(2, handled(connection, 3));
}

TEST_GROUP(HubMeter){};

TEST(HubMeter, costs_stay_within_their_words) {
  const Rates slow(1, 1, 1, 1'000'000);
  LONGS_EQUAL(UINT32_MAX, slow.cost_of(std::size_t{1} << 40));
  LONGS_EQUAL(1'000'000, slow.cost_of(1));
  LONGS_EQUAL(UINT32_MAX, slow.cost_of(4295));
  LONGS_EQUAL(UINT32_MAX, slow.cost_of(17'592'187));  // times octet_cost just over a word of 64 bits
  LONGS_EQUAL(UINT32_MAX, slow.cost_of(SIZE_MAX));
  LONGS_EQUAL(4, slow.max_refusals);
  CHECK(slow.subscribe_burst >= Rates::kBurst);
  const Rates fast(1'000'000, 1 << 30, 1'000'000, 1);
  LONGS_EQUAL(1, fast.message_cost);
  LONGS_EQUAL(UINT16_MAX, fast.max_refusals);
  CHECK(fast.cost_of(1 << 30) <= 1'000'000 && fast.cost_of(1 << 30) > 999'000);
  Meter meter;
  meter.elapse(1);
  meter.take(slow, std::size_t{1} << 40);
  meter.take(slow, std::size_t{1} << 40);
  CHECK_FALSE(meter.has_some());
}
