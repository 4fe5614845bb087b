#include "core/hub/counts.hpp"

namespace jackfield::hub {

base::Counters Counts::list() const {
  const auto of = [](const std::array<std::uint64_t, kSlowPolicies>& each, SlowPolicy policy) {
    return each[static_cast<std::size_t>(policy)];
  };
  return {
      {"connections_opened", connections_opened},
      {"connections_refused_at_capacity", connections_refused_at_capacity},
      {"slow_consumers", slow_consumers},
      {"slow_consumers_closed", slow_consumers_closed},
      {"outboxes_over_budget", outboxes_over_budget},
      {"messages_dropped_oldest", of(dropped.messages, SlowPolicy::kDropOldest)},
      {"messages_dropped_new", of(dropped.messages, SlowPolicy::kDropNew)},
      {"messages_dropped_not_latest", of(dropped.messages, SlowPolicy::kLatest)},
      {"octets_dropped_oldest", of(dropped.octets, SlowPolicy::kDropOldest)},
      {"octets_dropped_new", of(dropped.octets, SlowPolicy::kDropNew)},
      {"octets_dropped_not_latest", of(dropped.octets, SlowPolicy::kLatest)},
      {"messages_refused", messages_refused},
      {"names_refused", names_refused},
      {"payloads_too_deep", payloads_too_deep},
      {"limits_exceeded", limits_exceeded},
      {"subscriptions_over_limit", subscriptions_over_limit},
      {"subscribes_over_rate", subscribes_over_rate},
      {"joins_over_budget", joins_over_budget},
      {"messages_over_rate", messages_over_rate},
      {"signs_over_rate", signs_over_rate},
      {"connections_over_rate", connections_over_rate},
      {"connections_out_of_memory", connections_out_of_memory},
      {"accesses_refused", accesses_refused},
  };
}

}  // namespace jackfield::hub
