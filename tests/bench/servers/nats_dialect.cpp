#include "tests/bench/servers/nats_dialect.hpp"

#include <charconv>

namespace jackfield::bench {
namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::string_view kInfo = "INFO ";
constexpr std::string_view kMessage = "MSG ";
constexpr std::string_view kPing = "PING";
constexpr std::string_view kPong = "PONG";
constexpr std::string_view kConnect =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false,\"lang\":\"C++\","
    "\"version\":\"1\",\"protocol\":1,\"echo\":true}\r\n";
constexpr std::size_t kMaxLine = 64 << 10;
constexpr std::size_t kMaxBody = 16 << 20;

// The size that ends the line of a message; SIZE_MAX where there is none that can be believed.
std::size_t body_size_of(std::string_view line) {
  const std::string_view digits = line.substr(line.rfind(' ') + 1);
  std::size_t size = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, size);
  return error == std::errc{} && stop == end && size <= kMaxBody ? size : SIZE_MAX;
}

}  // namespace

Dialect::Opening NatsDialect::opening(const std::vector<std::string>&) const {
  return {.target = "/", .subprotocol = ""};
}

void NatsDialect::subscribe(std::string_view topic, std::size_t number, Frames& frames) const {
  std::string& frame = frames.emplace_back("SUB ");
  frame.append(topic).append(" ").append(std::to_string(number + 1)).append(kEnd);
  frame.append(kPing).append(kEnd);
}

void NatsDialect::unsubscribe(std::string_view, std::size_t number, Frames& frames) const {
  std::string& frame = frames.emplace_back("UNSUB ");
  frame.append(std::to_string(number + 1)).append(kEnd).append(kPing).append(kEnd);
}

void NatsDialect::publish(std::string_view topic, std::string_view body, Frames& frames) const {
  std::string& frame = frames.emplace_back("PUB ");
  frame.append(topic).append(" ").append(std::to_string(body.size())).append(kEnd);
  frame.append(body).append(kEnd);
}

void NatsDialect::echo(std::string_view topic, std::string_view body, Frames& frames) const {
  publish(topic, body, frames);
}

std::size_t NatsDialect::read(std::string_view bytes, std::size_t, Inbox& inbox) const {
  std::size_t used = 0;
  for (;;) {
    const std::string_view left = bytes.substr(used);
    const std::size_t end = left.find(kEnd);
    if (end == std::string_view::npos) {
      if (left.size() > kMaxLine) inbox.error("a line without end");
      return used;
    }
    const std::string_view line = left.substr(0, end);
    std::size_t size = end + kEnd.size();
    if (line.starts_with(kMessage)) {
      const std::size_t body = body_size_of(line);
      if (body == SIZE_MAX) {
        inbox.error(line);
        return bytes.size();
      }
      if (left.size() < size + body + kEnd.size()) return used;
      inbox.message(left.substr(size, body));
      size += body + kEnd.size();
    } else if (line == kPong) {
      inbox.subscribed();
    } else if (line == kPing) {
      inbox.answer("PONG\r\n");
    } else if (line.starts_with(kInfo)) {
      // Those after the first say that a cluster has changed: there is none, so there are none.
      inbox.answer(kConnect);
      inbox.ready();
    } else {
      inbox.error(line);
      return bytes.size();
    }
    used += size;
  }
}

}  // namespace jackfield::bench
