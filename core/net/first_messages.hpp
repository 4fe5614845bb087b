// Connections from which no message has come yet, where there is a time for the first one. Empty,
// and so without cost, where there is none. Loop thread.
#pragma once

#include <chrono>
#include <list>
#include <unordered_map>

#include "core/base/log.hpp"
#include "core/net/counts.hpp"
#include "core/net/deadline.hpp"
#include "core/net/loop_uv.hpp"

namespace jackfield::net {

class WsLink;

class FirstMessages {
 public:
  // `timeout`: 0: none.
  FirstMessages(std::chrono::milliseconds timeout, LoopUv& loop, base::Log& log, Counts& counts)
      : timeout_(timeout), log_(log), counts_(counts), deadline_(loop) {}
  FirstMessages(const FirstMessages&) = delete;
  FirstMessages& operator=(const FirstMessages&) = delete;

  // For those that are waited for too; who is not is left alone.
  void set_timeout(std::chrono::milliseconds timeout);

  // It is open.
  void begin(WsLink& link);
  // A message has come, or it is gone.
  void end(WsLink& link) {
    if (!in_order_.empty()) erase(link);
  }

  // Closes those whose time is up. To be called when all is read that there is: what has come in
  // time counts, whenever the server comes to read it.
  void close_late() {
    if (deadline_.is_due()) judge();
  }

 private:
  struct Waiting {
    WsLink* link;
    std::chrono::microseconds begun;
  };

  void erase(WsLink& link);
  void judge();
  void watch();

  std::chrono::milliseconds timeout_;
  base::Log& log_;
  Counts& counts_;
  std::list<Waiting> in_order_;  // of their begin, and so of their ends
  std::unordered_map<WsLink*, std::list<Waiting>::iterator> by_link_;
  Deadline deadline_;  // of the first of them
};

}  // namespace jackfield::net
