// What the hub counts. Loop thread.
#pragma once

#include <cstdint>

#include "core/base/counter.hpp"

namespace jackfield::hub {

struct Counts {
  std::uint64_t connections_opened = 0;               // those refused included
  std::uint64_t connections_refused_at_capacity = 0;  // closed with 1008
  std::uint64_t slow_consumers_closed = 0;            // with 1013
  std::uint64_t messages_refused = 0;  // no message, or a name too long: INVALID_PAYLOAD
  std::uint64_t limits_exceeded = 0;   // requests answered with LIMIT_EXCEEDED
  std::uint64_t accesses_refused = 0;  // requests answered, and subscriptions ended, with FORBIDDEN

  base::Counters list() const;
};

}  // namespace jackfield::hub
