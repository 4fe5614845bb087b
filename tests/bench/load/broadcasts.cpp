#include "tests/bench/load/broadcasts.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "tests/bench/load/body.hpp"

namespace jackfield::bench {
namespace {

constexpr std::size_t kMostUnderWay = 1 << 16;  // in an open loop

// Where a server has little to do, silence does not mean that it is busy: one that has lost a
// message need not be waited for as long.
Clock::duration patience_for(std::size_t deliveries) {
  constexpr std::size_t kFew = 10000;
  return deliveries < kFew ? std::chrono::seconds(5) : Load::kPatience;
}

}  // namespace

Broadcasts::Broadcasts(Load& load, Options options, CpuMeter cpu)
    : load_(load), options_(std::move(options)), meter_(load, std::move(cpu)) {
  for (std::size_t i = 0; i < load_.size(); ++i) {
    load_[i].step = options_.stride;
    load_[i].expected = options_.stride == 1 ? 0 : i / options_.reach;
    load_[i].come = 0;
  }
}

Broadcasts::~Broadcasts() { load_.set_listener(nullptr, 0); }

void Broadcasts::begin(std::size_t body_size, std::size_t places, const Extent& extent) {
  load_.set_listener(this, body_size);
  body_ = make_body(body_size);
  places_.assign(std::bit_ceil(places), {});
  mask_ = places_.size() - 1;
  first_ = next_;
  meter_.begin(extent);
}

Flow Broadcasts::finish() {
  meter_.flow().messages = (next_ - first_) * options_.reach;
  return meter_.finish();
}

bool Broadcasts::goes_on() const {
  return meter_.goes_on(next_ - first_);
}

Flow Broadcasts::run(std::size_t body_size, std::size_t under_way, const Extent& extent) {
  begin(body_size, under_way, extent);
  is_closed_loop_ = true;
  for (std::size_t i = 0; i < under_way; ++i) send(meter_.begun());
  load_.turn_until([this] { return oldest_ == next_; }, "a broadcast does not reach everybody",
                   patience_for(under_way * options_.reach));
  return finish();
}

Flow Broadcasts::run_at_rate(std::size_t body_size, Clock::duration interval,
                             const Extent& extent) {
  begin(body_size, kMostUnderWay, extent);
  is_closed_loop_ = false;
  const auto due = [&] {
    return meter_.begun() + interval * static_cast<std::int64_t>(next_ - first_);
  };
  const auto end = meter_.begun() + extent.window;
  while (due() < end) {
    while (due() <= Clock::now() && due() < end) send(due());
    const auto left = due() - Clock::now();
    // Less than a millisecond cannot be waited for: it is turned away.
    load_.turn(std::max(left, Clock::duration::zero()));
    check_interrupted();
  }
  load_.turn_until([this] { return oldest_ == next_; }, "a broadcast does not reach everybody");
  return finish();
}

void Broadcasts::send(Clock::time_point due) {
  Place& place = places_[next_ & mask_];
  if (place.missing > 0) throw Failure("more broadcasts wait than can be counted");
  place = {due, options_.reach};
  set_number(body_, next_);
  load_[options_.publisher].publish(options_.topics[next_ % options_.topics.size()], body_);
  ++next_;
}

void Broadcasts::message(LoadConnection& connection, std::string_view body) {
  const std::uint64_t number = number_of(body, body_.size());
  if (number == connection.expected && connection.come == 0) {
    connection.expected += connection.step;
  } else {
    take_misplaced(connection, number);
  }
  if (meter_.is_warm_up() && !is_alike(body, body_)) {
    throw Failure("message " + std::to_string(number) + " was changed");
  }
  Place& place = places_[number & mask_];
  if (number - oldest_ >= next_ - oldest_ || place.missing == 0) {
    throw Failure("message " + std::to_string(number) + " comes too often");
  }
  const auto latency = load_.now() - place.due;
  meter_.flow().latency.add(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(latency).count()));
  if (--place.missing == 0) advance();
}

void Broadcasts::advance() {
  while (oldest_ < next_ && places_[oldest_ & mask_].missing == 0) {
    ++oldest_;
    if (is_closed_loop_ && goes_on()) send(load_.now());
  }
}

void Broadcasts::take_misplaced(LoadConnection& connection, std::uint64_t number) {
  const std::string who = "connection " + std::to_string(connection.index());
  if (number == kNoNumber) throw Failure(who + " got a message that nobody published");
  const std::uint64_t ahead = (number - connection.expected) / connection.step;
  const bool is_its_own = (number - connection.expected) % connection.step == 0;
  if (options_.is_ordered || number < connection.expected || !is_its_own || ahead >= 64 ||
      (connection.come >> ahead & 1) != 0) {
    throw Failure(who + " got message " + std::to_string(number) + " where " +
                  std::to_string(connection.expected) + " is next");
  }
  connection.come |= std::uint64_t{1} << ahead;
  for (; (connection.come & 1) != 0; connection.come >>= 1) connection.expected += connection.step;
}

}  // namespace jackfield::bench
