// What is measured of a flow whatever its messages are: how long it takes, what the server and the
// load spend on it, and that nothing comes behind it. One thread; the load outlives it.
#pragma once

#include <cstdint>
#include <utility>

#include "tests/bench/load/flow.hpp"
#include "tests/bench/load/load.hpp"

namespace jackfield::bench {

class FlowMeter {
 public:
  FlowMeter(Load& load, CpuMeter cpu) : load_(load), cpu_(std::move(cpu)) {}

  void begin(const Extent& extent) {
    extent_ = extent;
    flow_ = Flow();
    cpu_before_ = extent.is_warm_up ? 0 : cpu_();
    flow_.reads = load_.reads();
    flow_.load_ns = own_cpu_ns();
    begin_ = Clock::now();
  }
  // Throws Failure where more comes than was due.
  Flow finish() {
    flow_.time = load_.now() - begin_;
    flow_.reads = load_.reads() - flow_.reads;
    flow_.load_ns = own_cpu_ns() - flow_.load_ns;
    if (!extent_.is_warm_up) {
      flow_.cpu_ns = cpu_() - cpu_before_;
      load_.drain();  // the server has said all that it wanted to: what comes now is too much
    }
    return std::move(flow_);
  }

  // Whether there is to be more, after so many messages.
  bool goes_on(std::uint64_t sent) const { return extent_.goes_on(sent, load_.now() - begin_); }
  Clock::time_point begun() const { return begin_; }
  bool is_warm_up() const { return extent_.is_warm_up; }
  // The one that goes on: its messages and their latencies are for the caller to note.
  Flow& flow() { return flow_; }
  const Flow& flow() const { return flow_; }

 private:
  Load& load_;
  const CpuMeter cpu_;
  Extent extent_;
  Clock::time_point begin_;
  std::uint64_t cpu_before_ = 0;
  Flow flow_;
};

}  // namespace jackfield::bench
