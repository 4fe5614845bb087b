// A finished WebSocket frame (RFC 6455 section 5.2), or the frames of a large message, which is in
// fragments (section 5.4): made once, immutable, shared by every outbox that it waits in. A
// server's frames are not masked, so the bytes are the same for every connection. Counted without
// atomics: loop thread only.
//
// In fragments, so that a large message can be written part by part, as its peer takes it, without
// being copied for each: between two of them libwebsockets may send what it has to, a pong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace jackfield::wire {

class FrameRef;

// What frames take, as long as they are there. Outlives those that were made for it.
struct FrameLedger {
  std::size_t octets = 0;
};

class Frame {
 public:
  static constexpr std::uint8_t kMaxMark = 7;
  // Octets, the header included. All fragments but the last have so many.
  static constexpr std::size_t kMaxFragment = 64 << 10;

  std::string_view bytes() const { return {data(), size_}; }

  // The fragment that begins at this octet; all of it where it is not in fragments.
  std::string_view fragment(std::size_t offset) const {
    return bytes().substr(offset, kMaxFragment);
  }

  // What stands for topic and event: the same for all messages of the same two, and for no others.
  // Empty where it is no message, or its names have nearly kMaxFragment octets.
  std::string_view names() const {
    return bytes().substr(header_size(), names_and_mark_ / (kMaxMark + 1U));
  }

  // A note of whoever made it, 0 to kMaxMark; 0 unless FrameRef::mark was called.
  std::uint8_t mark() const { return static_cast<std::uint8_t>(names_and_mark_ & kMaxMark); }

  FrameLedger* ledger() const { return ledger_; }

  // The memory that it takes.
  std::size_t footprint() const { return footprint_of(size_); }
  static constexpr std::size_t footprint_of(std::size_t octets) { return sizeof(Frame) + octets; }

 private:
  friend class FrameRef;
  friend class FrameBuilder;

  static constexpr std::size_t kMaxPayload = kMaxFragment - 4;  // of a fragment
  static constexpr std::size_t kMaxNames = kMaxPayload;

  Frame(std::size_t size, FrameLedger* ledger) : size_(size), ledger_(ledger) {}
  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  std::size_t header_size() const { return data()[1] < 126 ? 2 : 4; }

  std::size_t size_;
  FrameLedger* ledger_;  // null: it is in none
  std::uint32_t references_ = 1;
  std::uint32_t names_and_mark_ = 0;
  // size_ octets follow in the same allocation.
};

// A counted reference; may be empty.
class FrameRef {
 public:
  FrameRef() = default;
  FrameRef(const FrameRef& other) : frame_(other.frame_) {
    if (frame_ != nullptr) ++frame_->references_;
  }
  FrameRef(FrameRef&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  FrameRef& operator=(FrameRef other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~FrameRef() { drop(); }

  explicit operator bool() const { return frame_ != nullptr; }
  const Frame& operator*() const { return *frame_; }
  const Frame* operator->() const { return frame_; }
  std::string_view bytes() const { return frame_->bytes(); }
  // REQUIRES: mark <= Frame::kMaxMark
  void mark(std::uint8_t mark) {
    frame_->names_and_mark_ =
        (frame_->names_and_mark_ & ~std::uint32_t{Frame::kMaxMark}) | std::uint32_t{mark};
  }
  friend bool operator==(const FrameRef&, const FrameRef&) = default;

 private:
  friend class FrameBuilder;
  explicit FrameRef(Frame* adopted) : frame_(adopted) {}
  void drop();

  Frame* frame_ = nullptr;
};

// The message `[topic, event, payload]` as a text frame: the only place where messages for
// clients are built (version 1). `topic` and `event` are UTF-8 or WTF-8; `payload` is valid JSON.
// It is in `ledger` while it is there, unless that is null.
FrameRef make_message_frame(std::string_view topic, std::string_view event,
                            std::string_view payload, FrameLedger* ledger = nullptr);

// An error message: payload `{"code":…,"message":…}`.
FrameRef make_error_frame(std::string_view topic, std::string_view code, std::string_view message,
                          FrameLedger* ledger = nullptr);

// A Close frame (RFC 6455 section 5.5.1). `code` 0: without a payload. The reason is made UTF-8,
// and cut at a code point to 123 octets.
FrameRef make_close_frame(std::uint16_t code, std::string_view reason);

// A Ping frame (RFC 6455 section 5.5.2). Not an empty one: of an empty Pong libwebsockets 4.1 tells
// nobody.
FrameRef make_ping_frame();

}  // namespace jackfield::wire
