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

class Outbox {
 public:
  // More than this is not joined into one write, unless a single frame is larger.
  static constexpr std::size_t kMaxJoined = 64 << 10;

  bool is_empty() const { return !first_; }
  std::size_t bytes() const { return bytes_; }  // octets that wait

  void push(wire::FrameRef frame);

  // The whole frames at the front as one run of bytes, at most kMaxJoined of them but at least one
  // frame; `scratch` is used where they must be joined. They stay in the outbox.
  // REQUIRES: !is_empty()
  std::string_view front(std::string& scratch) const;

  // Drops the frames at the front that make up `octets`, as front() gave them.
  void pop(std::size_t octets);

  void clear();

 private:
  wire::FrameRef first_;
  std::vector<wire::FrameRef> rest_;
  std::size_t rest_begin_ = 0;  // rest_ before it is gone
  std::size_t bytes_ = 0;
};

}  // namespace jackfield::hub
