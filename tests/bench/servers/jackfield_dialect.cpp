#include "tests/bench/servers/jackfield_dialect.hpp"

namespace jackfield::bench {
namespace {

void append(std::string_view topic, std::string_view event, std::string_view payload,
            Dialect::Frames& frames) {
  std::string& frame = frames.emplace_back();
  frame.reserve(topic.size() + event.size() + payload.size() + 8);
  frame.append("[\"").append(topic).append("\",\"").append(event).append("\",");
  frame.append(payload).append("]");
}

// The second word of [topic,event,payload]; empty where there is none.
std::string_view event_of(std::string_view message) {
  constexpr std::string_view kBetween = "\",\"";
  const std::size_t at = message.find(kBetween);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + kBetween.size();
  const std::size_t end = message.find('"', begin);
  return end == std::string_view::npos ? std::string_view() : message.substr(begin, end - begin);
}

}  // namespace

Dialect::Opening JackfieldDialect::opening(const std::vector<std::string>&) const {
  return {.target = "/", .subprotocol = ""};
}

void JackfieldDialect::subscribe(std::string_view topic, std::size_t, Frames& frames) const {
  append(topic, "subscribe", "{}", frames);
}

void JackfieldDialect::unsubscribe(std::string_view topic, std::size_t, Frames& frames) const {
  append(topic, "unsubscribe", "{}", frames);
}

void JackfieldDialect::publish(std::string_view topic, std::string_view body,
                               Frames& frames) const {
  append(topic, "say", body, frames);
}

void JackfieldDialect::echo(std::string_view topic, std::string_view body, Frames& frames) const {
  append(topic, "echo", body, frames);
}

std::size_t JackfieldDialect::read(std::string_view bytes, std::size_t body_size,
                                   Inbox& inbox) const {
  if (bytes.size() > body_size + 1) {
    const std::string_view head = bytes.substr(0, bytes.size() - body_size - 1);
    if (head.ends_with("\"said\",") || head.ends_with("\"echoed\",")) {
      inbox.message(bytes.substr(head.size(), body_size));
      return bytes.size();
    }
  }
  const std::string_view event = event_of(bytes);
  if (event == "subscribed") {
    inbox.subscribed();
  } else if (event == "unsubscribed") {
    inbox.unsubscribed();
  } else if (event != "snapshot") {
    inbox.error(bytes);
  }
  return bytes.size();
}

}  // namespace jackfield::bench
