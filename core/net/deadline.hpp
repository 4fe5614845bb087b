// The clock by which peers are judged: for the first of some deadlines, or for the next look at all
// of them. The loop runs its clocks before it reads; so where it was held up, by a plugin or by
// SIGSTOP, what came in that time is still in the sockets when this comes due: its owner judges
// when that has been read (Server::read_on). Loop thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "core/net/loop_uv.hpp"

namespace jackfield::net {

class Deadline {
 public:
  // Who comes to judge so late was held up. Peers that need an answer of the server before they can
  // go on have lost what that took, which may be much more.
  static constexpr std::chrono::milliseconds kHeldUp{100};

  // `loop` outlives it.
  explicit Deadline(LoopUv& loop) : loop_(loop) {}
  ~Deadline() { clear(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Until it is cleared or taken.
  bool is_set() const { return timer_ != 0 || is_due_; }
  // Wakes the loop at that time (of base::Loop::now()), or at once where it has passed. Where there
  // is no memory for that, it is due in the next turn, whatever brings that. REQUIRES: !is_set()
  void set(std::chrono::microseconds time) noexcept {
    using std::chrono::milliseconds;
    const auto now = base::Loop::now();
    const auto delay = std::max(std::chrono::ceil<milliseconds>(time - now), milliseconds(1));
    wakes_at_ = now + delay;
    try {
      timer_ = loop_.start_timer(delay, milliseconds(0), [this] {
        timer_ = 0;
        is_due_ = true;
        loop_.wake();
      });
    } catch (const std::bad_alloc&) {
      is_due_ = true;
    }
  }
  void clear() {
    if (timer_ != 0) loop_.cancel_timer(std::exchange(timer_, 0));
    is_due_ = false;
  }

  bool is_due() const { return is_due_; }
  // At rest again. How much later this is than the loop was to be woken.
  // REQUIRES: is_due()
  std::chrono::microseconds take() {
    is_due_ = false;
    return base::Loop::now() - wakes_at_;
  }

 private:
  LoopUv& loop_;
  base::TimerId timer_ = 0;
  bool is_due_ = false;
  std::chrono::microseconds wakes_at_{0};
};

}  // namespace jackfield::net
