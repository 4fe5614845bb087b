#include "tests/bench/load/echoes.hpp"

#include <algorithm>
#include <utility>

#include "tests/bench/load/body.hpp"

namespace jackfield::bench {

Echoes::Echoes(Load& load, std::vector<std::string> topics, CpuMeter cpu)
    : load_(load), topics_(std::move(topics)), cpu_(std::move(cpu)) {}

Echoes::~Echoes() { load_.set_listener(nullptr, 0); }

void Echoes::begin(std::size_t body_size, const Extent& extent) {
  load_.set_listener(this, body_size);
  body_ = make_body(body_size);
  extent_ = extent;
  sent_.assign(load_.size(), 0);
  due_.assign(load_.size(), {});
  for (std::size_t i = 0; i < load_.size(); ++i) load_[i].expected = 0;
  flow_ = Flow();
  cpu_before_ = extent.is_warm_up ? 0 : cpu_();
  flow_.reads = load_.reads();
  flow_.load_ns = own_cpu_ns();
  begin_ = Clock::now();
}

Flow Echoes::finish() {
  flow_.time = load_.now() - begin_;
  flow_.reads = load_.reads() - flow_.reads;
  flow_.load_ns = own_cpu_ns() - flow_.load_ns;
  if (!extent_.is_warm_up) {
    flow_.cpu_ns = cpu_() - cpu_before_;
    load_.drain();  // the server has said all that it wanted to: what comes now is too much
  }
  return std::move(flow_);
}

bool Echoes::goes_on() const {
  return extent_.goes_on(flow_.messages, load_.now() - begin_);
}

Flow Echoes::run(std::size_t body_size, const Extent& extent) {
  begin(body_size, extent);
  is_closed_loop_ = true;
  for (std::size_t i = 0; i < load_.size(); ++i) {
    due_[i] = begin_;
    send(i);
  }
  load_.turn_until([this] { return under_way_ == 0; }, "an echo does not come");
  return finish();
}

Clock::time_point Echoes::due_at(std::uint64_t number) const {
  return begin_ + interval_ * static_cast<std::int64_t>(number);
}

Flow Echoes::run_at_rate(std::size_t body_size, Clock::duration interval, const Extent& extent) {
  begin(body_size, extent);
  is_closed_loop_ = false;
  interval_ = interval;
  const auto end = begin_ + extent.window;
  std::uint64_t number = 0;
  const auto due = [&] { return due_at(number); };
  while (due() < end) {
    while (due() <= Clock::now() && due() < end) {
      send(static_cast<std::size_t>(number % load_.size()));
      ++number;
    }
    const auto left = due() - Clock::now();
    load_.turn(std::max(left, Clock::duration::zero()));
    check_interrupted();
  }
  load_.turn_until([this] { return under_way_ == 0; }, "an echo does not come");
  return finish();
}

void Echoes::send(std::size_t index) {
  set_number(body_, sent_[index]++);
  load_[index].echo(topics_[index], body_);
  ++under_way_;
}

void Echoes::message(LoadConnection& connection, std::string_view body) {
  const std::size_t index = connection.index();
  const std::uint64_t number = number_of(body, body_.size());
  if (number != connection.expected || number >= sent_[index]) {
    throw Failure("connection " + std::to_string(index) + " got " +
                  (number == kNoNumber ? "a message that it did not send"
                                       : "echo " + std::to_string(number) + " where " +
                                             std::to_string(connection.expected) + " is next"));
  }
  if (extent_.is_warm_up && !is_alike(body, body_)) {
    throw Failure("echo " + std::to_string(number) + " was changed");
  }
  ++connection.expected;
  ++flow_.messages;
  --under_way_;
  const auto due = is_closed_loop_ ? due_[index]
                                   : due_at(number * load_.size() + index);
  flow_.latency.add(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(load_.now() - due).count()));
  if (!is_closed_loop_ || !goes_on()) return;
  due_[index] = load_.now();
  send(index);
}

}  // namespace jackfield::bench
