// Connections that are no WebSocket yet: each has a time for becoming one, and there are only so
// many of them, so that those who connect and say nothing cannot keep out those who do. Loop
// thread.
#pragma once

#include <libwebsockets.h>

#include <chrono>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "core/base/log.hpp"
#include "core/net/addresses.hpp"
#include "core/net/counts.hpp"
#include "core/net/deadline.hpp"
#include "core/net/loop_uv.hpp"

namespace jackfield::net {

class Handshakes {
 public:
  static constexpr std::size_t kMax = 512;  // with one more the oldest is cut

  // Whose connection it is, as far as it is counted.
  struct Arrival {
    std::optional<Addresses::Key> address;  // has entered; nothing: not counted
    bool is_over_limit = false;             // when it was accepted, its address had too many
  };

  // A handshake that ends but by `take` leaves `addresses`.
  Handshakes(std::chrono::milliseconds timeout, LoopUv& loop, base::Log& log, Counts& counts,
             Addresses& addresses)
      : timeout_(timeout), log_(log), counts_(counts), addresses_(addresses), deadline_(loop) {}
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  // For those under way too.
  void set_timeout(std::chrono::milliseconds timeout);

  // Without memory nothing has begun, and the address is the caller's matter still.
  void begin(lws* wsi, const Arrival& arrival);
  // It is refused with an answer.
  void answered(lws* wsi);
  // It is a WebSocket now; its address is the caller's matter from here on.
  Arrival take(lws* wsi);
  // It is gone: counts it where nothing says yet why.
  void gone(lws* wsi);
  bool is_empty() const { return in_order_.empty(); }
  std::size_t size() const { return in_order_.size(); }

  // Cuts those whose time is up. To be called when all is read that there is: what a peer has sent
  // in time counts, whenever the server comes to read it.
  void cut_late() {
    if (deadline_.is_due()) judge();
  }

 private:
  struct Handshake {
    lws* wsi;
    std::chrono::microseconds begun;
    Arrival arrival;
    bool is_answered = false;
  };

  void judge();
  void end(lws* wsi);
  void cut_oldest(const char* why, std::string_view answer);
  void watch();

  std::chrono::milliseconds timeout_;
  base::Log& log_;
  Counts& counts_;
  Addresses& addresses_;
  std::list<Handshake> in_order_;  // of their begin, and so of their ends
  std::unordered_map<lws*, std::list<Handshake>::iterator> by_wsi_;
  Deadline deadline_;  // of the first of them; at rest while there is none
};

}  // namespace jackfield::net
