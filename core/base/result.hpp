// Errors as values. A Status is success or a sentence that says what failed, with its context; a
// Result<T> is a value or such a sentence. Neither throws. Any thread; copies are independent.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace jackfield::base {

class [[nodiscard]] Status {
 public:
  static Status ok() { return Status(); }

  // `sentence` is for a person and ends without a full stop.
  static Status failure(std::string sentence) {
    Status status;
    status.failure_ = std::move(sentence);
    return status;
  }

  bool is_ok() const { return !failure_.has_value(); }

  // REQUIRES: !is_ok()
  const std::string& message() const {
    assert(failure_.has_value() && "message() of a success");
    return *failure_;
  }

 private:
  std::optional<std::string> failure_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: a value is a Result
  static Result failure(std::string sentence) { return Result(Failed{}, std::move(sentence)); }

  bool is_ok() const { return value_.has_value(); }

  // REQUIRES: is_ok()
  T& value() {
    assert(value_.has_value() && "value() of a failure");
    return *value_;
  }
  const T& value() const {
    assert(value_.has_value() && "value() of a failure");
    return *value_;
  }

  // REQUIRES: !is_ok()
  const std::string& message() const {
    assert(!value_.has_value() && "message() of a success");
    return message_;
  }

 private:
  struct Failed {};
  Result(Failed, std::string sentence) : message_(std::move(sentence)) {}

  std::optional<T> value_;
  std::string message_;
};

}  // namespace jackfield::base
