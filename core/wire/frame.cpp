#include "core/wire/frame.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <new>
#include <string>

#include "core/wire/json_text.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::wire {
namespace {

// Of the first octet (RFC 6455 section 5.2).
constexpr std::size_t kFin = 0x80;
constexpr std::size_t kContinuation = 0;
constexpr std::size_t kText = 1;
constexpr std::size_t kClose = 8;
constexpr std::size_t kPing = 9;

constexpr std::size_t kMaxReason = 123;  // 125 octets of a control frame less the code

std::string_view cut_at_code_point(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// What stands between the quotes of a name's JSON string.
std::string quoted(std::string_view name) {
  std::string text;
  append_quoted(name, text);
  return text.substr(1, text.size() - 2);
}

}  // namespace

// Writes the frame of a known payload length, or its fragments, from front to back.
class FrameBuilder {
 public:
  FrameBuilder(std::size_t opcode, std::size_t payload_size, FrameLedger* ledger = nullptr)
      : left_(payload_size) {
    const std::size_t full = payload_size == 0 ? 0 : (payload_size - 1) / Frame::kMaxPayload;
    const std::size_t last = payload_size - full * Frame::kMaxPayload;
    const std::size_t size = full * Frame::kMaxFragment + header_size(last) + last;
    void* memory = ::operator new(Frame::footprint_of(size));
    frame_ = new (memory) Frame(size, ledger);
    if (ledger != nullptr) ledger->octets += frame_->footprint();
    cursor_ = frame_->data();
    begin_fragment(opcode);
  }

  // REQUIRES: no more in all than the payload's size
  [[gnu::always_inline]] void append(std::string_view text) {
    if (text.size() > room_) text = append_fragments(text);
    copy(text);
  }
  // So many octets of the payload, from its begin, stand for the names.
  void note_names(std::size_t size) {
    if (size > Frame::kMaxNames) return;
    frame_->names_and_mark_ = static_cast<std::uint32_t>(size * (Frame::kMaxMark + 1));
  }
  FrameRef finish() { return FrameRef(frame_); }

 private:
  // All but what the last of them has room for, which it gives.
  [[gnu::noinline]] std::string_view append_fragments(std::string_view text) {
    while (text.size() > room_) {
      assert(left_ > 0 && "append() beyond the payload");
      const std::size_t size = room_;
      copy(text.substr(0, size));
      text.remove_prefix(size);
      begin_fragment(kContinuation);
    }
    return text;
  }
  static std::size_t header_size(std::size_t payload) { return payload < 126 ? 2 : 4; }

  void begin_fragment(std::size_t opcode) {
    room_ = std::min(left_, Frame::kMaxPayload);
    left_ -= room_;
    octet(left_ == 0 ? kFin | opcode : opcode);
    if (header_size(room_) == 2) {
      octet(room_);
    } else {
      octet(126);
      octet(room_ >> 8);
      octet(room_);
    }
  }
  void octet(std::size_t value) { *cursor_++ = static_cast<char>(value & 0xff); }
  void copy(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(cursor_, text.data(), text.size());
    cursor_ += text.size();
    room_ -= text.size();
  }

  Frame* frame_;
  char* cursor_;
  std::size_t room_ = 0;  // octets of this fragment's payload that are to come
  std::size_t left_;      // and of the fragments after it
};

void FrameRef::drop() {
  if (frame_ == nullptr || --frame_->references_ > 0) return;
  if (frame_->ledger_ != nullptr) frame_->ledger_->octets -= frame_->footprint();
  frame_->~Frame();
  ::operator delete(frame_);
}

namespace {

// `topic` and `event` are what stands between the quotes.
FrameRef join_message(std::string_view topic, std::string_view event, std::string_view payload,
                      FrameLedger* ledger) {
  const std::size_t names_size = topic.size() + event.size() + 7;
  FrameBuilder frame(kText, names_size + payload.size() + 1, ledger);
  frame.note_names(names_size);
  frame.append("[\"");
  frame.append(topic);
  frame.append("\",\"");
  frame.append(event);
  frame.append("\",");
  frame.append(payload);
  frame.append("]");
  return frame.finish();
}

}  // namespace

FrameRef make_message_frame(std::string_view topic, std::string_view event,
                            std::string_view payload, FrameLedger* ledger) {
  const bool are_as_is = is_quoted_as_is(topic) && is_quoted_as_is(event);  // as most are
  return are_as_is ? join_message(topic, event, payload, ledger)
                   : join_message(quoted(topic), quoted(event), payload, ledger);
}

FrameRef make_error_frame(std::string_view topic, std::string_view code, std::string_view message,
                          FrameLedger* ledger) {
  std::string payload = "{\"code\":";
  append_quoted(code, payload);
  payload += ",\"message\":";
  append_quoted(message, payload);
  payload += '}';
  return make_message_frame(topic, "error", payload, ledger);
}

FrameRef make_close_frame(std::uint16_t code, std::string_view reason) {
  if (code == 0) return FrameBuilder(kClose, 0).finish();
  const std::string sound = to_utf8(reason);
  reason = cut_at_code_point(sound, kMaxReason);
  FrameBuilder frame(kClose, 2 + reason.size());
  const std::array<char, 2> octets{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  frame.append({octets.data(), octets.size()});
  frame.append(reason);
  return frame.finish();
}

FrameRef make_ping_frame() {
  constexpr std::string_view kPayload = "jf";
  FrameBuilder frame(kPing, kPayload.size());
  frame.append(kPayload);
  return frame.finish();
}

}  // namespace jackfield::wire
