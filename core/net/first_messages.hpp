// Connections from which no message has come yet, where there is a time for the first one. Empty,
// and so without cost, where there is none. Loop thread.
#pragma once

#include <chrono>
#include <list>
#include <unordered_map>

#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/net/counts.hpp"

namespace jackfield::net {

class WsLink;

class FirstMessages {
 public:
  // `timeout`: 0: none.
  FirstMessages(std::chrono::milliseconds timeout, base::Loop& loop, base::Log& log, Counts& counts)
      : timeout_(timeout), loop_(loop), log_(log), counts_(counts) {}
  ~FirstMessages();
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

 private:
  struct Waiting {
    WsLink* link;
    std::chrono::microseconds begun;
  };

  void erase(WsLink& link);
  void close_late();
  void watch();

  std::chrono::milliseconds timeout_;
  base::Loop& loop_;
  base::Log& log_;
  Counts& counts_;
  std::list<Waiting> in_order_;  // of their begin, and so of their ends
  std::unordered_map<WsLink*, std::list<Waiting>::iterator> by_link_;
  base::TimerId timer_ = 0;  // for the first of them
};

}  // namespace jackfield::net
