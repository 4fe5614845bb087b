#include "core/wire/message.hpp"

#include <array>

#include "core/wire/json_text.hpp"

namespace jackfield::wire {
namespace {

bool is_name(std::string_view name, std::size_t limit) {
  return name.size() <= limit && name.find('\0') == std::string_view::npos;
}

}  // namespace

std::string_view MessageReader::decode(std::string_view string, std::string& buffer) {
  if (!has_escapes(string)) return string.substr(1, string.size() - 2);
  buffer.clear();
  append_unquoted(string, buffer);
  return buffer;
}

MessageReader::Outcome MessageReader::read(std::string_view text, const NameLimits& limits,
                                           Message& message) {
  JsonScanner scanner(text);
  std::array<std::string_view, 3> elements;
  std::size_t count = 0;
  if (scanner.peek() != '[') {
    std::string_view value;
    const bool is_json = scanner.take_value(value) && scanner.at_end();
    return is_json ? Outcome::kNotMessage : Outcome::kNotJson;
  }
  scanner.take('[');
  if (!scanner.take(']')) {
    do {
      std::string_view element;
      if (!scanner.take_value(element)) return Outcome::kNotJson;
      if (count < elements.size()) elements[count] = element;
      ++count;
    } while (scanner.take(','));
    if (!scanner.take(']')) return Outcome::kNotJson;
  }
  if (!scanner.at_end()) return Outcome::kNotJson;
  if (count != elements.size() || elements[0].front() != '"' || elements[1].front() != '"') {
    return Outcome::kNotMessage;
  }
  message.topic = decode(elements[0], topic_);
  message.event = decode(elements[1], event_);
  message.payload = elements[2];
  if (!is_name(message.topic, limits.topic) || !is_name(message.event, limits.event)) {
    return Outcome::kBadName;
  }
  return Outcome::kMessage;
}

std::string_view MessageReader::explain(Outcome outcome) {
  switch (outcome) {
    case Outcome::kNotJson: return "Invalid JSON";
    case Outcome::kNotMessage: return "Message must be [topic, event, payload]";
    case Outcome::kBadName: return "Topic or event name is too long or holds a NUL";
    case Outcome::kMessage: break;
  }
  return "";
}

}  // namespace jackfield::wire
