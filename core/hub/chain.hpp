// A list of elements that are linked through their own `previous` and `next`: two words an element
// and nothing to allocate, and any of them is taken out in constant time. An element is in one
// chain at most, and in it until it is removed.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

namespace jackfield::hub {

template <class Element>
class Chain {
 public:
  Chain() = default;
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  bool is_empty() const { return newest_ == nullptr; }
  std::size_t size() const { return size_; }
  // What was added last of those that are in. Null where it is empty.
  Element* newest() const { return newest_; }

  void add(Element& element) {
    element.previous = nullptr;
    element.next = newest_;
    if (newest_ != nullptr) newest_->previous = &element;
    newest_ = &element;
    ++size_;
  }

  // REQUIRES: it is in this chain.
  void remove(Element& element) {
    assert(size_ > 0 && "remove() from an empty chain");
    if (element.previous != nullptr) element.previous->next = element.next;
    if (element.next != nullptr) element.next->previous = element.previous;
    if (newest_ == &element) newest_ = element.next;
    --size_;
  }

 private:
  Element* newest_ = nullptr;
  std::uint32_t size_ = 0;
};

}  // namespace jackfield::hub
