// What a request for an upgrade comes to: an HTTP answer, or what the link of the connection is
// made of. The request is read here, the gate judges who it is. Loop thread.
#pragma once

#include <libwebsockets.h>

#include <optional>
#include <string>

#include "core/access/gate.hpp"
#include "core/base/log.hpp"
#include "core/hub/connection_facts.hpp"
#include "core/net/counts.hpp"
#include "core/net/handshake.hpp"
#include "core/net/settings.hpp"

namespace jackfield::net {

struct Admission {
  Refusal refusal{};
  hub::ConnectionFacts::Parts facts{};
  std::optional<access::Warrant> warrant{};  // what it was let in by, where that may end
  Offer offer{};
};

// `gate` null: everybody is let in. Counts and logs what is refused, and never a token or a query.
Admission judge_upgrade(lws* wsi, const Settings& settings, const access::Gate* gate,
                        base::Log& log, Counts& counts);

}  // namespace jackfield::net
