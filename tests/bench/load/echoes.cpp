#include "tests/bench/load/echoes.hpp"

#include <algorithm>
#include <utility>

#include "tests/bench/load/body.hpp"

namespace jackfield::bench {

Echoes::Echoes(Load& load, std::vector<std::string> topics, CpuMeter cpu)
    : load_(load), topics_(std::move(topics)), meter_(load, std::move(cpu)) {}

Echoes::~Echoes() { load_.set_listener(nullptr, 0); }

void Echoes::begin(std::size_t body_size, const Extent& extent) {
  load_.set_listener(this, body_size);
  body_ = make_body(body_size);
  sent_.assign(load_.size(), 0);
  due_.assign(load_.size(), {});
  for (std::size_t i = 0; i < load_.size(); ++i) load_[i].expected = 0;
  meter_.begin(extent);
}

bool Echoes::goes_on() const {
  return meter_.goes_on(meter_.flow().messages);
}

Flow Echoes::run(std::size_t body_size, const Extent& extent) {
  begin(body_size, extent);
  is_closed_loop_ = true;
  for (std::size_t i = 0; i < load_.size(); ++i) {
    due_[i] = meter_.begun();
    send(i);
  }
  load_.turn_until([this] { return under_way_ == 0; }, "an echo does not come");
  return meter_.finish();
}

Clock::time_point Echoes::due_at(std::uint64_t number) const {
  return meter_.begun() + interval_ * static_cast<std::int64_t>(number);
}

Flow Echoes::run_at_rate(std::size_t body_size, Clock::duration interval, const Extent& extent) {
  begin(body_size, extent);
  is_closed_loop_ = false;
  interval_ = interval;
  const auto end = meter_.begun() + extent.window;
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
  return meter_.finish();
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
  if (meter_.is_warm_up() && !is_alike(body, body_)) {
    throw Failure("echo " + std::to_string(number) + " was changed");
  }
  ++connection.expected;
  ++meter_.flow().messages;
  --under_way_;
  const auto due = is_closed_loop_ ? due_[index]
                                   : due_at(number * load_.size() + index);
  meter_.flow().latency.add(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(load_.now() - due).count()));
  if (!is_closed_loop_ || !goes_on()) return;
  due_[index] = load_.now();
  send(index);
}

}  // namespace jackfield::bench
