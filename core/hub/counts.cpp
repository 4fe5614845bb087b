#include "core/hub/counts.hpp"

namespace jackfield::hub {

base::Counters Counts::list() const {
  return {
      {"connections_opened", connections_opened},
      {"connections_refused_at_capacity", connections_refused_at_capacity},
      {"slow_consumers_closed", slow_consumers_closed},
      {"messages_refused", messages_refused},
      {"limits_exceeded", limits_exceeded},
      {"accesses_refused", accesses_refused},
  };
}

}  // namespace jackfield::hub
