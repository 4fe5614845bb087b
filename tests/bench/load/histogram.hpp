// How many messages took how long: a fixed number of buckets, each at most 1.6 % wide, so that a
// value costs no memory and the largest ones are kept as well as the usual ones. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace jackfield::bench {

class Histogram {
 public:
  // Nanoseconds.
  void add(std::uint64_t value) {
    ++buckets_[bucket_of(value)];
    ++count_;
    max_ = std::max(max_, value);
  }
  void clear() { *this = Histogram(); }

  std::uint64_t count() const { return count_; }
  // So many of all values (0 to 1) are no larger; 0 where there are none. Microseconds, as max_us.
  double quantile_us(double share) const;
  double max_us() const { return static_cast<double>(max_) / 1e3; }

 private:
  // Values below 2^7 have a bucket each; each further power of two has 64.
  static constexpr unsigned kBits = 6;
  static constexpr std::size_t kPerPower = 1 << kBits;

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < 2 * kPerPower) return static_cast<std::size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
    return kPerPower * shift + static_cast<std::size_t>(value >> shift);
  }
  static double middle_of(std::size_t bucket);

  std::array<std::uint64_t, kPerPower*(66 - kBits)> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace jackfield::bench
