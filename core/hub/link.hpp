// One connection's way to its peer, as the hub sees it. core/net implements it over libwebsockets;
// tests over a list of frames. Loop thread. A link outlives its connection in the hub: it ends
// itself and then says so by Hub::lost.
#pragma once

#include <string_view>

#include "core/hub/connection_facts.hpp"

namespace jackfield::hub {

class Link {
 public:
  virtual ~Link() = default;

  virtual const ConnectionFacts& facts() const = 0;

  // Whether earlier bytes still wait to be taken; Hub::writable is called when they are gone.
  virtual bool is_congested() const = 0;

  // Takes whole frames; keeps what the peer does not take at once. False: it is congested now. Not
  // where is_congested(). A link whose peer is gone takes and drops them; Hub::lost follows. Calls
  // nothing of the hub from within.
  virtual bool write(std::string_view frames) = 0;

  // What the peer sends is left with it, as far as that is possible, until `resume_reading`. What
  // is received all the same is still handed to Hub::receive.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  // The hub has begun to close: what waits is still written, but the link ends itself when that and
  // the closing handshake take longer than its time for closing.
  virtual void begin_close() = 0;

  // Writes a Close frame as the last one, waits for the peer's (RFC 6455 section 7.1.2), ends.
  // Calls nothing of the hub from within.
  virtual void finish_close(std::string_view close_frame) = 0;
};

}  // namespace jackfield::hub
