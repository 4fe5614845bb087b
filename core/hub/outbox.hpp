// What waits for one connection: references to shared frames, in order. Small while empty, since
// most are most of the time: one reference without an allocation, the rest in one block that is
// given back when it is drained. Of a large message in fragments (frame.hpp) the first ones may be
// taken out already: then it is neither dropped nor replaced. What is needed to drop from its
// middle (slow_policy.hpp) is there only where something was dropped. Loop thread.
//
// Where there is no memory: `push`, `drop_oldest` and `drop_same` throw std::bad_alloc and leave
// what waits as it was, but for what was dropped already; nothing else throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "core/hub/keyed_hash.hpp"
#include "core/hub/slow_policy.hpp"
#include "core/wire/frame.hpp"

namespace jackfield::hub {

// The frames that were joined last. The next outbox often has the very same ones, as a topic's
// subscribers have, and then shares the bytes.
class Batch {
 public:
  void clear();

 private:
  friend class Outbox;

  std::vector<wire::FrameRef> frames_;  // held, for another frame may come to lie where one was
  std::string bytes_;
};

class Outbox {
 public:
  // Octets: more is not joined into one write.
  static constexpr std::size_t kMaxBatch = wire::Frame::kMaxFragment;

  Outbox() = default;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() { clear(); }

  bool is_empty() const { return !first_; }
  std::size_t bytes() const { return bytes_; }  // octets that wait

  // The memory of the message of which fragments are taken out already; 0: there is none.
  std::size_t begun_bytes() const { return begun_ == 0 ? 0 : first_->footprint(); }

  // The memory that it would take if nobody else had its frames.
  std::size_t footprint() const;

  void push(const wire::FrameRef& frame) {
    if (!first_) {
      first_ = frame;
    } else {
      if (rest_ == nullptr || rest_->end == rest_->capacity) make_room(frame);
      new (rest_->slots() + rest_->end) wire::FrameRef(frame);
      ++rest_->end;
    }
    bytes_ += frame.bytes().size();
  }

  // The whole frames at the front as one run of at most kMaxBatch octets, or a fragment; in `batch`
  // where they must be joined. They stay in the outbox; the view lives until something is taken
  // out, or the next `front` with the same batch. REQUIRES: !is_empty()
  std::string_view front(Batch& batch) const;

  // Takes out the frames at the front that make up `octets`, as front() gave them.
  void pop(std::size_t octets);

  // Takes out the oldest, and gives it. REQUIRES: nothing of it is taken out
  wire::FrameRef take();

  void clear();

  // Drops the oldest frame whose policy is one of these (a bit each, 1 << policy); false where none
  // is. However long it is, many of these together look at each frame once.
  bool drop_oldest(unsigned policies, Drops& drops);

  // Drops what waits under kLatest with the names of `frame`. In constant time, on average, but for
  // the first of them, which drops all that is not the newest of its names.
  void drop_same(const wire::Frame& frame, const KeyedHash& hash, Drops& drops);

  // Forgets what `drop_oldest` and `drop_same` have noted.
  void forget_notes();

 private:
  struct Notes;

  // What waits after first_: slots from `begin` to `end`, in which dropped ones are empty. Places
  // before `begin` are no frames any more; the first frame came from the one before it.
  struct Rest {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t capacity;
    std::uint32_t dropped;      // of those from begin to end
    wire::FrameLedger* ledger;  // that this block is in, or null
    Notes* notes;               // owned; null: none
    // `capacity` slots follow in the same allocation.

    wire::FrameRef* slots() { return reinterpret_cast<wire::FrameRef*>(this + 1); }
    const wire::FrameRef* slots() const {
      return reinterpret_cast<const wire::FrameRef*>(this + 1);
    }
    static std::size_t footprint_of(std::uint32_t capacity) {
      return sizeof(Rest) + capacity * sizeof(wire::FrameRef);
    }
    std::size_t footprint() const { return footprint_of(capacity); }
  };

  // Numbers of places that stay as they are while slots move.
  struct Span {
    std::uint64_t first;
    std::uint64_t end;
  };

  static constexpr std::uint32_t kFirstRest = 8;
  static constexpr std::uint32_t kFewDropped = 64;

  bool are_at_front(const Batch& batch) const;
  void fill(Batch& batch) const;
  void make_room(const wire::FrameRef& frame);
  static Rest* make_rest(std::uint32_t capacity, wire::FrameLedger* ledger);
  static void free_rest(Rest* rest);
  static void move_slots(Rest& from, Rest& to);
  void advance();
  void close_gaps();
  Notes& notes();
  Span span() const;
  wire::FrameRef& at(std::uint64_t place);
  void drop(std::uint64_t place, Drops& drops);
  void tidy();
  std::uint64_t find_latest(std::uint64_t hash, std::string_view names);
  void note_latest(const KeyedHash& hash, Drops& drops);

  bool is_begun(const wire::FrameRef& frame) const { return begun_ != 0 && &frame == &first_; }

  wire::FrameRef first_;
  Rest* rest_ = nullptr;  // null: nothing follows the first
  std::size_t bytes_ = 0;
  std::size_t begun_ = 0;  // octets of the first that are taken out: of whole fragments
};

}  // namespace jackfield::hub
