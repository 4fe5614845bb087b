// The event loop over libuv: the one thread that owns every connection, subscription and plugin
// call. Made, run and destroyed on that thread.
//
// What a task throws ends the process (std::terminate): nothing unwinds through libuv's frames, and
// nobody could know what was left undone. What can be given up by itself is caught in the task.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/base/loop.hpp"

namespace jackfield::net {

class LoopUv : public base::Loop {
 public:
  LoopUv();
  // Drops what was not run. REQUIRES: no job runs, and whoever else has handles on it closed them.
  ~LoopUv() override;
  LoopUv(const LoopUv&) = delete;
  LoopUv& operator=(const LoopUv&) = delete;

  void post(Task task) override;
  bool is_on_loop() const override { return std::this_thread::get_id() == thread_; }
  base::TimerId start_timer(std::chrono::milliseconds delay, std::chrono::milliseconds interval,
                            Task fire) override;
  void cancel_timer(base::TimerId timer) override;
  base::WatchId watch(int descriptor, Task readable) override;
  void unwatch(base::WatchId watch) override;
  void run_job(Task work, Task done) override;

  // Turns until `stop`.
  void run();
  void stop();
  // Turns, waiting for what comes, until `is_done` says so; asks before each turn. `stop` ends only
  // the turn.
  void run_until(const std::function<bool()>& is_done);
  // Turns as long as something is ready, at most `turns` times; does not wait.
  void drain(int turns);

  // Called once per turn, right after what was ready has been served; what it does is part of the
  // turn. Set once, before `run`.
  void on_served(Task task);

  // Called once per turn, before the loop waits. Set once, before `run`.
  void on_turn_end(Task task);

  // Does not wait before this or the next turn's end, as if something were ready.
  void wake() { uv_async_send(&door_); }

  // The timers on the loop that somebody else has made, active or not. Walks all handles.
  std::vector<uv_timer_t*> foreign_timers();

  // Calls `task` for each arrival of the signal.
  void on_signal(int signal, std::function<void(int)> task);

  // Milliseconds, as of the begin of this turn.
  std::uint64_t turn_time() const { return uv_now(&loop_); }

  uv_loop_t* uv() { return &loop_; }

 private:
  struct Timer;
  struct Watch;
  struct Signal;
  struct Job;

  static void on_readable(uv_poll_t* handle, int status, int events) noexcept;
  void run_posted();
  void forget(Timer* timer);

  uv_loop_t loop_{};
  uv_async_t door_{};
  uv_check_t served_{};
  uv_prepare_t turn_end_{};
  const std::thread::id thread_ = std::this_thread::get_id();
  Task served_task_;
  Task turn_end_task_;
  std::unordered_map<base::TimerId, Timer*> timers_;
  std::vector<std::unique_ptr<Signal>> signals_;
  base::TimerId last_timer_ = 0;
  std::unordered_map<base::WatchId, Watch*> watches_;
  base::WatchId last_watch_ = 0;
  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
};

}  // namespace jackfield::net
