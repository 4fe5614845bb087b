// What a thread is calling right now: which plugin, which of its functions, for which topic. Made
// around each call into a plugin, so that a crash inside can be named (crash_handler.hpp) and a
// slow call measured. Any thread; each thread sees its own calls only. Calls may nest.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace jackfield::plugin {

// Who is called: one for each generation. Outlives all calls into it and all its LoadedImages, and
// does not change while there are any: a signal handler may read it at any time.
struct Callee {
  std::string plugin;
  std::string version;  // empty: not known yet
  std::uint64_t generation = 0;
  std::string crash_key;  // CrashHistory::key; empty: its crashes are not counted
};

// One call into a plugin, from construction to destruction, on the thread that makes it. Cheap, for
// it is made for every message: no allocation, and of system calls only the clock (vdso(7)).
class PluginCall {
 public:
  // `callback` is a string literal: "start", "stop", "save", "resume", "configure", "match",
  // "join", "event", "leave", "adopt", "posted", "timer", "work", "done"; "load" is dlopen(3),
  // which runs static constructors, "unload" dlclose(3), which runs destructors. All that is given
  // must live as long as this; the texts may hold any octets.
  PluginCall(const Callee& callee, const char* callback, std::string_view topic = {},
             std::string_view event = {}, std::string_view pattern = {}) noexcept;
  // REQUIRES: the thread that made it, and no call made within it is left.
  ~PluginCall();
  PluginCall(const PluginCall&) = delete;
  PluginCall& operator=(const PluginCall&) = delete;

  const Callee& callee() const noexcept { return callee_; }
  const char* callback() const noexcept { return callback_; }
  std::string_view topic() const noexcept { return topic_; }
  std::string_view event() const noexcept { return event_; }
  std::string_view pattern() const noexcept { return pattern_; }

  // Since its construction; monotonic.
  std::chrono::microseconds elapsed() const;

  // This thread's innermost call, or null. Async-signal-safe.
  static const PluginCall* current() noexcept;

 private:
  const Callee& callee_;
  const char* const callback_;
  const std::string_view topic_;
  const std::string_view event_;
  const std::string_view pattern_;
  const std::chrono::steady_clock::time_point begin_;
  const PluginCall* const outer_;
};

}  // namespace jackfield::plugin
