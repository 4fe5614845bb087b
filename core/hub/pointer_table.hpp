// A hash table of pointers, for what is looked up by something that it holds itself: a word and an
// octet a place and no node, since there are entries for each connection, subscription and topic.
// Open addressing with linear probing (Knuth, volume 3, section 6.4, algorithms L and R). The
// octets are some bits of the hashes: what is looked for is hardly ever compared with anything
// else, which would have to be fetched for it. `insert` and `take` may move the entries' places,
// never what they point to. Its memory only grows. Only `insert` and `reserve_one` throw,
// std::bad_alloc, and leave it as it was.
//
// Traits: `std::uint64_t hash(const Key&)`, well mixed in its high bits, static or not;
// `static Key key(const Element&)`, which stays the same while the element is in; Key compares.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace jackfield::hub {

// Pointer: `T*` or `std::unique_ptr<T>`.
template <class Pointer, class Traits>
class PointerTable {
 public:
  using Element = typename std::pointer_traits<Pointer>::element_type;
  using Key = typename Traits::Key;

  PointerTable() = default;
  explicit PointerTable(Traits traits) : traits_(traits) {}

  std::size_t size() const { return size_; }

  // Null where there is none.
  Element* find(const Key& key) const {
    if (size_ == 0) return nullptr;
    const std::size_t at = place_of(key);
    return tags_[at] == kFree ? nullptr : std::to_address(places_[at]);
  }

  // REQUIRES: none with its key is in.
  void insert(Pointer pointer) {
    assert(find(Traits::key(*pointer)) == nullptr && "a key is inserted once");
    reserve_one();
    place(std::move(pointer));
    ++size_;
  }

  // So that the next insert does not throw.
  void reserve_one() {
    if ((size_ + 1) * 4 > places_.size() * 3) grow();
  }

  // Gives back what was in. REQUIRES: it is in.
  Pointer take(const Key& key) {
    assert(find(key) != nullptr && "take() of a key that is not in");
    std::size_t hole = place_of(key);
    Pointer taken = std::exchange(places_[hole], nullptr);
    // What follows without a gap moves up where the hole would keep it from being found.
    for (std::size_t at = next(hole); tags_[at] != kFree; at = next(at)) {
      const std::size_t its_home = home(traits_.hash(Traits::key(*places_[at])));
      if (((at - its_home) & mask()) < ((at - hole) & mask())) continue;
      places_[hole] = std::exchange(places_[at], nullptr);
      tags_[hole] = tags_[at];
      hole = at;
    }
    tags_[hole] = kFree;
    --size_;
    return taken;
  }

  // Calls `visit` with each element, in no order. REQUIRES: it neither inserts nor takes.
  void for_each(const auto& visit) const {
    for (const Pointer& pointer : places_) {
      if (pointer != nullptr) visit(*pointer);
    }
  }

 private:
  static constexpr std::size_t kFirstSize = 8;
  static constexpr std::uint8_t kFree = 0;

  std::size_t mask() const { return places_.size() - 1; }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  std::size_t home(std::uint64_t hash) const {
    return static_cast<std::size_t>(hash >> (64 - std::bit_width(mask())));
  }
  // Never kFree. Of bits that a home does not depend on, but in tables of more than 2^32 places.
  static std::uint8_t tag(std::uint64_t hash) {
    return static_cast<std::uint8_t>((hash >> 25) & 0x7f) | 0x80;
  }

  // Where it is, or the free place where it would be.
  std::size_t place_of(const Key& key) const {
    const std::uint64_t hash = traits_.hash(key);
    std::size_t at = home(hash);
    while (tags_[at] != kFree && !(tags_[at] == tag(hash) && Traits::key(*places_[at]) == key)) {
      at = next(at);
    }
    return at;
  }

  void place(Pointer pointer) {
    const std::uint64_t hash = traits_.hash(Traits::key(*pointer));
    std::size_t at = home(hash);
    while (tags_[at] != kFree) at = next(at);
    places_[at] = std::move(pointer);
    tags_[at] = tag(hash);
  }

  void grow() {
    std::vector<Pointer> old(places_.empty() ? kFirstSize : places_.size() * 2);
    std::vector<std::uint8_t> tags(old.size(), kFree);
    old.swap(places_);
    tags.swap(tags_);
    for (Pointer& pointer : old) {
      if (pointer != nullptr) place(std::move(pointer));
    }
  }

  std::vector<Pointer> places_;     // a power of two of them, at most three quarters taken
  std::vector<std::uint8_t> tags_;  // of each place
  std::size_t size_ = 0;
  [[no_unique_address]] Traits traits_;
};

// For what is found by its `id`. Fibonacci hashing: ids that follow each other are spread evenly.
template <class Element>
struct ById {
  using Key = std::uint64_t;
  static std::uint64_t hash(Key id) { return id * 0x9e3779b97f4a7c15U; }
  static Key key(const Element& element) { return element.id; }
};

}  // namespace jackfield::hub
