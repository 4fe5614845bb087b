#include "tests/bench/support/figures.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::bench {

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t count = values.size();
  const std::size_t rank = static_cast<std::size_t>(std::ceil(0.9 * static_cast<double>(count)));
  return {.median = (values[(count - 1) / 2] + values[count / 2]) / 2,
          .p90 = values[rank - 1],
          .max = values.back()};
}

}  // namespace jackfield::bench
