// A file descriptor, closed when this goes. Owns its number; any thread, one at a time.
#pragma once

#include <unistd.h>

#include <utility>

namespace jackfield::base {

class Descriptor {
 public:
  // Takes it over; negative, as a call that failed gives it: none.
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  // The caller closes it.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace jackfield::base
