#include "core/net/counts.hpp"

namespace jackfield::net {

base::Counters Counts::list() const {
  return {
      {"handshakes_timed_out", handshakes_timed_out},
      {"handshakes_crowded_out", handshakes_crowded_out},
      {"handshakes_broken_off", handshakes_broken_off},
      {"tls_handshakes_failed", tls_handshakes_failed},
      {"client_certificates_refused", client_certificates_refused},
      {"upgrades_refused", upgrades_refused},
      {"messages_too_big", messages_too_big},
      {"messages_not_utf8", messages_not_utf8},
      {"pieces_over_budget", pieces_over_budget},
      {"heartbeats_missed", heartbeats_missed},
      {"connections_failed", connections_failed},
      {"accepts_paused", accepts_paused},
  };
}

}  // namespace jackfield::net
