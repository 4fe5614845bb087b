#include "core/hub/outbox.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace jackfield::hub {

void Batch::clear() {
  frames_.clear();
  bytes_.clear();
}

std::string_view Outbox::front(Batch& batch) const {
  assert(first_ && "front() of an empty outbox");
  const std::string_view first = first_.bytes();
  const bool is_alone =
      rest_begin_ == rest_.size() || first.size() + rest_[rest_begin_].bytes().size() > kMaxBatch;
  if (is_alone) return first;  // the shared bytes themselves, not copied
  if (!are_at_front(batch)) fill(batch);
  return batch.bytes_;
}

// Whether those that were joined are what would be joined now.
bool Outbox::are_at_front(const Batch& batch) const {
  const auto& frames = batch.frames_;
  const std::size_t rest = rest_.size() - rest_begin_;
  if (frames.empty() || frames.size() > rest + 1 || frames.front() != first_) return false;
  const auto begin = rest_.begin() + static_cast<std::ptrdiff_t>(rest_begin_);
  const auto [last, next] = std::mismatch(frames.begin() + 1, frames.end(), begin);
  if (last != frames.end()) return false;
  return next == rest_.end() || batch.bytes_.size() + next->bytes().size() > kMaxBatch;
}

void Outbox::fill(Batch& batch) const {
  batch.frames_.assign(1, first_);
  batch.bytes_.assign(first_.bytes());
  for (std::size_t i = rest_begin_; i < rest_.size(); ++i) {
    const std::string_view next = rest_[i].bytes();
    if (batch.bytes_.size() + next.size() > kMaxBatch) break;
    batch.frames_.push_back(rest_[i]);
    batch.bytes_.append(next);
  }
}

void Outbox::pop(std::size_t octets) {
  if (octets == bytes_) {
    clear();
    return;
  }
  bytes_ -= octets;
  while (octets > 0) {
    assert(octets >= first_.bytes().size() && "pop() within a frame");
    assert(rest_begin_ < rest_.size() && "pop() of more than there is");
    octets -= first_.bytes().size();
    first_ = std::move(rest_[rest_begin_++]);
  }
  if (rest_begin_ > rest_.size() / 2) {
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
