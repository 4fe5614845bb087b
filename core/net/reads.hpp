// The reads of one turn of the loop, one connection after the other. Loop thread.
//
// - What a message led to for its own connection is written at once, or when the read has ended
//   that brought it and others (WsLink): the kernel's part of that socket is still in the cache.
//   What it led to for others waits for the turn's end.
// - A connection whose read filled its buffer is read from again, until the turn has read or has
//   to write too much. libwebsockets reads once for each time that a socket is found readable:
//   without this, messages that came together would go to each subscriber in as many writes as
//   they took reads.
#pragma once

#include <libwebsockets.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/hub/hub.hpp"
#include "core/hub/outbox.hpp"

namespace jackfield::net {

class Tls;
class WsLink;

class Reads {
 public:
  // Octets that a turn reads at most, of all connections, beyond what libwebsockets does: as many
  // as are joined into one write. Then what the messages lead to is written.
  static constexpr std::size_t kMaxMore = hub::Outbox::kMaxBatch;

  // `buffer`: that of libwebsockets' protocol. It reads LWS_PRE octets more in one go.
  explicit Reads(std::size_t buffer)
      : enough_(buffer + LWS_PRE - kMostHeader),
        max_more_(std::max<std::size_t>(1, kMaxMore / (buffer + LWS_PRE))) {}

  // So many octets of a message came. Those of one read come one after the other.
  void came(WsLink& link, std::size_t octets);

  // Reads on where a read was so full that there may be more, and ends the last. Once the loop has
  // served what was readable. Calls back as libwebsockets does. `tls`: null where there is none.
  void finish(lws_context* context, const hub::Hub& hub, Tls* tls);

  // It is gone.
  void forget(WsLink& link);

 private:
  static constexpr std::size_t kMostHeader = 14;  // octets

  void read(lws_context* context, int descriptor);
  void end_read();

  // A read that brought so many octets of frames may have been full: of the last frame no more than
  // its header is not counted.
  const std::size_t enough_;
  const std::size_t max_more_;
  WsLink* link_ = nullptr;     // of the read under way
  std::size_t octets_ = 0;     // of its frames
  std::vector<WsLink*> full_;  // in the order in which they are read from; null: forgotten
};

}  // namespace jackfield::net
