// What waits in the C++ wrapper: Reply, a call that is answered later; Timer; Outcome, what a job
// gave; and the closures behind them. Included by jackfield.hpp. C++17.
//
// The host is given a closure's address and need not ever call it. So each closure is owned by the
// plugin's Home: it is freed when it has run, and at the latest when the plugin stops.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "jackfield.h"
#include "jackfield_state.hpp"
#include "jackfield_values.hpp"

namespace jf {

namespace detail {

// Something callable that waits to be called by the host. Owned by Home.
class Closure : public std::enable_shared_from_this<Closure> {
 public:
  Closure() = default;
  Closure(const Closure&) = delete;
  Closure& operator=(const Closure&) = delete;
  virtual ~Closure() = default;
  // Nothing of it may run any more; waits until what runs has returned. True: the host may still
  // hold a pointer to it.
  virtual bool revoke() { return false; }
};

// Closures of jobs that were in line when `start` failed: a worker may still come and ask, so they
// stay as long as the image.
inline std::vector<std::shared_ptr<Closure>>& orphans() {
  static std::vector<std::shared_ptr<Closure>> closures;
  return closures;
}

// What outlives the plugin's instance: the host while it may be called, and the closures that the
// host has not called yet (it need not: they are freed when the plugin stops). [any]
class Home {
 public:
  explicit Home(const jf_host* host) : host_(host) {}

  template <class Function>
  std::int32_t with_host(Function function) {
    const std::shared_lock<std::shared_mutex> lock(door_);
    return host_ == nullptr ? JF_E_GONE : function(host_);
  }
  void close() {
    const std::unique_lock<std::shared_mutex> lock(door_);
    host_ = nullptr;
  }

  void keep(std::shared_ptr<Closure> closure) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Closure* const key = closure.get();
    closures_[key] = std::move(closure);
  }
  std::shared_ptr<Closure> take(Closure* closure) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = closures_.find(closure);
    if (found == closures_.end()) return nullptr;
    std::shared_ptr<Closure> taken = std::move(found->second);
    closures_.erase(found);
    return taken;
  }
  // `started`: the host has begun `stop`, so no worker will come any more.
  void clear(bool started) {
    std::map<Closure*, std::shared_ptr<Closure>> gone;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      gone.swap(closures_);
    }
    for (auto& [key, closure] : gone) {
      if (closure->revoke() && !started) orphans().push_back(std::move(closure));
    }
  }

 private:
  std::shared_mutex door_;
  const jf_host* host_;
  std::mutex mutex_;
  std::map<Closure*, std::shared_ptr<Closure>> closures_;
};

inline void log(const jf_host* host, std::uint32_t level, std::string_view message,
                std::string_view error, jf_text topic = {nullptr, 0}) {
  const jf_field fields[] = {{JF_TEXT("error"), text(error)}, {JF_TEXT("topic"), topic}};
  host->log(host, level, text(message), fields, topic.size > 0 ? 2 : 1);
}

// Runs what is not an answer to a client; an exception is logged.
template <class Function>
std::int32_t guarded(const jf_host* host, std::string_view where, Function function) noexcept {
  try {
    function();
    return JF_OK;
  } catch (const StateError& error) {
    log(host, JF_LOG_ERROR, where, error.what());
    return JF_E_STATE;
  } catch (const std::exception& exception) {
    log(host, JF_LOG_ERROR, where, exception.what());
  } catch (...) {
    log(host, JF_LOG_ERROR, where, "an exception that is no std::exception");
  }
  return JF_E_INTERNAL;
}

template <class Function>
class Posted : public Closure {
 public:
  Posted(Home* home, const jf_host* host, Function function)
      : home_(home), host_(host), function_(std::move(function)) {}
  static void run(void* user, jf_text) {
    Posted* const self = static_cast<Posted*>(user);
    const std::shared_ptr<Closure> keep = self->home_->take(self);
    guarded(self->host_, "a posted function failed", [&] { self->function_(); });
  }

 private:
  Home* home_;
  const jf_host* host_;
  Function function_;
};

class Ticking : public Closure {
 public:
  Ticking(const jf_host* host, std::function<void()> function)
      : host_(host), function_(std::move(function)) {}
  static void run(void* user, jf_id) {
    Ticking* const self = static_cast<Ticking*>(user);
    const std::shared_ptr<Closure> keep = self->shared_from_this();  // it may end itself
    if (self->ended) return;
    guarded(self->host_, "a timer's function failed", [&] { self->function_(); });
  }
  bool revoke() override {
    ended = true;
    function_ = nullptr;  // the Timer, which holds this, may outlive the plugin
    return false;
  }
  std::atomic<bool> ended{false};

 private:
  const jf_host* host_;
  std::function<void()> function_;
};

// How far a deferred call's handler is. A Reply that is destroyed while the handler still runs leaves
// the answer to the handler: it may be unwinding, with an Error that says more.
class Deferral {
 public:
  enum State { kHandling, kDropped, kReturned };
  explicit Deferral(State state) : state_(state) {}
  State exchange(State state) { return state_.exchange(state); }
  void store(State state) { state_.store(state); }
  // Whether the handler has to answer.
  bool drop() {
    State expected = kHandling;
    return state_.compare_exchange_strong(expected, kDropped);
  }

 private:
  std::atomic<State> state_;
};

inline constexpr const char* kDropped = "the call was dropped unanswered";

}  // namespace detail

// A call (a join or an event) that is answered later: by `defer`. Movable; may be used and
// destroyed on any thread. One that is destroyed unanswered answers INTERNAL_ERROR. After the
// plugin has stopped, all of it does nothing.
class Reply {
 public:
  Reply() = default;
  Reply(std::shared_ptr<detail::Home> home, Id call, std::shared_ptr<detail::Deferral> deferral)
      : home_(std::move(home)), call_(call), deferral_(std::move(deferral)) {}
  Reply(Reply&& other) noexcept
      : home_(std::move(other.home_)),
        call_(std::exchange(other.call_, 0)),
        deferral_(std::move(other.deferral_)) {}
  Reply& operator=(Reply&& other) noexcept {
    if (this == &other) return *this;
    drop();
    home_ = std::move(other.home_);
    call_ = std::exchange(other.call_, 0);
    deferral_ = std::move(other.deferral_);
    return *this;
  }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply() { drop(); }

  // Whether it waits for an answer.
  explicit operator bool() const { return call_ != 0; }

  // Sends to the connection that made the call; before it is answered.
  std::int32_t push(std::string_view event, JsonText payload) {
    if (call_ == 0) return JF_E_GONE;
    return home_->with_host(
        [&](const jf_host* host) { return host->push(host, call_, text(event), payload.text()); });
  }
  std::int32_t ok() { return answer("", ""); }
  std::int32_t fail(std::string_view code, std::string_view message) {
    return answer(code.empty() ? kInternalError : code, message);
  }
  // Answers with the exception: an Error with its code, any other with INTERNAL_ERROR.
  std::int32_t fail(const std::exception_ptr& exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const Error& error) {
      return fail(error.code(), error.what());
    } catch (const std::exception& error) {
      return fail(kInternalError, error.what());
    } catch (...) {
      return fail(kInternalError, "unknown failure");
    }
  }

 private:
  std::int32_t answer(std::string_view code, std::string_view message) {
    const Id call = std::exchange(call_, 0);
    if (call == 0) return JF_E_GONE;
    return home_->with_host([&](const jf_host* host) {
      const std::int32_t result = host->reply(host, call, text(code), text(message));
      if (result == JF_OK || result == JF_E_GONE) return result;
      // A code or message that the host does not take (too long, not UTF-8) must not leave the
      // client without an answer.
      host->reply(host, call, text(kInternalError), text("the answer cannot be told"));
      return result;
    });
  }
  void drop() {
    if (call_ == 0) return;
    if (deferral_ && deferral_->drop()) {
      call_ = 0;
    } else {
      fail(kInternalError, detail::kDropped);
    }
  }

  std::shared_ptr<detail::Home> home_;
  Id call_ = 0;
  std::shared_ptr<detail::Deferral> deferral_;
};

// A running timer; destroying it ends it. Made by Plugin::after and Plugin::every. [loop]
class Timer {
 public:
  Timer() = default;
  Timer(std::shared_ptr<detail::Home> home, std::shared_ptr<detail::Ticking> ticking, Id id)
      : home_(std::move(home)), ticking_(std::move(ticking)), id_(id) {}
  Timer(Timer&& other) noexcept
      : home_(std::move(other.home_)),
        ticking_(std::move(other.ticking_)),
        id_(std::exchange(other.id_, 0)) {}
  Timer& operator=(Timer&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    home_ = std::move(other.home_);
    ticking_ = std::move(other.ticking_);
    id_ = std::exchange(other.id_, 0);
    return *this;
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  // Whether there is one: not cancelled, not moved from. (A one-time timer that has fired counts.)
  explicit operator bool() const { return id_ != 0; }

  // It will not fire again. Its own function may call it.
  void cancel() {
    const Id id = std::exchange(id_, 0);
    const std::shared_ptr<detail::Ticking> ticking = std::move(ticking_);
    if (id == 0 || ticking == nullptr) return;
    ticking->ended = true;
    const std::int32_t result =
        home_->with_host([&](const jf_host* host) { return host->cancel(host, id); });
    // From another thread the host cannot end it; the closure waits for the plugin's stop then.
    if (result != JF_E_THREAD) home_->take(ticking.get());
  }

 private:
  std::shared_ptr<detail::Home> home_;
  std::shared_ptr<detail::Ticking> ticking_;
  Id id_ = 0;
};

// What a job's work gave: its value, or the exception that it ended with.
template <class Value>
class Outcome {
 public:
  using Stored = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;

  explicit operator bool() const { return value_.has_value(); }
  // The value, moved out; or throws what the work threw.
  Value get() {
    if (exception_) std::rethrow_exception(exception_);
    if (!value_) throw Error(kInternalError, "the job did not run");
    if constexpr (!std::is_void_v<Value>) return std::move(*value_);
  }
  std::exception_ptr exception() const { return exception_; }

  // Used by Job.
  void clear() {
    value_.reset();
    exception_ = nullptr;
  }
  template <class Work>
  void run(Work& work) {
    try {
      if constexpr (std::is_void_v<Value>) {
        work();
        value_.emplace();
      } else {
        value_.emplace(work());
      }
    } catch (...) {
      exception_ = std::current_exception();
    }
  }

 private:
  std::optional<Stored> value_;
  std::exception_ptr exception_;
};

namespace detail {

template <class Work, class Done>
class Job : public Closure {
 public:
  using Value = std::invoke_result_t<Work&>;

  Job(Home* home, const jf_host* host, Work work, Done done)
      : home_(home), host_(host), work_(std::move(work)), done_(std::move(done)) {}

  static std::int32_t run(void* user, jf_text, const jf_output*) {
    Job* const self = static_cast<Job*>(user);
    const std::lock_guard<std::mutex> lock(self->mutex_);
    if (self->revoked_) return JF_E_GONE;
    self->outcome_.run(*self->work_);
    return self->outcome_ ? JF_OK : JF_E_INTERNAL;
  }
  static void finish(void* user, std::int32_t, jf_text) {
    Job* const self = static_cast<Job*>(user);
    const std::shared_ptr<Closure> keep = self->home_->take(self);
    guarded(self->host_, "a job's done function failed",
            [&] { (*self->done_)(std::move(self->outcome_)); });
  }
  bool revoke() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    revoked_ = true;
    // What the two captured, and what came of it, goes now; a Reply among it answers.
    work_.reset();
    done_.reset();
    outcome_.clear();
    return true;
  }

 private:
  Home* home_;
  const jf_host* host_;
  std::mutex mutex_;  // held while the work runs
  bool revoked_ = false;
  std::optional<Work> work_;
  std::optional<Done> done_;
  Outcome<Value> outcome_;
};

}  // namespace detail

}  // namespace jf
