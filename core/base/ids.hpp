// Ids name connections, subscriptions, calls and timers from outside the structures that hold them:
// 64 bits, never used twice in one run whatever they name, 0 names nothing.
#pragma once

#include <cstdint>

namespace jackfield::base {

using Id = std::uint64_t;

// Gives ids. One instance in a process. Loop thread.
class IdSource {
 public:
  Id next() { return ++last_; }

 private:
  Id last_ = 0;
};

}  // namespace jackfield::base
