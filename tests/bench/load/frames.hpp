// WebSocket frames as a client writes and reads them (RFC 6455, section 5.2). Any thread, no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jackfield::bench {

enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA
};

// Appends a whole masked message. The masking key is 0, which a client may draw as any other: the
// payload stays as it is, and the server has its usual work to unmask it.
void append_frame(Opcode opcode, std::string_view payload, std::string& to);

struct Frame {
  Opcode opcode = Opcode::kText;
  bool is_last = true;
  std::string_view payload;
  std::size_t size = 0;  // with its head; 0: not all of it has come
};

// The first frame of these octets. One from a server is not masked; one that is, or whose length
// cannot be, has a size of SIZE_MAX.
inline Frame read_frame(const char* octets, std::size_t count) {
  Frame frame;
  if (count < 2) return frame;
  const auto at = [octets](std::size_t i) { return static_cast<unsigned char>(octets[i]); };
  std::size_t head = 2;
  std::uint64_t length = at(1);
  if (length >= 126) {
    const std::size_t extra = length == 126 ? 2 : 8;
    if (length > 127) {
      frame.size = SIZE_MAX;
      return frame;
    }
    head += extra;
    if (count < head) return frame;
    length = 0;
    for (std::size_t i = 2; i < head; ++i) length = length << 8 | at(i);
    if (length > UINT32_MAX) {
      frame.size = SIZE_MAX;
      return frame;
    }
  }
  if (count - head < length) return frame;
  frame.opcode = static_cast<Opcode>(at(0) & 0x0f);
  frame.is_last = (at(0) & 0x80) != 0;
  frame.payload = {octets + head, static_cast<std::size_t>(length)};
  frame.size = head + frame.payload.size();
  return frame;
}

}  // namespace jackfield::bench
