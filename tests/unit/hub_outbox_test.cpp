#include "core/hub/outbox.hpp"

#include <string>

#include <CppUTest/TestHarness.h>

using jackfield::hub::Outbox;
using jackfield::wire::FrameRef;
using jackfield::wire::make_message_frame;

namespace {

FrameRef frame(const std::string& payload) { return make_message_frame("t", "e", payload); }

std::string bytes(const FrameRef& of) { return std::string(of.bytes()); }

}  // namespace

TEST_GROUP(HubOutbox) {
  Outbox outbox;
  std::string scratch;
};

TEST(HubOutbox, a_lone_frame_is_given_without_a_copy) {
  const FrameRef only = frame("1");
  outbox.push(only);
  POINTERS_EQUAL(only.bytes().data(), outbox.front(scratch).data());
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
  CHECK(outbox.front(scratch) == all);
  outbox.pop(all.size());
  CHECK(outbox.is_empty());
}

TEST(HubOutbox, joins_whole_frames_up_to_its_bound) {
  const std::string payload(20'000, '1');
  for (int i = 0; i < 5; ++i) outbox.push(frame(payload));
  const std::size_t size = frame(payload).bytes().size();
  LONGS_EQUAL(3 * size, outbox.front(scratch).size());
  outbox.pop(3 * size);
  LONGS_EQUAL(2 * size, outbox.front(scratch).size());
}

TEST(HubOutbox, a_frame_over_the_bound_goes_alone) {
  const FrameRef large = frame(std::string(Outbox::kMaxJoined + 1, '1'));
  outbox.push(frame("1"));
  outbox.push(large);
  outbox.push(frame("2"));
  const std::size_t small = frame("1").bytes().size();
  LONGS_EQUAL(small, outbox.front(scratch).size());
  outbox.pop(small);
  POINTERS_EQUAL(large.bytes().data(), outbox.front(scratch).data());
  outbox.pop(large.bytes().size());
  LONGS_EQUAL(small, outbox.front(scratch).size());
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
      const std::string front(outbox.front(scratch));
      written += front;
      outbox.pop(front.size());
    }
  }
  while (!outbox.is_empty()) {
    const std::string front(outbox.front(scratch));
    written += front;
    outbox.pop(front.size());
  }
  CHECK(written == expected);
}

TEST(HubOutbox, clear_drops_all) {
  outbox.push(frame("1"));
  outbox.push(frame("2"));
  outbox.clear();
  CHECK(outbox.is_empty());
  LONGS_EQUAL(0, outbox.bytes());
  outbox.push(frame("3"));
  CHECK(outbox.front(scratch) == bytes(frame("3")));
}
