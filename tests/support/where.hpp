// Where a test called a support function, so that a failure names the test's line and not the
// support code's; and the one way by which support code fails the running test.
#pragma once

#include <cstddef>
#include <string>

namespace jackfield::test {

struct Where {
  const char* file;
  std::size_t line;

  // As a default argument this is the caller's place.
  static Where here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, static_cast<std::size_t>(line)};
  }
};

// Fails the running test. REQUIRES: the thread that runs the test.
[[noreturn]] void fail(const std::string& message, Where where = Where::here());

// Counts an assertion, and fails the running test with `message` where it does not hold.
void check(bool holds, const std::string& message, Where where = Where::here());

}  // namespace jackfield::test
