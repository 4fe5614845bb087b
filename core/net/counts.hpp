// What the network layer counts. Loop thread.
#pragma once

#include <cstdint>

#include "core/base/counter.hpp"

namespace jackfield::net {

struct Counts {
  std::uint64_t handshakes_timed_out = 0;
  std::uint64_t handshakes_crowded_out = 0;  // the oldest, where there were too many at once
  std::uint64_t handshakes_broken_off = 0;   // ended by the peer, or by what it sent
  std::uint64_t tls_handshakes_failed = 0;
  std::uint64_t client_certificates_refused = 0;  // of those that failed
  std::uint64_t upgrades_refused = 0;             // requests answered with an HTTP error
  std::uint64_t messages_too_big = 0;             // closed with 1009
  std::uint64_t messages_not_utf8 = 0;            // closed with 1007
  std::uint64_t pieces_over_budget = 0;           // closed with 1013: messages that came in part
  std::uint64_t heartbeats_missed = 0;            // peers that did not answer a ping
  std::uint64_t connections_failed = 0;  // ended because there was no memory for what they asked
  std::uint64_t accepts_paused = 0;      // descriptors or memory were out

  base::Counters list() const;
};

}  // namespace jackfield::net
