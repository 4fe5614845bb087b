#include "core/hub/outbox.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace jackfield::hub {

using wire::FrameRef;

struct Outbox::Notes {
  std::uint64_t base = 2;                 // the number of the first slot's place; none is 0
  std::array<std::uint64_t, 8> oldest{};  // before this place none of these policies waits
  std::uint64_t latest_until = 0;         // before this place all that are kLatest are noted
  std::unordered_map<std::uint64_t, std::uint64_t> latest;  // places, by the hash of their names
};

void Batch::clear() {
  frames_.clear();
  bytes_.clear();
}

// ---- at the front

std::string_view Outbox::front(Batch& batch) const {
  assert(first_ && "front() of an empty outbox");
  const std::string_view first = first_->fragment(begun_);
  if (rest_ == nullptr || begun_ != 0) return first;  // the shared bytes themselves, not copied
  const FrameRef* next = rest_->slots() + rest_->begin;
  const FrameRef* const end = rest_->slots() + rest_->end;
  while (next != end && !*next) ++next;
  if (next == end || first.size() + next->bytes().size() > kMaxBatch) return first;
  if (are_at_front(batch)) return batch.bytes_;
  try {
    fill(batch);
  } catch (const std::bad_alloc&) {
    batch.clear();
    return first;  // one by one then
  }
  return batch.bytes_;
}

// Whether those that were joined are what would be joined now.
bool Outbox::are_at_front(const Batch& batch) const {
  const auto& frames = batch.frames_;
  const std::size_t rest = rest_->end - rest_->begin;
  if (frames.empty() || frames.size() > rest + 1 || frames.front() != first_) return false;
  if (rest_->dropped != 0) return false;
  const FrameRef* const begin = rest_->slots() + rest_->begin;
  const auto [last, next] = std::mismatch(frames.begin() + 1, frames.end(), begin);
  if (last != frames.end()) return false;
  return next == rest_->slots() + rest_->end ||
         batch.bytes_.size() + next->bytes().size() > kMaxBatch;
}

void Outbox::fill(Batch& batch) const {
  batch.frames_.assign(1, first_);
  batch.bytes_.assign(first_.bytes());
  for (std::uint32_t i = rest_->begin; i < rest_->end; ++i) {
    const FrameRef& frame = rest_->slots()[i];
    if (!frame) continue;
    const std::string_view next = frame.bytes();
    if (batch.bytes_.size() + next.size() > kMaxBatch) break;
    batch.frames_.push_back(frame);
    batch.bytes_.append(next);
  }
}

void Outbox::pop(std::size_t octets) {
  if (octets == bytes_) {
    clear();
    return;
  }
  assert(octets < bytes_ && "pop() of more than there is");
  bytes_ -= octets;
  const std::size_t left = first_.bytes().size() - begun_;
  if (octets < left) {
    assert(octets % wire::Frame::kMaxFragment == 0 && "pop() within a fragment");
    begun_ += octets;
    return;
  }
  octets -= left;
  advance();
  while (octets > 0) {
    assert(octets >= first_.bytes().size() && "pop() within a frame");
    octets -= first_.bytes().size();
    advance();
  }
}

FrameRef Outbox::take() {
  assert(first_ && begun_ == 0 && "take() from an empty outbox, or of a part");
  FrameRef taken = first_;
  pop(taken.bytes().size());
  return taken;
}

// Puts the next frame in the place of the first.
void Outbox::advance() {
  first_ = {};
  begun_ = 0;
  if (rest_ == nullptr) return;
  while (!first_ && rest_->begin < rest_->end) {
    FrameRef& slot = rest_->slots()[rest_->begin++];
    if (!slot) --rest_->dropped;
    first_ = std::move(slot);
    slot.~FrameRef();
  }
}

void Outbox::clear() {
  first_ = {};
  bytes_ = 0;
  begun_ = 0;
  if (rest_ == nullptr) return;
  Rest* const rest = std::exchange(rest_, nullptr);
  for (std::uint32_t i = rest->begin; i < rest->end; ++i) rest->slots()[i].~FrameRef();
  delete rest->notes;
  free_rest(rest);
}

// ---- the slots

Outbox::Rest* Outbox::make_rest(std::uint32_t capacity, wire::FrameLedger* ledger) {
  void* const memory = ::operator new(Rest::footprint_of(capacity));
  if (ledger != nullptr) ledger->octets += Rest::footprint_of(capacity);
  return new (memory) Rest{0, 0, capacity, 0, ledger, nullptr};
}

void Outbox::free_rest(Rest* rest) {
  if (rest->ledger != nullptr) rest->ledger->octets -= rest->footprint();
  ::operator delete(rest);
}

// For one more behind the last.
void Outbox::make_room(const FrameRef& frame) {
  if (rest_ == nullptr) {
    rest_ = make_rest(kFirstRest, frame->ledger());
  } else if (rest_->begin + rest_->dropped > rest_->capacity / 2) {
    close_gaps();  // a connection that is never quite drained must not keep what is gone
  } else {
    if (rest_->capacity > UINT32_MAX / 2) throw std::bad_alloc();
    Rest* const larger = make_rest(rest_->capacity * 2, rest_->ledger);
    move_slots(*rest_, *larger);
    free_rest(std::exchange(rest_, larger));
  }
}

void Outbox::close_gaps() { move_slots(*rest_, *rest_); }

// To the begin of `to`, which is empty or the same.
void Outbox::move_slots(Rest& from, Rest& to) {
  if (Notes* const notes = from.notes; notes != nullptr && from.dropped == 0) {
    notes->base += from.begin;
  } else if (notes != nullptr) {
    const std::uint64_t unused = notes->base + from.end + 1;  // from there nothing had a number
    *notes = Notes();
    notes->base = unused;
  }
  std::uint32_t count = 0;
  if (from.dropped == 0) {
    // A reference is a pointer that nobody points to: its octets are all of it.
    count = from.end - from.begin;
    std::memmove(static_cast<void*>(to.slots()), from.slots() + from.begin,
                 count * sizeof(FrameRef));
    from.begin = from.end;
  }
  for (std::uint32_t i = from.begin; i < from.end; ++i) {
    FrameRef moved = std::move(from.slots()[i]);
    from.slots()[i].~FrameRef();
    if (moved) new (to.slots() + count++) FrameRef(std::move(moved));
  }
  to.begin = 0;
  to.end = count;
  to.dropped = 0;
  to.notes = std::exchange(from.notes, nullptr);
}

std::size_t Outbox::footprint() const {
  if (!first_) return 0;
  std::size_t count = 1;
  std::size_t rest = 0;
  if (rest_ != nullptr) {
    count += rest_->end - rest_->begin - rest_->dropped;
    rest = rest_->footprint();
  }
  return count * wire::Frame::footprint_of(0) + begun_ + bytes_ + rest;
}

// ---- in the middle

Outbox::Notes& Outbox::notes() {
  if (rest_ == nullptr) rest_ = make_rest(kFirstRest, first_->ledger());
  if (rest_->notes == nullptr) rest_->notes = new Notes;
  return *rest_->notes;
}

void Outbox::forget_notes() {
  if (rest_ != nullptr) delete std::exchange(rest_->notes, nullptr);
}

// REQUIRES: there are notes
Outbox::Span Outbox::span() const {
  const std::uint64_t base = rest_->notes->base;
  return {base + rest_->begin - 1, base + rest_->end};
}

FrameRef& Outbox::at(std::uint64_t place) {
  if (place == span().first) return first_;
  return rest_->slots()[place - rest_->notes->base];
}

// Leaves the slots where they are.
void Outbox::drop(std::uint64_t place, Drops& drops) {
  FrameRef& frame = at(place);
  const std::size_t size = frame.bytes().size();
  drops.add(policy_of_mark(frame->mark()), size);
  bytes_ -= size;
  if (&frame == &first_) {
    advance();
  } else {
    frame = {};
    ++rest_->dropped;
  }
}

void Outbox::tidy() {
  if (!first_) {
    clear();
  } else if (rest_->dropped > kFewDropped && rest_->dropped > (rest_->end - rest_->begin) / 2) {
    close_gaps();
  }
}

bool Outbox::drop_oldest(unsigned policies, Drops& drops) {
  if (!first_) return false;
  std::uint64_t& from = notes().oldest[policies >> 1];
  const Span places = span();
  for (std::uint64_t place = std::max(from, places.first); place < places.end; ++place) {
    const FrameRef& frame = at(place);
    const bool is_one =
        frame && !is_begun(frame) && (policies >> (frame->mark() & kPolicyBits) & 1U) != 0;
    if (!is_one) continue;
    from = place + 1;
    drop(place, drops);
    tidy();
    return true;
  }
  from = places.end;
  return false;
}

// The place of what waits under kLatest with these names, as far as it is noted; 0: none does.
std::uint64_t Outbox::find_latest(std::uint64_t hash, std::string_view names) {
  const auto found = rest_->notes->latest.find(hash);
  if (found == rest_->notes->latest.end()) return 0;
  const std::uint64_t place = found->second;
  if (place < span().first) return 0;  // written since
  const FrameRef& frame = at(place);
  const bool is_same = frame && !is_begun(frame) &&
                       policy_of_mark(frame->mark()) == SlowPolicy::kLatest &&
                       frame->names() == names;  // or else two hashes are the same
  return is_same ? place : 0;
}

// Notes what has come since it was called last.
void Outbox::note_latest(const KeyedHash& hash, Drops& drops) {
  Notes& its = notes();
  if (its.latest.size() > 2 * std::size_t{rest_->end - rest_->begin} + kFewDropped) {
    its.latest.clear();  // most of it was written or dropped since
    its.latest_until = 0;
  }
  const std::uint64_t end = span().end;
  for (std::uint64_t place = std::max(its.latest_until, span().first); place < end; ++place) {
    its.latest_until = place;
    const FrameRef& frame = at(place);
    if (!frame || is_begun(frame)) continue;
    if (policy_of_mark(frame->mark()) != SlowPolicy::kLatest) continue;
    const std::string_view names = frame->names();
    if (names.empty()) continue;
    const std::uint64_t hashed = hash(names);
    const std::uint64_t older = find_latest(hashed, names);
    its.latest.insert_or_assign(hashed, place);
    if (older != 0) drop(older, drops);
  }
  its.latest_until = end;
}

void Outbox::drop_same(const wire::Frame& frame, const KeyedHash& hash, Drops& drops) {
  if (!first_ || frame.names().empty()) return;
  note_latest(hash, drops);
  const std::uint64_t older = find_latest(hash(frame.names()), frame.names());
  if (older != 0) drop(older, drops);
  tidy();
}

}  // namespace jackfield::hub
