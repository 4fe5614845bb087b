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
  std::uint64_t heads_too_large = 0;              // requests over server.max_header_bytes
  std::uint64_t upgrades_refused = 0;             // requests answered with an HTTP error
  std::uint64_t origins_refused = 0;              // of those, with 403
  std::uint64_t tokens_missing = 0;               // of those, with 401: no identity
  std::uint64_t tokens_refused = 0;               // of those, with 401: a token that is not valid
  std::uint64_t tokens_expired = 0;               // connections closed with 1008 for it
  std::uint64_t tokens_revoked = 0;               // likewise
  std::uint64_t identities_revoked = 0;           // likewise: none, or none that counts any more
  std::uint64_t addresses_over_limit = 0;         // closed with 1008: too many of one address
  std::uint64_t accepts_refused = 0;              // sockets closed at once: far too many
  std::uint64_t refused_cut = 0;            // closing without the time for it: too many closed so
  std::uint64_t first_messages_missed = 0;  // closed with 1008
  std::uint64_t messages_too_big = 0;       // closed with 1009
  std::uint64_t messages_not_utf8 = 0;      // closed with 1007
  std::uint64_t pieces_over_budget = 0;     // closed with 1013: messages that came in part
  std::uint64_t heartbeats_missed = 0;      // peers that did not answer a ping
  std::uint64_t connections_failed = 0;     // ended because there was no memory for what they asked
  std::uint64_t accepts_paused = 0;         // descriptors or memory were out

  base::Counters list() const;
};

}  // namespace jackfield::net
