// A finished WebSocket frame (RFC 6455 section 5.2): made once, immutable, shared by every outbox
// that it waits in. A server's frames are not masked, so the bytes are the same for every
// connection. Counted without atomics: loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace jackfield::wire {

class FrameRef;

class Frame {
 public:
  std::string_view bytes() const { return {data(), size_}; }

 private:
  friend class FrameRef;
  friend class FrameBuilder;

  explicit Frame(std::size_t size) : size_(size) {}
  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }

  std::size_t size_;
  std::size_t references_ = 1;
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
  friend bool operator==(const FrameRef&, const FrameRef&) = default;

 private:
  friend class FrameBuilder;
  explicit FrameRef(Frame* adopted) : frame_(adopted) {}
  void drop();

  Frame* frame_ = nullptr;
};

// The message `[topic, event, payload]` as one text frame: the only place where messages for
// clients are built (version 1). `topic` and `event` are UTF-8 or WTF-8; `payload` is valid JSON.
FrameRef make_message_frame(std::string_view topic, std::string_view event,
                            std::string_view payload);

// An error message: payload `{"code":…,"message":…}`.
FrameRef make_error_frame(std::string_view topic, std::string_view code, std::string_view message);

// A Close frame (RFC 6455 section 5.5.1). `code` 0: without a payload. The reason is made UTF-8,
// and cut at a code point to 123 octets.
FrameRef make_close_frame(std::uint16_t code, std::string_view reason);

// A Ping frame (RFC 6455 section 5.5.2). Not an empty one: of an empty Pong libwebsockets 4.1 tells
// nobody.
FrameRef make_ping_frame();

}  // namespace jackfield::wire
