#include "core/hub/outbox.hpp"

#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using jackfield::hub::Batch;
using jackfield::hub::Outbox;
using jackfield::hub::SlowPolicy;
using jackfield::wire::FrameRef;
using jackfield::wire::make_message_frame;

namespace {

FrameRef frame(const std::string& payload) { return make_message_frame("t", "e", payload); }

std::string bytes(const FrameRef& of) { return std::string(of.bytes()); }

}  // namespace

TEST_GROUP(HubOutbox) {
  Outbox outbox;
  Batch batch;
};

TEST(HubOutbox, a_lone_frame_is_given_without_a_copy) {
  const FrameRef only = frame("1");
  outbox.push(only);
  POINTERS_EQUAL(only.bytes().data(), outbox.front(batch).data());
  outbox.pop(only.bytes().size());
  CHECK(outbox.is_empty());
  LONGS_EQUAL(0, outbox.bytes());
}

TEST(HubOutbox, what_waits_is_joined_in_its_order) {
  std::string all;
  for (int i = 0; i < 50; ++i) {
    const FrameRef next = frame(std::to_string(i));
    all += bytes(next);
    outbox.push(next);
  }
  LONGS_EQUAL(all.size(), outbox.bytes());
  CHECK(outbox.front(batch) == all);
  outbox.pop(all.size());
  CHECK(outbox.is_empty());
}

TEST(HubOutbox, joins_whole_frames_up_to_its_bound) {
  const std::string payload(20'000, '1');
  for (int i = 0; i < 5; ++i) outbox.push(frame(payload));
  const std::size_t size = frame(payload).bytes().size();
  LONGS_EQUAL(3 * size, outbox.front(batch).size());
  outbox.pop(3 * size);
  LONGS_EQUAL(2 * size, outbox.front(batch).size());
}

TEST(HubOutbox, a_large_message_goes_by_its_fragments) {
  const FrameRef large = frame(std::string(2 * Outbox::kMaxBatch, '1'));
  outbox.push(frame("1"));
  outbox.push(large);
  outbox.push(frame("2"));
  const std::size_t small = frame("1").bytes().size();
  LONGS_EQUAL(small, outbox.front(batch).size());
  outbox.pop(small);
  std::size_t written = 0;
  while (written < large.bytes().size()) {
    const std::string_view front = outbox.front(batch);
    POINTERS_EQUAL(large.bytes().data() + written, front.data());  // shared, never copied
    CHECK(front.size() <= Outbox::kMaxBatch);
    written += front.size();
    outbox.pop(front.size());
    LONGS_EQUAL(large.bytes().size() - written + small, outbox.bytes());
  }
  LONGS_EQUAL(large.bytes().size(), written);
  LONGS_EQUAL(small, outbox.front(batch).size());
}

TEST(HubOutbox, a_message_that_is_begun_is_not_dropped) {
  const jackfield::hub::KeyedHash hash{1, 2};
  jackfield::hub::Drops drops;
  const std::string payload(2 * Outbox::kMaxBatch, '1');
  for (const SlowPolicy policy : {SlowPolicy::kDropOldest, SlowPolicy::kLatest}) {
    FrameRef large = frame(payload);
    large.mark(static_cast<std::uint8_t>(policy));
    FrameRef newer = frame("2");
    newer.mark(static_cast<std::uint8_t>(policy));
    const unsigned policies = 1U << static_cast<unsigned>(policy);
    outbox.push(large);
    outbox.push(newer);
    outbox.pop(outbox.front(batch).size());
    const std::size_t before = outbox.bytes();
    if (policy == SlowPolicy::kLatest) {
      outbox.drop_same(*newer, hash, drops);
    } else {
      CHECK_TRUE(outbox.drop_oldest(policies, drops));
    }
    LONGS_EQUAL(before - newer.bytes().size(), outbox.bytes());
    CHECK_FALSE(outbox.drop_oldest(policies, drops));
    std::string rest;
    while (!outbox.is_empty()) {
      const std::string_view front = outbox.front(batch);
      rest += front;
      outbox.pop(front.size());
    }
    CHECK(rest == large.bytes().substr(Outbox::kMaxBatch));
  }
}

TEST(HubOutbox, keeps_its_order_while_it_is_never_drained) {
  std::string written;
  std::string expected;
  int next = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 3; ++i) {
      const FrameRef added = frame(std::to_string(next++) + std::string(30'000, '0'));
      expected += bytes(added);
      outbox.push(added);
    }
    for (int i = 0; i < (round % 3 == 0 ? 1 : 2); ++i) {
      const std::string front(outbox.front(batch));
      written += front;
      outbox.pop(front.size());
    }
  }
  while (!outbox.is_empty()) {
    const std::string front(outbox.front(batch));
    written += front;
    outbox.pop(front.size());
  }
  CHECK(written == expected);
}

TEST(HubOutbox, neighbours_that_wait_for_the_same_frames_share_the_joined_bytes) {
  Outbox other;
  const FrameRef first = frame("1");
  const FrameRef second = frame("2");
  for (Outbox* each : {&outbox, &other}) {
    each->push(first);
    each->push(second);
  }
  const auto shared = outbox.front(batch);
  outbox.pop(shared.size());
  POINTERS_EQUAL(shared.data(), other.front(batch).data());
  CHECK(other.front(batch) == bytes(first) + bytes(second));
}

TEST(HubOutbox, what_differs_from_the_neighbour_is_joined_anew) {
  const FrameRef one = frame("1");
  const FrameRef two = frame("2");
  const FrameRef three = frame("3");
  const std::vector<std::vector<FrameRef>> cases{
      {one, two},        {one, three},      {one, two, three}, {one, two, three, three},
      {three, two, one}, {one, two, three}, {two, two, three}, {one, two}};
  for (const std::vector<FrameRef>& frames : cases) {
    Outbox each;
    std::string expected;
    for (const FrameRef& next : frames) {
      each.push(next);
      expected += bytes(next);
    }
    CHECK(each.front(batch) == expected);
  }
}

TEST(HubOutbox, what_was_joined_up_to_the_bound_is_shared_with_who_waits_for_more) {
  const FrameRef large = frame(std::string(30'000, '1'));
  Outbox other;
  for (int i = 0; i < 3; ++i) outbox.push(large);
  for (int i = 0; i < 4; ++i) other.push(large);
  const auto shared = outbox.front(batch);
  LONGS_EQUAL(2 * large.bytes().size(), shared.size());
  POINTERS_EQUAL(shared.data(), other.front(batch).data());
  LONGS_EQUAL(shared.size(), other.front(batch).size());
}

TEST(HubOutbox, clear_drops_all) {
  outbox.push(frame("1"));
  outbox.push(frame("2"));
  outbox.clear();
  CHECK(outbox.is_empty());
  LONGS_EQUAL(0, outbox.bytes());
  outbox.push(frame("3"));
  CHECK(outbox.front(batch) == bytes(frame("3")));
}
