#include "tests/fuzz/server_octets.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/reference_json.hpp"

namespace jackfield::fuzz {
namespace {

// What the server answers with: its own, and libwebsockets' to what it cannot read.
constexpr std::array kStatuses = {101, 400, 401, 403, 404, 405, 413, 414, 426, 431};
constexpr int kSwitching = 101;
constexpr std::size_t kMostRead = 20'000;  // octets of a message; longer ones are floods

bool is_letter_or_so(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return made;
}

// A header's value in a head, by its name in lower case; empty where there is none.
std::string header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos && at + 2 < head.size();
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    const std::string_view its = line.substr(0, line.find(':'));
    if (lower(its) != name) continue;
    const std::size_t begin = line.find_first_not_of(' ', its.size() + 1);
    return begin == line.npos ? std::string() : std::string(line.substr(begin));
  }
  return {};
}

void check_head(std::string_view head) {
  std::size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, end - at);
    at = end + 2;
    const std::size_t colon = line.find(':');
    require(colon != line.npos && colon > 0, "a header has a name");
    require(std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                        is_letter_or_so),
            "a header's name has letters only");
    for (const char c : line) {
      const auto octet = static_cast<unsigned char>(c);
      require(octet >= 0x20 && octet != 0x7f, "a header has no control character");
    }
  }
}

std::size_t big_endian(std::string_view octets) {
  std::size_t value = 0;
  for (const char c : octets) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

void ServerOctets::feed(std::string_view octets) {
  rest_ += octets;
  while (!rest_.empty() && (is_upgraded_ ? take_frame() : take_answer())) {
  }
}

// RFC 9112 section 4.
bool ServerOctets::take_answer() {
  static constexpr std::string_view kBegin = "HTTP/1.";
  require(rest_.starts_with(kBegin.substr(0, rest_.size())), "an answer begins as HTTP's do");
  const std::size_t end = rest_.find("\r\n\r\n");
  if (end == rest_.npos) {
    require(rest_.size() < 4096, "an answer's head ends");
    return false;
  }
  const std::string head = rest_.substr(0, end + 2);
  require(head.size() > 14 && head[8] == ' ' && head[12] == ' ', "a status line has its parts");
  int status = 0;
  for (const char c : head.substr(9, 3)) {
    require(c >= '0' && c <= '9', "a status has three digits");
    status = status * 10 + (c - '0');
  }
  if (std::find(kStatuses.begin(), kStatuses.end(), status) == kStatuses.end()) {
    fail("a status is an expected one: " + head);
  }
  check_head(head);
  std::size_t body = 0;
  if (status != kSwitching) {
    const std::string length = header(head, "content-length");
    require(!length.empty() && length.size() < 6, "an answer says how long it is");
    for (const char c : length) {
      require(c >= '0' && c <= '9', "a length has digits");
      body = body * 10 + static_cast<std::size_t>(c - '0');
    }
    if (rest_.size() < end + 4 + body) return false;
  } else {
    require(lower(header(head, "upgrade")) == "websocket", "a 101 is to a WebSocket");
    require(header(head, "sec-websocket-accept").size() == 28, "a 101 accepts a key");
  }
  rest_.erase(0, end + 4 + body);
  head_ = head;
  statuses_.push_back(status);
  is_upgraded_ = status == kSwitching;
  return true;
}

bool ServerOctets::take_frame() {
  if (rest_.size() < 2) return false;
  const auto first = static_cast<unsigned char>(rest_[0]);
  const auto second = static_cast<unsigned char>(rest_[1]);
  require((first & 0x70) == 0, "a frame has no reserved bit");
  require((second & 0x80) == 0, "a server's frame is not masked");
  const unsigned opcode = first & 15;
  const bool is_final = (first & 0x80) != 0;
  require(opcode <= 1 || (opcode >= 8 && opcode <= 10), "a frame has an opcode that is sent");
  require(opcode <= 1 || (is_final && second <= 125), "a control frame is short, and whole");
  require(opcode >= 8 || (opcode == 0) == !fragments_.empty(), "a message's fragments are in order");
  // RFC 6455 section 5.5.1 has no more data frames then; a ping that came before may be answered.
  require(!has_closed_ || opcode == 10, "a Close frame is followed by pongs only");
  require(second != 127, "what is long is in fragments");
  const std::size_t more = second == 126 ? 2 : 0;
  if (rest_.size() < 2 + more) return false;
  std::size_t size = second;
  if (more > 0) {
    size = big_endian(std::string_view(rest_).substr(2, more));
    require(size > 125, "a length is as short as it can be");
  }
  if (rest_.size() - 2 - more < size) return false;
  const std::string payload = rest_.substr(2 + more, size);
  rest_.erase(0, 2 + more + size);
  if (opcode <= 1) {
    fragments_ += payload;
    require(fragments_.size() <= 1 << 20, "a message is no longer than what is sent here");
    if (is_final) take_message(std::exchange(fragments_, {}));
  } else if (opcode == 8) {
    check_close(payload);
    has_closed_ = true;
  } else if (opcode == 10) {
    pongs_.push_back(payload);
  }
  return true;
}

void ServerOctets::take_message(std::string_view text) {
  if (text.size() > kMostRead) {
    require(text.starts_with("[\"") && text.ends_with("\"]"), "a long message is one too");
    return;
  }
  const auto node = read_json(text);
  require(node && node->kind == JsonNode::Kind::kList && node->items.size() == 3,
          "a message is a JSON list of three");
  const auto& items = node->items;
  require(items[0].kind == JsonNode::Kind::kString && items[1].kind == JsonNode::Kind::kString,
          "a message has two names");
  ServerMessage message{items[0].string, items[1].string,
                        std::string(text.substr(items[2].begin, items[2].end - items[2].begin))};
  if (message.event == "error") {
    const JsonNode& error = items[2];
    require(error.names == std::vector<std::string>({"code", "message"}),
            "an error has a code and a message");
    message.payload = error.items[0].string + ": " + error.items[1].string;
  }
  messages_.push_back(std::move(message));
}

// RFC 6455 sections 5.5.1 and 7.4.
void ServerOctets::check_close(std::string_view payload) {
  if (payload.empty()) return;
  require(payload.size() >= 2, "a Close frame has a whole code");
  const std::size_t code = big_endian(payload.substr(0, 2));
  const bool is_reserved = code == 1004 || code == 1005 || code == 1006 || code == 1015;
  require(code >= 1000 && code < 5000 && !is_reserved, "a Close frame has a code that may be sent");
  require(decode_utf8(payload.substr(2)).has_value(), "a Close frame's reason is UTF-8");
}

}  // namespace jackfield::fuzz
