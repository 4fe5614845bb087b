// Work that may take long, or for ever, on threads of its own: what of a plugin is not run on the
// loop (opening its image, its `start` and `stop`, unmapping). Each piece of work has a new thread,
// so that one that hangs holds up nothing else. Loop thread, but for the work itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <thread>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/plugin/host_threads.hpp"

namespace jackfield::plugin {

class Errands {
 public:
  using Task = std::function<void()>;

  // Both outlive it.
  Errands(base::Loop& loop, HostThreads& host_threads) : loop_(loop), host_threads_(host_threads) {}
  // REQUIRES: none is running. Where one is, the process must end without destructors.
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  // Runs `work` on a thread of that name (15 octets at most: pthread_setname_np(3)), which no
  // signal is delivered to; then `done` on the loop, when that thread has ended. Where it takes
  // longer than `patience`, `late` is run on the loop meanwhile, and `done` still follows if the
  // work ever ends. Fails where there can be no more threads: then none of them is called.
  base::Status run(const char* name, Task work, std::chrono::milliseconds patience, Task late,
                   Task done);

  std::size_t running() const { return running_.size(); }

 private:
  struct Errand {
    std::thread thread;
    base::TimerId timer = 0;
    Task done;
  };
  using Place = std::list<Errand>::iterator;

  class Guard;

  void end(Place errand);

  base::Loop& loop_;
  HostThreads& host_threads_;
  std::list<Errand> running_;
};

}  // namespace jackfield::plugin
