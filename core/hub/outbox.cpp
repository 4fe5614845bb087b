#include "core/hub/outbox.hpp"

#include <cassert>
#include <utility>

namespace jackfield::hub {

void Outbox::push(wire::FrameRef frame) {
  bytes_ += frame.bytes().size();
  if (!first_) {
    first_ = std::move(frame);
  } else {
    rest_.push_back(std::move(frame));
  }
}

std::string_view Outbox::front(std::string& scratch) const {
  assert(first_ && "front() of an empty outbox");
  const std::string_view first = first_.bytes();
  const bool is_alone =
      rest_begin_ == rest_.size() || first.size() + rest_[rest_begin_].bytes().size() > kMaxJoined;
  if (is_alone) return first;  // the shared bytes themselves, not copied
  scratch.assign(first);
  for (std::size_t i = rest_begin_; i < rest_.size(); ++i) {
    const std::string_view next = rest_[i].bytes();
    if (scratch.size() + next.size() > kMaxJoined) break;
    scratch.append(next);
  }
  return scratch;
}

void Outbox::pop(std::size_t octets) {
  bytes_ -= octets;
  while (octets > 0) {
    assert(first_ && octets >= first_.bytes().size() && "pop() within a frame");
    octets -= first_.bytes().size();
    if (rest_begin_ < rest_.size()) {
      first_ = std::move(rest_[rest_begin_++]);
    } else {
      first_ = {};
    }
  }
  if (rest_begin_ == rest_.size()) {
    std::vector<wire::FrameRef>().swap(rest_);
    rest_begin_ = 0;
  } else if (rest_begin_ > rest_.size() / 2) {
    // A connection that is never quite drained must not keep what is gone.
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(rest_begin_));
    rest_begin_ = 0;
  }
}

void Outbox::clear() {
  first_ = {};
  std::vector<wire::FrameRef>().swap(rest_);
  rest_begin_ = 0;
  bytes_ = 0;
}

}  // namespace jackfield::hub
