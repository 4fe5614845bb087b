// What waits for one connection: references to shared frames, in order. Small while empty, since
// most are most of the time: one reference without an allocation, the rest in a vector that is
// given back when it is drained. Loop thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/wire/frame.hpp"

namespace jackfield::hub {

// The frames that were joined last. The next outbox often has the very same ones, as a topic's
// subscribers have, and then shares the bytes.
class Batch {
 public:
  void clear();

 private:
  friend class Outbox;

  std::vector<wire::FrameRef> frames_;  // held, for another frame may come to lie where one was
  std::string bytes_;
};

class Outbox {
 public:
  // Octets: more is not joined into one write, unless a single frame is larger.
  static constexpr std::size_t kMaxBatch = 64 << 10;

  bool is_empty() const { return !first_; }
  std::size_t bytes() const { return bytes_; }  // octets that wait

  void push(const wire::FrameRef& frame) {
    bytes_ += frame.bytes().size();
    if (!first_) {
      first_ = frame;
    } else {
      if (rest_.capacity() == 0) rest_.reserve(kFirstRest);
      rest_.push_back(frame);
    }
  }

  // The whole frames at the front as one run of at most kMaxBatch octets, but at least one frame;
  // in `batch` where they must be joined. They stay in the outbox; the view lives until `pop`,
  // `clear`, or the next `front` with the same batch. REQUIRES: !is_empty()
  std::string_view front(Batch& batch) const;

  // Drops the frames at the front that make up `octets`, as front() gave them.
  void pop(std::size_t octets);

  void clear();

 private:
  static constexpr std::size_t kFirstRest = 8;

  bool are_at_front(const Batch& batch) const;
  void fill(Batch& batch) const;

  wire::FrameRef first_;
  std::vector<wire::FrameRef> rest_;
  std::size_t rest_begin_ = 0;  // rest_ before it is gone
  std::size_t bytes_ = 0;
};

}  // namespace jackfield::hub
