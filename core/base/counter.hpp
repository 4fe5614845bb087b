// What a part of the server has counted since it started, as it is shown: by `jackfield status`. A
// part keeps its numbers in a plain struct and lists them under their names. Any thread; values.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace jackfield::base {

struct Counter {
  std::string_view name;  // [a-z_]+, what is counted in the plural: "slow_consumers_closed"
  std::uint64_t value;    // never less than before
};

using Counters = std::vector<Counter>;

}  // namespace jackfield::base
