// Takes in who connects to a listening socket, in the loop. Where descriptors or memory are out
// (accept(2)) it rests for a while rather than spinning, for whoever waits keeps the socket
// readable; they are taken in later. Loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "core/base/descriptor.hpp"
#include "core/base/log.hpp"
#include "core/base/loop.hpp"

namespace jackfield::base {

class Acceptor {
 public:
  // Between two tries while it rests.
  static constexpr std::chrono::milliseconds kRest{200};

  // Where it throws std::bad_alloc, that one is closed, and the acceptor rests.
  using Accepted = std::function<void(Descriptor peer)>;

  // The socket is non-blocking; it, the loop, the log and `rests` outlive this. `name` is the
  // socket's in the log. `rests` counts how often descriptors or memory were out, each time until
  // all who waited are in; null: not counted.
  Acceptor(int socket, std::string name, Loop& loop, Log& log, std::uint64_t* rests,
           Accepted accepted);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // From now on.
  void begin();

 private:
  void take_in();
  int accept_some();
  bool watch();
  void rest(const char* reason);
  void go_on();

  const int socket_;
  const std::string name_;
  Loop& loop_;
  Log& log_;
  std::uint64_t* const rests_;
  const Accepted accepted_;
  WatchId watch_ = 0;
  TimerId resting_ = 0;
};

}  // namespace jackfield::base
