#include "tests/soak/actor.hpp"

#include <charconv>

namespace jackfield::soak {

void Actor::connect(const Wire::Options& options) {
  Wire::Options all = options;
  all.port = stage_.port;
  ++stage_.ledger.counts.opened;
  wire_ = std::make_unique<Wire>(stage_.epoll, all, *this);
}

void Actor::complain(const std::string& sentence) {
  stage_.ledger.complain(name() + ": " + sentence);
}

void Actor::refused(int status) {
  ++stage_.ledger.counts.cut_off;
  complain("refused with " + std::to_string(status));
  leave();
}

void Actor::closed(unsigned code) {
  ++stage_.ledger.counts.cut_off;
  complain("closed with " + std::to_string(code));
  leave();
}

void Actor::ended() {
  if (is_over_) return;
  ++stage_.ledger.counts.cut_off;
  complain("the connection ended");
  leave();
}

Heard take_apart(std::string_view message) {
  // Names here need no escapes.
  constexpr std::string_view kBetween = "\",\"";
  Heard heard;
  if (!message.starts_with("[\"")) return heard;
  const std::size_t topic_end = message.find(kBetween, 2);
  if (topic_end == std::string_view::npos) return heard;
  const std::size_t event = topic_end + kBetween.size();
  const std::size_t event_end = message.find("\",", event);
  if (event_end == std::string_view::npos || !message.ends_with(']')) return heard;
  heard.topic = message.substr(2, topic_end - 2);
  heard.event = message.substr(event, event_end - event);
  heard.payload = message.substr(event_end + 2, message.size() - event_end - 3);
  return heard;
}

std::uint64_t number_in(std::string_view payload) {
  constexpr std::string_view kMark = "\"text\":\"";
  const std::size_t at = payload.find(kMark);
  std::uint64_t number = 0;
  if (at == std::string_view::npos) return 0;
  const std::string_view digits = payload.substr(at + kMark.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace jackfield::soak
