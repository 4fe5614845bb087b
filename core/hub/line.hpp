// A queue of elements that are linked through their own `next`: nothing to allocate, so what must
// not fail can be put off. An element is in one line at most, and in no chain meanwhile.
#pragma once

#include <utility>

namespace jackfield::hub {

template <class Element>
class Line {
 public:
  Line() = default;
  Line(Line&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), last_(std::exchange(other.last_, nullptr)) {}
  Line& operator=(Line&& other) noexcept {
    first_ = std::exchange(other.first_, nullptr);
    last_ = std::exchange(other.last_, nullptr);
    return *this;
  }

  bool is_empty() const { return first_ == nullptr; }

  void add(Element& element) {
    element.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &element;
    last_ = &element;
  }

  // The one that has been in for longest; no more in. REQUIRES: !is_empty()
  Element& take() {
    Element& taken = *first_;
    first_ = std::exchange(taken.next, nullptr);
    if (first_ == nullptr) last_ = nullptr;
    return taken;
  }

 private:
  Element* first_ = nullptr;
  Element* last_ = nullptr;
};

}  // namespace jackfield::hub
