#include "tests/bench/servers/socket_io_dialect.hpp"

namespace jackfield::bench {
namespace {

// Engine.IO's packet type, then, in a message (4), Socket.IO's.
constexpr std::string_view kOpen = "0";
constexpr std::string_view kPing = "2";
constexpr std::string_view kPong = "3";
constexpr std::string_view kConnect = "40";
constexpr std::string_view kEvent = "42";
constexpr std::string_view kAck = "43";

void append(std::string_view event, std::string_view topic, std::string_view body,
            Dialect::Frames& frames) {
  std::string& frame = frames.emplace_back(kEvent);
  frame.append("[\"").append(event).append("\",\"").append(topic).append("\",");
  frame.append(body).append("]");
}

// An event that is acknowledged: the number of the acknowledgement is even for a subscribe.
void append(std::string_view event, std::string_view topic, std::size_t number,
            Dialect::Frames& frames) {
  std::string& frame = frames.emplace_back(kEvent);
  frame.append(std::to_string(number)).append("[\"").append(event).append("\",\"");
  frame.append(topic).append("\"]");
}

}  // namespace

Dialect::Opening SocketIoDialect::opening(const std::vector<std::string>&) const {
  return {.target = "/socket.io/?EIO=4&transport=websocket", .subprotocol = ""};
}

void SocketIoDialect::subscribe(std::string_view topic, std::size_t number,
                                Frames& frames) const {
  append("subscribe", topic, 2 * number, frames);
}

void SocketIoDialect::unsubscribe(std::string_view topic, std::size_t number,
                                  Frames& frames) const {
  append("unsubscribe", topic, 2 * number + 1, frames);
}

void SocketIoDialect::publish(std::string_view topic, std::string_view body,
                              Frames& frames) const {
  append("say", topic, body, frames);
}

void SocketIoDialect::echo(std::string_view topic, std::string_view body, Frames& frames) const {
  append("echo", topic, body, frames);
}

std::size_t SocketIoDialect::read(std::string_view bytes, std::size_t body_size,
                                  Inbox& inbox) const {
  constexpr std::string_view kAckEnd = "[]";
  if (bytes.starts_with(kEvent)) {
    // 42["said","TOPIC",BODY]
    if (bytes.size() < kEvent.size() + body_size + 1) {
      inbox.error(bytes);
    } else {
      inbox.message(bytes.substr(bytes.size() - 1 - body_size, body_size));
    }
  } else if (bytes.starts_with(kAck) && bytes.ends_with(kAckEnd) &&
             bytes.size() > kAck.size() + kAckEnd.size()) {
    const char last_digit = bytes[bytes.size() - kAckEnd.size() - 1];
    if (last_digit % 2 == 0) {
      inbox.subscribed();
    } else {
      inbox.unsubscribed();
    }
  } else if (bytes.starts_with(kConnect)) {
    inbox.ready();
  } else if (bytes.starts_with(kOpen)) {
    inbox.answer(kConnect);
  } else if (bytes == kPing) {
    inbox.answer(kPong);
  } else {
    inbox.error(bytes);
  }
  return bytes.size();
}

}  // namespace jackfield::bench
