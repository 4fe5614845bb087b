// When quiet connections are pinged, and when those that are gone are noticed: WsLink's way, with a
// clock of the test's own.
#include "core/net/heartbeat.hpp"

#include <set>
#include <string>

#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::net;
using jackfield::test::check;
using std::chrono::milliseconds;

struct Course {
  std::uint64_t pinged = 0;  // both since the last that was heard
  std::uint64_t cut = 0;
};

// Of a connection that falls silent so long before the clock looks next.
Course silence(std::uint64_t interval, std::uint64_t timeout, int descriptor, std::uint64_t phase) {
  const auto period = static_cast<std::uint64_t>(
      heartbeat::period(milliseconds(interval), milliseconds(timeout)).count());
  Course course;
  bool has_pinged = false;
  for (std::uint64_t now = phase; course.cut == 0; now += period) {
    if (has_pinged) {
      if (now - course.pinged >= timeout) course.cut = now;
    } else if (heartbeat::is_due(now, interval, period, descriptor)) {
      has_pinged = true;
      course.pinged = now;
    }
  }
  return course;
}

}  // namespace

TEST_GROUP(NetHeartbeat){};

TEST(NetHeartbeat, who_is_gone_is_cut_within_interval_and_timeout_and_never_before_the_timeout) {
  struct Row {
    std::uint64_t interval, timeout;
  };
  for (const Row row : {Row{30000, 10000}, Row{10000, 30000}, Row{200, 200}, Row{1000, 86400},
                        Row{86400000, 10000}, Row{5000, 1000}}) {
    for (int descriptor = 3; descriptor < 200; ++descriptor) {
      const auto period = static_cast<std::uint64_t>(
          heartbeat::period(milliseconds(row.interval), milliseconds(row.timeout)).count());
      for (const std::uint64_t phase : {std::uint64_t{0}, std::uint64_t{1}, period / 2, period - 1}) {
        const Course course = silence(row.interval, row.timeout, descriptor, phase);
        const std::string text = std::to_string(row.interval) + " " + std::to_string(course.pinged) +
                                 " " + std::to_string(course.cut);
        check(course.cut <= row.interval + row.timeout, text);
        check(course.cut - course.pinged >= row.timeout, text);
        check(course.pinged <= row.interval, text);
        check(course.pinged * 2 >= row.interval, "too early: " + text);
      }
    }
  }
}

TEST(NetHeartbeat, those_who_came_together_are_not_pinged_together) {
  std::set<std::uint64_t> intervals;
  std::size_t most = 0;
  std::size_t in_this = 0;
  for (std::uint64_t bucket = 0; bucket < 10; ++bucket) {
    in_this = 0;
    for (int descriptor = 10; descriptor < 1010; ++descriptor) {
      const std::uint64_t own = heartbeat::own_interval(30000, descriptor);
      CHECK(own > 24000 && own <= 30000);
      intervals.insert(own);
      if ((30000 - own) / 600 == bucket) ++in_this;
    }
    most = std::max(most, in_this);
  }
  CHECK(intervals.size() > 500);
  CHECK(most < 200);  // of a thousand, in a tenth of the time
}
