// A connection as the hub keeps it, from its handshake to its end. Owned by the Hub, whose private
// matter it is; core/net holds a pointer to it between Hub::open and Hub::lost. Loop thread.
#pragma once

#include <cstdint>

#include "core/base/ids.hpp"
#include "core/hub/chain.hpp"
#include "core/hub/channel.hpp"
#include "core/hub/link.hpp"
#include "core/hub/meter.hpp"
#include "core/hub/outbox.hpp"

namespace jackfield::hub {

struct Call;
struct Subscription;

struct Connection {
  enum class State : std::uint8_t {
    kOpen,
    kDoomed,   // is to be closed as soon as nothing runs that may hold it
    kClosing,  // holds no subscription any more; a Close frame follows what waits
    kClosed,   // the Close frame is written; the link ends itself
  };

  static constexpr std::uint32_t kNotDirty = UINT32_MAX;

  Connection(base::Id its_id, Link& its_link) : id(its_id), link(its_link) {}

  // What a fan-out looks at comes first, side by side. Its size counts: there may be thousands, and
  // one octet more than 120 takes 16 more of the allocator's.
  const base::Id id;
  Link& link;
  Outbox outbox;
  std::size_t deferred_bytes = 0;         // octets of frames for subscriptions that are joining
  std::uint32_t dirty_index = kNotDirty;  // on the hub's list of those with something to send
  State state : 2 = State::kOpen;
  LeaveReason close_reason : 3 = LeaveReason::kClosed;
  bool is_parked : 1 = false;     // a message of it waits for a held channel (Hub::hold)
  bool is_slow : 1 = false;       // more waits, or has waited a moment ago, than its soft limit
  bool is_waiting : 1 = false;    // its link was congested when it was written to last
  std::uint16_t refusals = 0;     // messages that were over its rate, since that had recovered
  std::uint32_t link_bytes = 0;   // octets that its link may keep: those of the last write
  std::uint32_t asked_bytes = 0;  // of what joins keep that are not answered yet: 2 GiB at most
  wire::FrameRef close_frame;     // from kDoomed on
  // What follows a chain fills the word that it ends within.
  [[no_unique_address]] Chain<Subscription> subscriptions;  // owned by the SubscriptionIndex
  std::uint32_t subscribes = 0;             // what its bucket of subscribes lacks, microseconds
  [[no_unique_address]] Chain<Call> calls;  // that are pending; owned by the Hub
  Meter meter;
};

static_assert(sizeof(void*) != 8 || sizeof(Connection) <= 120);

}  // namespace jackfield::hub
