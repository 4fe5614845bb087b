// The hub's limits, as plain values. Filled by core/config, read by the hub.
#pragma once

#include <cstddef>

namespace jackfield::hub {

struct Limits {
  std::size_t max_connections = 100;        // one more is upgraded and closed with 1008
  std::size_t max_message_bytes = 4 << 20;  // octets of one message; more closes with 1009
  std::size_t max_topic_bytes = 512;        // octets of a topic's name
  std::size_t max_event_bytes = 128;        // octets of an event's name
  std::size_t max_subscriptions = 1000;     // of one connection
  std::size_t max_outbox_bytes = 8 << 20;   // octets that wait for one connection; more: 1013
};

}  // namespace jackfield::hub
