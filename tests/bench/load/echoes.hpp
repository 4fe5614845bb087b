// Echoes: each connection of a load sends numbered messages that it alone gets back, on a topic of
// its own. Each answer is checked; one that is lost, changed or out of its order ends the flow with
// a Failure. One thread; the load outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/bench/load/flow_meter.hpp"
#include "tests/bench/load/load.hpp"

namespace jackfield::bench {

class Echoes final : public Load::Listener {
 public:
  // Connection C has subscribed to topics[C].
  Echoes(Load& load, std::vector<std::string> topics, CpuMeter cpu);
  ~Echoes() override;

  // Closed loop: each connection has one message under way; the next is due with the answer.
  Flow run(std::size_t body_size, const Extent& extent);
  // Open loop: one is due each `interval`, on each connection in turn, whatever the server does.
  Flow run_at_rate(std::size_t body_size, Clock::duration interval, const Extent& extent);

  void message(LoadConnection& connection, std::string_view body) override;

 private:
  void begin(std::size_t body_size, const Extent& extent);
  void send(std::size_t index);
  bool goes_on() const;
  Clock::time_point due_at(std::uint64_t number) const;  // in the open loop

  Load& load_;
  const std::vector<std::string> topics_;

  std::string body_;
  bool is_closed_loop_ = true;
  Clock::duration interval_{};
  std::vector<std::uint64_t> sent_;     // of each connection, in this flow
  std::vector<Clock::time_point> due_;  // in the closed loop
  std::uint64_t under_way_ = 0;
  FlowMeter meter_;
};

}  // namespace jackfield::bench
