// The event loop as the layers see it, and the one door into it from other threads. All of hub,
// plugin and net run on the loop's thread; core/net implements this over libuv, and tests over a
// list. The loop outlives everything that was given it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace jackfield::base {

// Names a timer of one loop; never used twice. 0 names none.
using TimerId = std::uint64_t;

// Names a watch of one loop; never used twice. 0 names none.
using WatchId = std::uint64_t;

class Loop {
 public:
  using Task = std::function<void()>;

  virtual ~Loop() = default;

  // The one door: runs `task` on the loop's thread, in the order of posting. Any thread. Tasks that
  // were posted when the loop ended are destroyed without being run.
  virtual void post(Task task) = 0;

  // Whether the caller is on the loop's thread. Any thread.
  virtual bool is_on_loop() const = 0;

  // Calls `fire` after `delay`, then each `interval` where that is not zero, until cancelled.
  // Loop thread. `fire` may cancel its own timer.
  virtual TimerId start_timer(std::chrono::milliseconds delay, std::chrono::milliseconds interval,
                              Task fire) = 0;

  // Loop thread. A timer that has ended or never was is ignored.
  virtual void cancel_timer(TimerId timer) = 0;

  // Calls `readable` whenever the descriptor has something to read, has ended or has failed, again
  // and again as long as that lasts, until unwatched. The descriptor stays the caller's, becomes
  // non-blocking, and must be unwatched before it is closed. Gives 0 where it cannot be watched:
  // a file of a disk, or watched already. Loop thread.
  virtual WatchId watch(int descriptor, Task readable) = 0;

  // `readable` is not called any more; it may call this itself. A watch that has ended or never was
  // is ignored. Loop thread.
  virtual void unwatch(WatchId watch) = 0;

  // Runs `work` on a worker thread, then `done` on the loop. Loop thread.
  virtual void run_job(Task work, Task done) = 0;

  // Monotonic time. Any thread.
  static std::chrono::microseconds now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
  }
};

}  // namespace jackfield::base
