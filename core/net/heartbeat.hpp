// When a quiet connection is pinged. One clock looks at all of them, each `period`; so that who is
// gone is cut within the interval and the timeout after the last that was heard, the ping leaves
// before the interval is over. Milliseconds; any thread, no state.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace jackfield::net::heartbeat {

// How often the clock looks: an eighth of the shorter of the two, from 20 ms to 5 s.
constexpr std::chrono::milliseconds period(std::chrono::milliseconds interval,
                                           std::chrono::milliseconds timeout) {
  using std::chrono::milliseconds;
  return std::clamp(std::min(interval, timeout) / 8, milliseconds(20), milliseconds(5000));
}

// The part of the interval that a connection has, from 80 to 100 %: always the same, and spread
// evenly over descriptors that follow each other (Knuth's multiplicative hash), so those that came
// at the same time are not pinged at the same time.
constexpr std::uint64_t own_interval(std::uint64_t interval, int descriptor) {
  const std::uint32_t hash = static_cast<std::uint32_t>(descriptor) * 2654435761u;
  return interval - interval * (hash >> 22) / (5 * 1024);
}

// Whether one that has been quiet for so long is pinged now. A period before its time, for the
// clock may not look again in time; and another one, for it may look too late for the timeout.
constexpr bool is_due(std::uint64_t quiet, std::uint64_t interval, std::uint64_t period,
                      int descriptor) {
  return quiet + 2 * period >= own_interval(interval, descriptor);
}

}  // namespace jackfield::net::heartbeat
