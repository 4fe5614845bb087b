#include "tests/bench/servers/limit/wire.hpp"

#include <cstdint>
#include <cstring>

namespace jackfield::bench::limit {
namespace {

unsigned octet(const char* octets, std::size_t i) { return static_cast<unsigned char>(octets[i]); }

void unmask(char* octets, std::size_t size, const char* mask) {
  std::uint32_t key = 0;
  std::memcpy(&key, mask, sizeof key);
  if (key == 0) return;
  const std::uint64_t wide = std::uint64_t{key} << 32 | key;
  std::size_t i = 0;
  for (; i + sizeof wide <= size; i += sizeof wide) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets + i, sizeof word);
    word ^= wide;
    std::memcpy(octets + i, &word, sizeof word);
  }
  for (; i < size; ++i) octets[i] = static_cast<char>(octets[i] ^ mask[i % 4]);
}

void append_head(std::string& to, unsigned opcode, std::size_t size) {
  to += static_cast<char>(0x80 | opcode);
  if (size < 126) {
    to += static_cast<char>(size);
    return;
  }
  const int octets = size <= 0xffff ? 2 : 8;
  to += static_cast<char>(octets == 2 ? 126 : 127);
  for (int i = octets - 1; i >= 0; --i) to += static_cast<char>(size >> (8 * i) & 0xff);
}

}  // namespace

Taken take_frame(char* octets, std::size_t size, Frame& frame) {
  constexpr std::size_t kMask = 4;
  if (size < 2) return Taken::partial;
  const bool is_whole = (octet(octets, 0) & 0x80) != 0;
  const bool is_masked = (octet(octets, 1) & 0x80) != 0;
  if (!is_whole || !is_masked) return Taken::wrong;
  std::size_t head = 2;
  std::uint64_t length = octet(octets, 1) & 0x7f;
  if (length >= 126) {
    const std::size_t extra = length == 126 ? 2 : 8;
    if (size < head + extra) return Taken::partial;
    length = 0;
    for (std::size_t i = head; i < head + extra; ++i) length = length << 8 | octet(octets, i);
    head += extra;
  }
  if (length > kMaxPayload) return Taken::wrong;
  head += kMask;
  frame.size = head + static_cast<std::size_t>(length);
  if (size < frame.size) return Taken::partial;
  unmask(octets + head, frame.size - head, octets + head - kMask);
  frame.opcode = octet(octets, 0) & 0x0f;
  frame.payload = {octets + head, frame.size - head};
  return Taken::whole;
}

void append_frame(std::string& to, unsigned opcode, std::string_view payload) {
  append_head(to, opcode, payload.size());
  to += payload;
}

void append_message(std::string& to, std::string_view topic, std::string_view event,
                    std::string_view payload) {
  constexpr std::size_t kAround = 8;  // ["","",]
  append_head(to, kText, topic.size() + event.size() + payload.size() + kAround);
  to += "[\"";
  to += topic;
  to += "\",\"";
  to += event;
  to += "\",";
  to += payload;
  to += ']';
}

std::optional<Message> read_message(std::string_view text) {
  constexpr std::string_view kBetween = "\",\"";
  constexpr std::string_view kBeforePayload = "\",";
  if (!text.starts_with("[\"") || !text.ends_with(']')) return std::nullopt;
  text = text.substr(2, text.size() - 3);
  const std::size_t topic_end = text.find('"');
  if (topic_end == std::string_view::npos) return std::nullopt;
  Message message;
  message.topic = text.substr(0, topic_end);
  text.remove_prefix(topic_end);
  if (!text.starts_with(kBetween)) return std::nullopt;
  text.remove_prefix(kBetween.size());
  const std::size_t event_end = text.find('"');
  if (event_end == std::string_view::npos) return std::nullopt;
  message.event = text.substr(0, event_end);
  text.remove_prefix(event_end);
  if (!text.starts_with(kBeforePayload)) return std::nullopt;
  message.payload = text.substr(kBeforePayload.size());
  return message;
}

}  // namespace jackfield::bench::limit
