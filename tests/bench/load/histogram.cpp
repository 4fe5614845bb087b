#include "tests/bench/load/histogram.hpp"

#include <cmath>

namespace jackfield::bench {

double Histogram::middle_of(std::size_t bucket) {
  if (bucket < 2 * kPerPower) return static_cast<double>(bucket);
  const std::size_t shift = bucket / kPerPower - 1;
  const double low = std::ldexp(static_cast<double>(bucket - kPerPower * shift),
                                static_cast<int>(shift));
  return low + std::ldexp(0.5, static_cast<int>(shift));
}

double Histogram::quantile_us(double share) const {
  const auto rank =
      static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank && seen > 0) {
      return std::min(middle_of(bucket), static_cast<double>(max_)) / 1e3;
    }
  }
  return 0;
}

}  // namespace jackfield::bench
