// The reads of one turn of the loop, one connection after the other. Loop thread.
//
// - What a read led to for its own connection is written when the read has ended: the kernel's part
//   of that socket is still in the cache. What it led to for others waits for the turn's end.
// - A busy connection is read from until nothing is left. libwebsockets reads once for each time
//   that a socket is found readable, at most a connection's small buffer: without this, sixty
//   messages that came together would be answered by half a dozen writes to each subscriber.
#pragma once

#include <libwebsockets.h>

#include <cstddef>
#include <vector>

namespace jackfield::net {

class WsLink;

class Reads {
 public:
  // Octets that a turn reads at most beyond what libwebsockets does: then what the messages lead to
  // is written.
  static constexpr std::size_t kMaxMore = 16 << 10;

  // `buffer`: that of libwebsockets' protocol. It reads LWS_PRE octets more in one go.
  explicit Reads(std::size_t buffer)
      : enough_(buffer + LWS_PRE - kMostHeader), max_more_(kMaxMore / (buffer + LWS_PRE)) {}

  // So many octets of a message came. Those of one read come one after the other.
  void heard(WsLink& link, std::size_t octets);

  // Reads on where a read was so full that there may be more, and ends the last. Once the loop has
  // served what was readable. Calls back as libwebsockets does.
  void finish(lws_context* context);

  // It is gone.
  void forget(WsLink& link);

 private:
  // Octets before a client's payload (RFC 6455 section 5.2).
  static constexpr std::size_t kLeastHeader = 6;
  static constexpr std::size_t kMostHeader = 14;

  void end_read();

  const std::size_t enough_;  // octets of frames in a read that may have been cut
  const std::size_t max_more_;
  WsLink* link_ = nullptr;     // of the read under way
  std::size_t octets_ = 0;     // of its frames
  std::vector<WsLink*> full_;  // in the order in which they are read from; null: forgotten
};

}  // namespace jackfield::net
