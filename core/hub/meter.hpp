// How fast one connection sends: a token bucket for its messages and one for their octets, kept as
// the time that each would take to be full again (the generic cell rate algorithm, ITU-T I.371
// annex A). Three words, and no look at a clock. Loop thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace jackfield::hub {

// What the limits come to. Microseconds.
struct Rates {
  static constexpr std::uint32_t kBurst = 4'000'000;  // a bucket holds what comes in so long

  // 0: off. REQUIRES: at most 1,000,000 messages, subscribes; 2^40 octets.
  Rates(std::size_t messages_per_s, std::size_t bytes_per_s, std::size_t subscribes_per_s,
        std::size_t max_subscriptions);

  // What so many octets cost; UINT32_MAX also for what costs more.
  std::uint32_t cost_of(std::size_t octets) const {
    std::uint64_t cost = 0;
    if (__builtin_mul_overflow(std::uint64_t{octets}, octet_cost, &cost)) return UINT32_MAX;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(cost >> kOctetShift, UINT32_MAX));
  }

  static constexpr unsigned kOctetShift = 20;

  std::uint32_t message_cost;
  std::uint32_t subscribe_cost;
  std::uint32_t subscribe_burst;  // all subscriptions of one that connects again, at the least
  std::uint16_t max_refusals;     // messages that are refused until the connection is closed
  std::uint64_t octet_cost;       // of 2^kOctetShift octets
};

class Meter {
 public:
  // The time since the last call, at most some 71 minutes; `now` in milliseconds. Fills the buckets
  // by what has come in since.
  std::uint32_t elapse(std::uint64_t now) {
    const std::uint32_t elapsed = static_cast<std::uint32_t>(now) - last_;
    if (elapsed == 0) return 0;
    last_ = static_cast<std::uint32_t>(now);
    const std::uint32_t microseconds = std::min(elapsed, UINT32_MAX / 1000) * 1000;
    messages_ -= std::min(messages_, microseconds);
    octets_ -= std::min(octets_, microseconds);
    return microseconds;
  }

  // Whether there is anything left in both.
  bool has_some() const { return std::max(messages_, octets_) < Rates::kBurst; }
  bool is_half_full() const { return std::max(messages_, octets_) <= Rates::kBurst / 2; }

  // May leave less than nothing.
  void take(const Rates& rates, std::size_t octets) {
    messages_ += rates.message_cost;  // less than a burst, and at most that on top
    octets_ = add(octets_, rates.cost_of(octets));
  }

 private:
  static std::uint32_t add(std::uint32_t debt, std::uint32_t cost) {
    return cost > UINT32_MAX - debt ? UINT32_MAX : debt + cost;
  }

  std::uint32_t last_ = 0;
  std::uint32_t messages_ = 0;
  std::uint32_t octets_ = 0;
};

}  // namespace jackfield::hub
