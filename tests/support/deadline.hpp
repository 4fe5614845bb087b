// How long a test waits for something that must happen. Waits end with the event, so the time
// matters only where a test fails; it is long enough for a loaded machine, sanitizers and valgrind.
#pragma once

#include <chrono>

namespace jackfield::test {

inline constexpr std::chrono::milliseconds kPatience{30000};

class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds patience = kPatience)
      : end_(std::chrono::steady_clock::now() + patience) {}

  std::chrono::steady_clock::time_point end() const { return end_; }

  // For poll(): what is left, rounded up; 0 when it has passed.
  int milliseconds() const {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) : 0;
  }

 private:
  std::chrono::steady_clock::time_point end_;
};

}  // namespace jackfield::test
