#include "core/net/heartbeats.hpp"

#include <utility>

#include "core/net/heartbeat.hpp"

namespace jackfield::net {

using std::chrono::milliseconds;

Heartbeats::Heartbeats(LoopUv& loop, milliseconds interval, milliseconds timeout)
    : loop_(loop),
      interval_(interval),
      timeout_(timeout),
      period_(heartbeat::period(interval, timeout)) {}

void Heartbeats::set(milliseconds interval, milliseconds timeout) {
  interval_ = interval;
  timeout_ = timeout;
  period_ = heartbeat::period(interval, timeout);
  stop_timer();
  if (are_links_) start_timer();
}

void Heartbeats::begin() {
  if (are_links_) return;
  start_timer();  // may throw
  are_links_ = true;
}

void Heartbeats::end() {
  are_links_ = false;
  stop_timer();
}

void Heartbeats::start_timer() {
  if (interval_.count() == 0) return;
  checked_at_ = loop_.turn_time();
  timer_ = loop_.start_timer(period_, period_, [this] {
    is_due_ = true;
    loop_.wake();
  });
}

void Heartbeats::stop_timer() {
  if (timer_ != 0) loop_.cancel_timer(std::exchange(timer_, 0));
}

void Heartbeats::check(const std::vector<std::unique_ptr<WsLink>>& links) {
  if (!std::exchange(is_due_, false)) return;
  const auto interval = static_cast<std::uint64_t>(interval_.count());
  const auto timeout = static_cast<std::uint64_t>(timeout_.count());
  const auto period = static_cast<std::uint64_t>(period_.count());
  const std::uint64_t now = loop_.turn_time();
  // Where it was held up for longer than a peer has for its answer, peers may have been held up
  // with it: a machine or a container that was frozen.
  const std::uint64_t since = now - std::exchange(checked_at_, now);
  const bool may_judge = since < period + timeout;
  for (const auto& link : links) link->check_heartbeat(now, interval, timeout, period, may_judge);
}

}  // namespace jackfield::net
