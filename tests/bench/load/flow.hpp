// What a flow of messages through a server came to. One thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>

#include "tests/bench/load/histogram.hpp"
#include "tests/bench/support/figures.hpp"

namespace jackfield::bench {

// The CPU time that the server has used so far, in nanoseconds. Called when nothing is under way.
using CpuMeter = std::function<std::uint64_t()>;

struct Flow {
  std::uint64_t messages = 0;  // delivered
  std::uint64_t cpu_ns = 0;    // that the server used for them
  Clock::duration time{};      // from the first that was due to the last that was delivered
  Histogram latency;           // from when each was due
  std::uint64_t reads = 0;     // of the load: system calls that brought something
  std::uint64_t load_ns = 0;   // CPU time of the load

  double cpu_us_each() const {
    return messages == 0 ? 0 : static_cast<double>(cpu_ns) / static_cast<double>(messages) / 1e3;
  }
  double per_second() const {
    const double seconds = std::chrono::duration<double>(time).count();
    return seconds > 0 ? static_cast<double>(messages) / seconds : 0;
  }
  double per_read() const {
    return reads == 0 ? 0 : static_cast<double>(messages) / static_cast<double>(reads);
  }
  // How much of the time the load's core was at work. Near 100 %, the load is what was measured.
  double load_percent() const {
    const double seconds = std::chrono::duration<double>(time).count();
    return seconds > 0 ? static_cast<double>(load_ns) / seconds / 1e7 : 0;
  }
};

// The CPU time of the calling thread, in nanoseconds.
inline std::uint64_t own_cpu_ns() {
  constexpr std::uint64_t kSecond = 1000000000;
  std::timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// How long a flow goes on: for this time, and until so many messages were sent, as far as they can
// be within kLongest. All that was sent is delivered before it ends.
struct Extent {
  Clock::duration window{};
  std::uint64_t at_least = 1;
  bool is_warm_up = false;  // CPU time is not looked at; bodies are, octet by octet

  static constexpr std::chrono::seconds kLongest{5};
  bool goes_on(std::uint64_t sent, Clock::duration time) const {
    return time < window || (sent < at_least && time < kLongest);
  }
};

}  // namespace jackfield::bench
