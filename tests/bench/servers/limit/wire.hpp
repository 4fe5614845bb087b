// What goes over the wire of the limit: WebSocket frames (RFC 6455, 5.2) and, in them, messages
// ["topic","event",payload]. No state; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::bench::limit {

constexpr unsigned kText = 0x1;
constexpr unsigned kClose = 0x8;
constexpr unsigned kPing = 0x9;
constexpr unsigned kPong = 0xA;

// The largest payload that is taken from a client.
constexpr std::size_t kMaxPayload = 1 << 20;

struct Frame {
  unsigned opcode = 0;
  std::size_t size = 0;      // of all of it, with the head
  std::string_view payload;  // unmasked, in place
};

enum class Taken { whole, partial, wrong };

// Takes the first frame of what a client sent, unmasking it where it lies. `wrong` where it is not
// masked, not whole in one frame (FIN), or larger than kMaxPayload: the connection is to be closed.
Taken take_frame(char* octets, std::size_t size, Frame& frame);

// Appends a server's frame with these parts as its payload.
void append_frame(std::string& to, unsigned opcode, std::string_view payload);
void append_message(std::string& to, std::string_view topic, std::string_view event,
                    std::string_view payload);

struct Message {
  std::string_view topic;
  std::string_view event;
  std::string_view payload;
};
// Only as clients of the benchmark write it: no white space around the parts, no escapes in the
// first two.
std::optional<Message> read_message(std::string_view text);

}  // namespace jackfield::bench::limit
