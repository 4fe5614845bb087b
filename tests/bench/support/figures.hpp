// What many measured values come to. Any thread, no state.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace jackfield::bench {

using Clock = std::chrono::steady_clock;

// What a benchmark throws that cannot go on; main() says the sentence and ends.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// All 0 where there are no values.
struct Spread {
  double median = 0;
  double p90 = 0;  // nine of ten values are no larger
  double max = 0;
};
Spread spread_of(std::vector<double> values);

inline double to_milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace jackfield::bench
