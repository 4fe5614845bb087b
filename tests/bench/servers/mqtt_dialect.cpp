#include "tests/bench/servers/mqtt_dialect.hpp"

namespace jackfield::bench {
namespace {

// The first octet of a packet: its type (2.2.1) and the flags that it must have (2.2.2).
constexpr unsigned kConnect = 0x10;
constexpr unsigned kConnack = 0x20;
constexpr unsigned kPublish = 0x30;
constexpr unsigned kSubscribe = 0x82;
constexpr unsigned kSuback = 0x90;
constexpr unsigned kUnsubscribe = 0xa2;
constexpr unsigned kUnsuback = 0xb0;

unsigned octet(std::string_view octets, std::size_t i) {
  return static_cast<unsigned char>(octets[i]);
}

void append_two(std::string& to, std::size_t value) {
  to += static_cast<char>(value >> 8 & 0xff);
  to += static_cast<char>(value & 0xff);
}

// 1.5.3.
void append_text(std::string& to, std::string_view text) {
  append_two(to, text.size());
  to += text;
}

// The type, and the remaining length (2.2.3).
std::string begin(unsigned type, std::size_t remaining) {
  std::string packet;
  packet.reserve(remaining + 5);
  packet += static_cast<char>(type);
  do {
    const std::size_t seven = remaining & 0x7f;
    remaining >>= 7;
    packet += static_cast<char>(seven | (remaining > 0 ? 0x80u : 0u));
  } while (remaining > 0);
  return packet;
}

// Not 0 (2.3.1). Answers come in order, so that it need not be another one each time.
std::size_t identifier(std::size_t number) { return number % 0xffff + 1; }

struct Packet {
  unsigned type = 0;
  std::string_view content;
  std::size_t size = 0;  // 0: there is no whole one; SIZE_MAX: it is none
};

Packet first_packet(std::string_view bytes) {
  constexpr std::size_t kMaxLengthOctets = 4;
  std::size_t remaining = 0;
  for (std::size_t i = 1; i <= kMaxLengthOctets; ++i) {
    if (i >= bytes.size()) return {};
    remaining |= std::size_t{octet(bytes, i) & 0x7f} << (7 * (i - 1));
    if ((octet(bytes, i) & 0x80) != 0) continue;
    const std::size_t head = i + 1;
    if (bytes.size() - head < remaining) return {};
    return {octet(bytes, 0), bytes.substr(head, remaining), head + remaining};
  }
  return {0, {}, SIZE_MAX};
}

// Whether the packet was one that can be expected.
bool take(const Packet& packet, Inbox& inbox) {
  constexpr std::size_t kAnswer = 2;
  const std::string_view content = packet.content;
  switch (packet.type) {
    case kPublish: {
      if (content.size() < 2) return false;
      const std::size_t topic = octet(content, 0) << 8 | octet(content, 1);
      if (content.size() - 2 < topic) return false;
      inbox.message(content.substr(2 + topic));
      return true;
    }
    case kConnack:
      if (content.size() != kAnswer || octet(content, 1) != 0) return false;
      inbox.ready();
      return true;
    case kSuback:
      // 3.9.3: the quality that is granted, for the one topic.
      if (content.size() != kAnswer + 1 || octet(content, 2) != 0) return false;
      inbox.subscribed();
      return true;
    case kUnsuback:
      if (content.size() != kAnswer) return false;
      inbox.unsubscribed();
      return true;
    default: return false;
  }
}

}  // namespace

Dialect::Opening MqttDialect::opening(const std::vector<std::string>&) const {
  return {.target = "/mqtt", .subprotocol = "mqtt"};
}

void MqttDialect::greet(Frames& frames) const {
  // 3.1: the name and level of the protocol, a clean session, no keep-alive, no name of its own.
  constexpr unsigned kLevel = 4;
  constexpr unsigned kCleanSession = 0x02;
  std::string content;
  append_text(content, "MQTT");
  content += static_cast<char>(kLevel);
  content += static_cast<char>(kCleanSession);
  append_two(content, 0);
  append_text(content, "");
  frames.push_back(begin(kConnect, content.size()) + content);
}

void MqttDialect::subscribe(std::string_view topic, std::size_t number, Frames& frames) const {
  std::string& frame = frames.emplace_back(begin(kSubscribe, 2 + 2 + topic.size() + 1));
  append_two(frame, identifier(number));
  append_text(frame, topic);
  frame += '\0';  // the quality that is asked for
}

void MqttDialect::unsubscribe(std::string_view topic, std::size_t number, Frames& frames) const {
  std::string& frame = frames.emplace_back(begin(kUnsubscribe, 2 + 2 + topic.size()));
  append_two(frame, identifier(number));
  append_text(frame, topic);
}

void MqttDialect::publish(std::string_view topic, std::string_view body, Frames& frames) const {
  std::string& frame = frames.emplace_back(begin(kPublish, 2 + topic.size() + body.size()));
  append_text(frame, topic);
  frame += body;
}

void MqttDialect::echo(std::string_view topic, std::string_view body, Frames& frames) const {
  publish(topic, body, frames);
}

std::size_t MqttDialect::read(std::string_view bytes, std::size_t, Inbox& inbox) const {
  std::size_t used = 0;
  for (;;) {
    const Packet packet = first_packet(bytes.substr(used));
    if (packet.size == 0) return used;
    if (packet.size == SIZE_MAX || !take(packet, inbox)) {
      inbox.error("a packet of type " + std::to_string(octet(bytes, used)) + " is not expected");
      return bytes.size();
    }
    used += packet.size;
  }
}

}  // namespace jackfield::bench
