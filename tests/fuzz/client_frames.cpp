#include "tests/fuzz/client_frames.hpp"

#include "tests/fuzz/reference_json.hpp"

namespace jackfield::fuzz {
namespace {

constexpr unsigned kContinuation = 0;
constexpr unsigned kText = 1;
constexpr unsigned kBinary = 2;
constexpr unsigned kClose = 8;
constexpr unsigned kPing = 9;
constexpr unsigned kPong = 10;

}  // namespace

ClientFrames read_client(std::string_view octets, std::size_t max_message) {
  using End = ClientFrames::End;
  ClientFrames read;
  std::string message;
  bool is_text = false;
  bool is_within = false;    // a message of several fragments
  bool is_doubtful = false;  // text is wrong so far, or ends within a code point
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(octets[i]); };
  const auto end_as = [&](End end) {
    read.end = end;
    return read;
  };
  while (!octets.empty()) {
    const bool is_final = (octet(0) & 0x80) != 0;
    const unsigned opcode = octet(0) & 15;
    const bool is_control = opcode >= 8;
    const bool is_known = opcode <= kBinary || (opcode >= kClose && opcode <= kPong);
    const bool is_in_order = is_control ? is_final : is_within == (opcode == kContinuation);
    if ((octet(0) & 0x70) != 0 || !is_known || !is_in_order) return end_as(End::kUnsure);
    if (octets.size() < 2) break;
    const bool is_masked = (octet(1) & 0x80) != 0;
    std::size_t size = octet(1) & 0x7f;
    if (!is_masked || (is_control && size > 125)) return end_as(End::kUnsure);
    const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (more == 8 && octets.size() > 2 && octet(2) > 0x7f) return end_as(End::kUnsure);
    if (octets.size() < 2 + more) break;
    if (more > 0) {
      size = 0;
      for (std::size_t i = 0; i < more; ++i) size = size << 8 | octet(2 + i);
      if (size <= (more == 2 ? 125U : 65535U)) return end_as(End::kUnsure);
    }
    // It may be refused for its length before it is there.
    if (!is_control && (size > max_message || message.size() + size > max_message)) {
      return end_as(End::kUnsure);
    }
    const bool is_there = octets.size() >= 6 + more + size;
    std::string payload;
    for (std::size_t i = 6 + more; i < octets.size() && payload.size() < size; ++i) {
      const std::size_t mask = 2 + more + (i - 6 - more) % 4;
      payload += static_cast<char>(octet(i) ^ octet(mask));
    }
    if (!is_control) {
      if (opcode != kContinuation) {
        message.clear();
        is_text = opcode == kText;
      }
      message += payload;
      is_doubtful = is_text && !decode_utf8(message);
      if (is_doubtful && is_there && is_final) return end_as(End::kUnsure);
    }
    if (!is_there) break;
    octets.remove_prefix(6 + more + size);
    if (opcode == kClose) return end_as(is_doubtful ? End::kUnsure : End::kClosed);
    if (opcode == kPing) read.pings.push_back(payload);
    if (is_control) continue;
    is_within = !is_final;
    if (!is_final) continue;
    read.messages.push_back(message);
    message.clear();
  }
  if (is_doubtful) read.end = End::kUnsure;  // it may be refused already
  return read;
}

}  // namespace jackfield::fuzz
