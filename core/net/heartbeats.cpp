#include "core/net/heartbeats.hpp"

#include <cstdint>

#include "core/net/heartbeat.hpp"

namespace jackfield::net {

using std::chrono::milliseconds;

Heartbeats::Heartbeats(LoopUv& loop, milliseconds interval, milliseconds timeout)
    : loop_(loop),
      interval_(interval),
      timeout_(timeout),
      period_(heartbeat::period(interval, timeout)),
      next_(loop) {}

void Heartbeats::set(milliseconds interval, milliseconds timeout) {
  interval_ = interval;
  timeout_ = timeout;
  period_ = heartbeat::period(interval, timeout);
  next_.clear();
  watch();
}

void Heartbeats::begin() {
  if (are_links_) return;
  are_links_ = true;
  watch();
}

void Heartbeats::end() {
  are_links_ = false;
  next_.clear();
}

void Heartbeats::judge(const std::vector<std::unique_ptr<WsLink>>& links) {
  const auto interval = static_cast<std::uint64_t>(interval_.count());
  const auto timeout = static_cast<std::uint64_t>(timeout_.count());
  const auto period = static_cast<std::uint64_t>(period_.count());
  const std::uint64_t now = loop_.turn_time();
  // Where the loop was held up for longer than a peer has for its answer, peers may have been held
  // up with it: a machine or a container that was frozen. Perhaps in the turn of the last look,
  // behind it: so from the begin of that turn, and not by how late this comes.
  const bool may_judge = now - begun_ < period + timeout;
  next_.take();
  for (const auto& link : links) link->check_heartbeat(now, interval, timeout, period, may_judge);
  watch();
}

void Heartbeats::watch() {
  if (!are_links_ || interval_.count() == 0 || next_.is_set()) return;
  begun_ = loop_.turn_time();
  next_.set(base::Loop::now() + period_);
}

}  // namespace jackfield::net
