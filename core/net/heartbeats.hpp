// The clock of the heartbeats, one for all links: it runs while there are links, and asks each what
// is due (heartbeat.hpp says when that is). RFC 6455, section 5.5.2. Loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/net/deadline.hpp"
#include "core/net/loop_uv.hpp"
#include "core/net/ws_link.hpp"

namespace jackfield::net {

class Heartbeats {
 public:
  // `loop` outlives it. An `interval` of 0: nobody is pinged.
  Heartbeats(LoopUv& loop, std::chrono::milliseconds interval, std::chrono::milliseconds timeout);
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;

  // From now on, also for those who are connected.
  void set(std::chrono::milliseconds interval, std::chrono::milliseconds timeout);

  // There are links from now on; nothing happens where there were.
  void begin();
  // There are none any more.
  void end();

  // Pings who is due, and cuts who has not answered in time. To be called when all is read that
  // there is: signs of life count, whenever the server comes to read them.
  void check(const std::vector<std::unique_ptr<WsLink>>& links) {
    if (next_.is_due()) judge(links);
  }

 private:
  void judge(const std::vector<std::unique_ptr<WsLink>>& links);
  void watch();

  LoopUv& loop_;
  std::chrono::milliseconds interval_;
  std::chrono::milliseconds timeout_;
  std::chrono::milliseconds period_;
  bool are_links_ = false;
  Deadline next_;            // look at all of them
  std::uint64_t begun_ = 0;  // to wait for that; milliseconds of the loop
};

}  // namespace jackfield::net
