// Broadcasts through one connection of a load to the subscribers among the others. Each is
// numbered, and every delivery is checked: one that is lost, doubled, changed or out of its order
// ends the flow with a Failure. One thread; the load outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load/flow_meter.hpp"
#include "tests/bench/load/load.hpp"

namespace jackfield::bench {

class Broadcasts final : public Load::Listener {
 public:
  struct Options {
    std::size_t publisher = 0;        // the index of its connection
    std::vector<std::string> topics;  // broadcast N goes to topic N, round robin
    std::size_t reach = 0;            // subscribers that each topic has
    // Connection C gets each N for which N % stride == C / reach; 1: every one.
    std::size_t stride = 1;
    // Off: a connection may get messages of several topics in another order, within 64.
    bool is_ordered = true;
  };
  // Every connection but the publisher's is subscribed.
  Broadcasts(Load& load, Options options, CpuMeter cpu);
  ~Broadcasts() override;

  // Closed loop: `under_way` broadcasts (64 at most) are, always. One more is due when the oldest
  // has reached everybody, and its latency counts from then.
  Flow run(std::size_t body_size, std::size_t under_way, const Extent& extent);
  // Open loop: one is due each `interval`, whatever the server does, and its latency counts from
  // when it was due, not from when it was sent.
  Flow run_at_rate(std::size_t body_size, Clock::duration interval, const Extent& extent);

  void message(LoadConnection& connection, std::string_view body) override;

 private:
  void begin(std::size_t body_size, std::size_t places, const Extent& extent);
  Flow finish();
  void send(Clock::time_point due);
  void advance();
  void take_misplaced(LoadConnection& connection, std::uint64_t number);
  bool goes_on() const;

  Load& load_;
  const Options options_;

  struct Place {
    Clock::time_point due;
    std::size_t missing = 0;  // deliveries
  };
  std::vector<Place> places_;  // broadcast N has place N % size, a power of two
  std::uint64_t mask_ = 0;
  std::uint64_t next_ = 0;    // to be sent
  std::uint64_t oldest_ = 0;  // that is under way
  std::uint64_t first_ = 0;   // of this flow
  bool is_closed_loop_ = true;
  std::string body_;
  FlowMeter meter_;
};

}  // namespace jackfield::bench
