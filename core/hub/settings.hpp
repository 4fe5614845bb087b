// What the hub is told, as plain values: its limits, and what becomes of messages for slow clients.
// Filled by core/config, which needs no more of the hub than this.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/hub/slow_policy.hpp"
#include "core/hub/topic_pattern.hpp"

namespace jackfield::hub {

struct Limits {
  std::size_t max_connections = 100;        // one more is upgraded and closed with 1008
  std::size_t max_message_bytes = 4 << 20;  // octets of one message; more closes with 1009
  std::size_t max_topic_bytes = 512;        // octets of a topic's name
  std::size_t max_event_bytes = 128;        // octets of an event's name
  std::size_t max_json_depth = 128;         // containers within each other in a payload
  // Of messages that came in part, kept by core/net; and as many of joins that are not answered.
  std::size_t max_incoming_bytes = 64 << 20;
  std::size_t max_subscriptions = 1000;  // of one connection
  // Of one connection; 0: no limit.
  std::size_t max_messages_per_s = 500;
  std::size_t max_bytes_per_s = 4 << 20;
  std::size_t max_subscribes_per_s = 100;
  // Octets that wait for one connection: from the first on its topics' policies drop messages; more
  // than the second of what may not be dropped closes it with 1013.
  std::size_t soft_outbox_bytes = 1 << 20;
  std::size_t max_outbox_bytes = 8 << 20;
  std::size_t max_outboxes_bytes = 64 << 20;  // of memory, for all connections together
};

// A row of the configuration's [[backlog]]. Texts as TopicPattern::parse takes them.
struct BacklogRule {
  std::vector<std::string> topics;
  SlowPolicy policy = SlowPolicy::kClose;

  friend bool operator==(const BacklogRule&, const BacklogRule&) = default;
};

}  // namespace jackfield::hub
