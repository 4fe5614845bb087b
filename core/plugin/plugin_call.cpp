#include "core/plugin/plugin_call.hpp"

#include <atomic>
#include <cassert>

namespace jackfield::plugin {
namespace {

// A signal handler reads it on the thread that it interrupts. Thread-local storage is not
// async-signal-safe in general: the first use in a thread may allocate it (__tls_get_addr). With
// the initial-exec model it is part of what a thread is made with, at a fixed distance from the
// thread pointer, so that reading it is one load; this is for code in an executable, as ours is. It
// needs no constructor (constinit) and is an atomic, which a handler may read whole at any
// instruction.
[[gnu::tls_model("initial-exec")]] constinit thread_local std::atomic<const PluginCall*> innermost{
    nullptr};
static_assert(std::atomic<const PluginCall*>::is_always_lock_free);

}  // namespace

PluginCall::PluginCall(const Callee& callee, const char* callback, std::string_view topic,
                       std::string_view event, std::string_view pattern) noexcept
    : callee_(callee),
      callback_(callback),
      topic_(topic),
      event_(event),
      pattern_(pattern),
      begin_(std::chrono::steady_clock::now()),
      outer_(innermost.load(std::memory_order_relaxed)) {
  // Thread and handler are one thread: only the compiler must keep the order.
  std::atomic_signal_fence(std::memory_order_release);
  innermost.store(this, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

PluginCall::~PluginCall() {
  assert(current() == this && "calls end in the reverse order of their beginning");
  std::atomic_signal_fence(std::memory_order_seq_cst);
  innermost.store(outer_, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_release);
}

std::chrono::microseconds PluginCall::elapsed() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               begin_);
}

const PluginCall* PluginCall::current() noexcept {
  const PluginCall* const call = innermost.load(std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_acquire);
  return call;
}

}  // namespace jackfield::plugin
