// What the hub counts. Loop thread.
#pragma once

#include <cstdint>

#include "core/base/counter.hpp"
#include "core/hub/slow_policy.hpp"

namespace jackfield::hub {

struct Counts {
  std::uint64_t connections_opened = 0;               // those refused included
  std::uint64_t connections_refused_at_capacity = 0;  // closed with 1008
  std::uint64_t slow_consumers = 0;                   // connections that began to be slow
  std::uint64_t slow_consumers_closed = 0;  // with 1013, those closed for the budget included
  std::uint64_t outboxes_over_budget = 0;   // messages that were dropped, or closed, for the budget
  Drops dropped;                            // messages for slow consumers
  std::uint64_t messages_refused = 0;       // answered with INVALID_PAYLOAD
  std::uint64_t names_refused = 0;          // of those: a topic or event too long, or with a NUL
  std::uint64_t payloads_too_deep = 0;      // of those
  std::uint64_t limits_exceeded = 0;        // requests answered with LIMIT_EXCEEDED
  std::uint64_t subscriptions_over_limit = 0;   // of those: one more than a connection may have
  std::uint64_t subscribes_over_rate = 0;       // of those
  std::uint64_t joins_over_budget = 0;          // of those: too much waited for answers to joins
  std::uint64_t messages_over_rate = 0;         // of those: of too many, or too many octets
  std::uint64_t signs_over_rate = 0;            // pongs and small fragments
  std::uint64_t connections_over_rate = 0;      // closed with 1008
  std::uint64_t connections_out_of_memory = 0;  // closed with 1013: they could not be told of
  std::uint64_t accesses_refused = 0;  // requests answered, and subscriptions ended, with FORBIDDEN

  base::Counters list() const;
};

}  // namespace jackfield::hub
