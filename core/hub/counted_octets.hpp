// Octets that count in a total for as long as this is there: of what is kept at several places in
// turn, so that it is counted at each of them and nowhere twice. The total outlives it. Loop
// thread.
#pragma once

#include <cassert>
#include <cstddef>
#include <utility>

namespace jackfield::hub {

class CountedOctets {
 public:
  CountedOctets() = default;  // in no total: nothing is added to it
  explicit CountedOctets(std::size_t& total, std::size_t octets = 0) : total_(&total) {
    add(octets);
  }
  ~CountedOctets() { clear(); }
  CountedOctets(CountedOctets&& other) noexcept
      : total_(other.total_), octets_(std::exchange(other.octets_, 0)) {}
  CountedOctets& operator=(CountedOctets&& other) noexcept {
    CountedOctets moved(std::move(other));
    std::swap(total_, moved.total_);
    std::swap(octets_, moved.octets_);
    return *this;
  }

  std::size_t octets() const { return octets_; }

  // REQUIRES: it has a total.
  void add(std::size_t octets) {
    assert(total_ != nullptr && "octets are counted in a total");
    octets_ += octets;
    *total_ += octets;
  }

  void clear() {
    if (octets_ != 0) *total_ -= std::exchange(octets_, 0);
  }

 private:
  std::size_t* total_ = nullptr;
  std::size_t octets_ = 0;
};

}  // namespace jackfield::hub
