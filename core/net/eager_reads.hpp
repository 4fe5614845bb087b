// Reads all that a busy peer has sent in one turn of the loop. libwebsockets reads once for each
// time that a socket is found readable, at most a connection's small buffer, and what a turn's
// messages lead to is written at its end: without this, sixty messages that came together would be
// answered by half a dozen writes to each subscriber. Loop thread.
#pragma once

#include <libwebsockets.h>

#include <cstddef>
#include <vector>

namespace jackfield::net {

class WsLink;

class EagerReads {
 public:
  // A turn reads so often beyond what libwebsockets does: then what the messages lead to is
  // written.
  static constexpr std::size_t kMaxReads = 16;

  // `buffer`: octets that libwebsockets reads in one go.
  explicit EagerReads(std::size_t buffer) : enough_(buffer / 2) {}

  // So many octets of a message came. Those of one read come one after the other.
  void heard(WsLink& link, std::size_t octets);

  // It is not read from any more.
  void forget(WsLink& link);

  // Reads on where a read was so full that there may be more, once the loop has served what was
  // readable. Calls back as libwebsockets does.
  void run(lws_context* context);

 private:
  const std::size_t enough_;   // octets of messages in a read that may have been cut
  WsLink* link_ = nullptr;     // of the read under way
  std::size_t octets_ = 0;     // of its messages
  std::vector<WsLink*> full_;  // in the order in which they are read from; null: forgotten
};

}  // namespace jackfield::net
