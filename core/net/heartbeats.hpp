// The clock of the heartbeats, one for all links: it runs while there are links, and asks each what
// is due (heartbeat.hpp says when that is). RFC 6455, section 5.5.2. Loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/net/loop_uv.hpp"
#include "core/net/ws_link.hpp"

namespace jackfield::net {

class Heartbeats {
 public:
  // `loop` outlives it. An `interval` of 0: nobody is pinged.
  Heartbeats(LoopUv& loop, std::chrono::milliseconds interval, std::chrono::milliseconds timeout);
  ~Heartbeats() { end(); }
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;

  // From now on, also for those who are connected.
  void set(std::chrono::milliseconds interval, std::chrono::milliseconds timeout);

  // There are links from now on; nothing happens where there were.
  void begin();
  // There are none any more.
  void end();

  // The loop runs its clocks before it reads. So where it was held up, by a plugin or by SIGSTOP,
  // the signs of life of that time are still in the sockets when the clock comes due: call this
  // when those have been read. Pings who is due, and cuts who has not answered in time.
  void check(const std::vector<std::unique_ptr<WsLink>>& links);

 private:
  void start_timer();
  void stop_timer();

  LoopUv& loop_;
  std::chrono::milliseconds interval_;
  std::chrono::milliseconds timeout_;
  std::chrono::milliseconds period_;
  bool are_links_ = false;
  base::TimerId timer_ = 0;  // 0: at rest
  bool is_due_ = false;
  std::uint64_t checked_at_ = 0;  // milliseconds of the loop
};

}  // namespace jackfield::net
