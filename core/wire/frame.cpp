#include "core/wire/frame.hpp"

#include <cstring>
#include <new>
#include <string>

#include "core/wire/json_text.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::wire {
namespace {

// The first octet: FIN and an opcode (RFC 6455 section 5.2).
constexpr unsigned char kFinText = 0x81;
constexpr unsigned char kFinClose = 0x88;
constexpr unsigned char kFinPing = 0x89;

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

// Writes one frame of a known payload length from front to back.
class FrameBuilder {
 public:
  FrameBuilder(unsigned char first, std::size_t payload_size, FrameLedger* ledger = nullptr) {
    const std::size_t header = payload_size < 126 ? 2 : payload_size <= 0xffff ? 4 : 10;
    void* memory = ::operator new(Frame::footprint_of(header + payload_size));
    frame_ = new (memory) Frame(header + payload_size, ledger);
    if (ledger != nullptr) ledger->octets += frame_->footprint();
    cursor_ = frame_->data();
    octet(first);
    if (header == 2) {
      octet(payload_size);
    } else {
      octet(header == 4 ? 126 : 127);
      const std::uint64_t length = payload_size;  // which may be shifted by 56 anywhere
      for (std::size_t shift = (header - 2) * 8; shift > 0; shift -= 8) {
        octet(static_cast<std::size_t>((length >> (shift - 8)) & 0xff));
      }
    }
  }

  void octet(std::size_t value) { *cursor_++ = static_cast<char>(value & 0xff); }
  void append(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(cursor_, text.data(), text.size());
    cursor_ += text.size();
  }
  // So many octets of the payload, from its begin, stand for the names.
  void note_names(std::size_t size) {
    if (size > Frame::kMaxNames) return;
    frame_->names_and_mark_ = static_cast<std::uint32_t>(size * (Frame::kMaxMark + 1));
  }
  FrameRef finish() { return FrameRef(frame_); }

 private:
  Frame* frame_;
  char* cursor_;
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
  FrameBuilder frame(kFinText, names_size + payload.size() + 1, ledger);
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
  if (code == 0) return FrameBuilder(kFinClose, 0).finish();
  const std::string sound = to_utf8(reason);
  reason = cut_at_code_point(sound, kMaxReason);
  FrameBuilder frame(kFinClose, 2 + reason.size());
  frame.octet(static_cast<std::size_t>(code >> 8));
  frame.octet(code);
  frame.append(reason);
  return frame.finish();
}

FrameRef make_ping_frame() {
  constexpr std::string_view kPayload = "jf";
  FrameBuilder frame(kFinPing, kPayload.size());
  frame.append(kPayload);
  return frame.finish();
}

}  // namespace jackfield::wire
