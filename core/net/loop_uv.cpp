#include "core/net/loop_uv.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/base/out_of_memory.hpp"

namespace jackfield::net {
namespace {

// Where libuv gets memory from. It aborts where its table of descriptors cannot grow.
void* reallocate(void* old, std::size_t size) {
  void* const made = std::realloc(old, size);
  if (made == nullptr && size > 0) base::end_out_of_memory();
  return made;
}

// Out of descriptors or memory before anything was begun: there is no server without its loop.
void require(int result, const char* what) {
  if (result < 0) {
    throw std::runtime_error(std::string("event loop: ") + what + ": " + uv_strerror(result));
  }
}

template <class Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

struct LoopUv::Timer {
  uv_timer_t handle{};
  LoopUv* loop = nullptr;
  base::TimerId id = 0;
  bool is_repeated = false;
  Task fire;
};

struct LoopUv::Watch {
  uv_poll_t handle{};
  Task readable;
};

struct LoopUv::Signal {
  uv_signal_t handle{};
  std::function<void(int)> task;
};

struct LoopUv::Job {
  uv_work_t request{};
  Task work;
  Task done;
};

LoopUv::LoopUv() {
  uv_replace_allocator(std::malloc, reallocate, std::calloc, std::free);
  require(uv_loop_init(&loop_), "init");
  loop_.data = this;
  require(uv_async_init(&loop_, &door_,
                        [](uv_async_t* door) noexcept {
                          static_cast<LoopUv*>(door->loop->data)->run_posted();
                        }),
          "async");
  require(uv_check_init(&loop_, &served_), "check");
  require(uv_prepare_init(&loop_, &turn_end_), "prepare");
}

LoopUv::~LoopUv() {
  for (const auto& [id, timer] : timers_) {
    uv_close(as_handle(&timer->handle),
             [](uv_handle_t* handle) { delete static_cast<Timer*>(handle->data); });
  }
  while (!watches_.empty()) unwatch(watches_.begin()->first);
  for (const auto& signal : signals_) uv_close(as_handle(&signal->handle), nullptr);
  uv_close(as_handle(&door_), nullptr);
  uv_close(as_handle(&served_), nullptr);
  uv_close(as_handle(&turn_end_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  [[maybe_unused]] const int result = uv_loop_close(&loop_);
  assert(result == 0 && "someone left a handle on the loop");
}

void LoopUv::run() { uv_run(&loop_, UV_RUN_DEFAULT); }

void LoopUv::stop() { uv_stop(&loop_); }

void LoopUv::run_until(const std::function<bool()>& is_done) {
  while (!is_done()) uv_run(&loop_, UV_RUN_ONCE);
}

void LoopUv::drain(int turns) {
  while (turns-- > 0 && uv_run(&loop_, UV_RUN_NOWAIT) != 0) {
  }
}

void LoopUv::on_served(Task task) {
  served_task_ = std::move(task);
  uv_check_start(&served_, [](uv_check_t* handle) noexcept {
    static_cast<LoopUv*>(handle->loop->data)->served_task_();
  });
}

void LoopUv::on_turn_end(Task task) {
  turn_end_task_ = std::move(task);
  uv_prepare_start(&turn_end_, [](uv_prepare_t* handle) noexcept {
    static_cast<LoopUv*>(handle->loop->data)->turn_end_task_();
  });
}

void LoopUv::on_signal(int signal, std::function<void(int)> task) {
  auto made = std::make_unique<Signal>();
  made->task = std::move(task);
  made->handle.data = made.get();
  require(uv_signal_init(&loop_, &made->handle), "signal");
  require(uv_signal_start(
              &made->handle,
              [](uv_signal_t* handle, int number) noexcept {
                static_cast<Signal*>(handle->data)->task(number);
              },
              signal),
          "signal");
  signals_.push_back(std::move(made));
}

// ---- the door

void LoopUv::post(Task task) {
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (is_first) uv_async_send(&door_);
}

// Takes what is there now; what the tasks post is for the next turn.
void LoopUv::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const Task& task : tasks) task();
}

// ---- timers

base::TimerId LoopUv::start_timer(std::chrono::milliseconds delay,
                                  std::chrono::milliseconds interval, Task fire) {
  auto timer = std::make_unique<Timer>();
  timer->loop = this;
  timer->id = ++last_timer_;
  timer->is_repeated = interval.count() > 0;
  timer->fire = std::move(fire);
  timer->handle.data = timer.get();
  const base::TimerId id = timer->id;
  timers_.emplace(id, timer.get());  // may throw; what follows does not
  uv_timer_init(&loop_, &timer->handle);
  // libuv counts from the begin of the turn, and runs what is due by then in the same pass: with a
  // delay of at least 1 a timer that starts itself again cannot keep the loop from turning.
  const std::uint64_t late = uv_hrtime() / 1'000'000 - uv_now(&loop_);
  const std::uint64_t due =
      std::max<std::uint64_t>(1, late + static_cast<std::uint64_t>(delay.count()));
  uv_timer_start(
      &timer->handle,
      [](uv_timer_t* handle) noexcept {
        auto* fired = static_cast<Timer*>(handle->data);
        // Kept alive through the call: it may cancel its own timer.
        const Task task = fired->fire;
        if (!fired->is_repeated) fired->loop->forget(fired);
        task();
      },
      due, static_cast<std::uint64_t>(interval.count()));
  static_cast<void>(timer.release());
  return id;
}

void LoopUv::cancel_timer(base::TimerId id) {
  const auto found = timers_.find(id);
  if (found != timers_.end()) forget(found->second);
}

void LoopUv::forget(Timer* timer) {
  timers_.erase(timer->id);
  uv_close(as_handle(&timer->handle),
           [](uv_handle_t* handle) { delete static_cast<Timer*>(handle->data); });
}

std::vector<uv_timer_t*> LoopUv::foreign_timers() {
  std::vector<uv_timer_t*> found;
  const auto add = [](uv_handle_t* handle, void* list) {
    if (uv_handle_get_type(handle) != UV_TIMER) return;
    static_cast<std::vector<uv_timer_t*>*>(list)->push_back(reinterpret_cast<uv_timer_t*>(handle));
  };
  uv_walk(&loop_, add, &found);
  for (const auto& [id, timer] : timers_) std::erase(found, &timer->handle);
  return found;
}

// ---- descriptors

base::WatchId LoopUv::watch(int descriptor, Task readable) {
  auto watch = std::make_unique<Watch>();
  watch->readable = std::move(readable);
  watch->handle.data = watch.get();
  const base::WatchId id = ++last_watch_;
  const auto place = watches_.emplace(id, watch.get()).first;  // may throw; what follows does not
  if (uv_poll_init(&loop_, &watch->handle, descriptor) != 0) {
    watches_.erase(place);
    return 0;
  }
  uv_poll_t* const handle = &watch.release()->handle;
  if (uv_poll_start(handle, UV_READABLE, &LoopUv::on_readable) == 0) return id;
  unwatch(id);
  return 0;
}

// An error is for the owner to find, as it reads; libuv stopped polling there.
void LoopUv::on_readable(uv_poll_t* handle, int status, int /*events*/) noexcept {
  if (status < 0) uv_poll_start(handle, UV_READABLE, &LoopUv::on_readable);
  // libuv ends handles at the end of a turn: the task outlives its call, whatever it unwatches.
  static_cast<Watch*>(handle->data)->readable();
}

void LoopUv::unwatch(base::WatchId id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  uv_close(as_handle(&found->second->handle),
           [](uv_handle_t* handle) { delete static_cast<Watch*>(handle->data); });
  watches_.erase(found);
}

// ---- jobs

void LoopUv::run_job(Task work, Task done) {
  auto job = std::make_unique<Job>();
  job->work = std::move(work);
  job->done = std::move(done);
  job->request.data = job.get();
  const int result = uv_queue_work(
      &loop_, &job->request,
      [](uv_work_t* request) noexcept { static_cast<Job*>(request->data)->work(); },
      [](uv_work_t* request, int /*status*/) noexcept {
        const std::unique_ptr<Job> ended(static_cast<Job*>(request->data));
        ended->done();
      });
  require(result, "job");
  static_cast<void>(job.release());
}

}  // namespace jackfield::net
