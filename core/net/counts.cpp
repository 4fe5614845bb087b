#include "core/net/counts.hpp"

namespace jackfield::net {

base::Counters Counts::list() const {
  return {
      {"handshakes_timed_out", handshakes_timed_out},
      {"handshakes_crowded_out", handshakes_crowded_out},
      {"handshakes_broken_off", handshakes_broken_off},
      {"tls_handshakes_failed", tls_handshakes_failed},
      {"client_certificates_refused", client_certificates_refused},
      {"heads_too_large", heads_too_large},
      {"upgrades_refused", upgrades_refused},
      {"origins_refused", origins_refused},
      {"tokens_missing", tokens_missing},
      {"tokens_refused", tokens_refused},
      {"tokens_expired", tokens_expired},
      {"tokens_revoked", tokens_revoked},
      {"identities_revoked", identities_revoked},
      {"addresses_over_limit", addresses_over_limit},
      {"accepts_refused", accepts_refused},
      {"refused_cut", refused_cut},
      {"first_messages_missed", first_messages_missed},
      {"messages_too_big", messages_too_big},
      {"messages_not_utf8", messages_not_utf8},
      {"pieces_over_budget", pieces_over_budget},
      {"heartbeats_missed", heartbeats_missed},
      {"connections_failed", connections_failed},
      {"accepts_paused", accepts_paused},
  };
}

}  // namespace jackfield::net
