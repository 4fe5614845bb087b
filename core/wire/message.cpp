#include "core/wire/message.hpp"

#include "core/wire/utf8.hpp"

namespace jackfield::wire {

bool MessageReader::take_name(JsonScanner& scanner, Name& name) {
  if (!scanner.take_string(name.string)) return false;
  name.has_escapes = scanner.had_escapes();
  return true;
}

bool MessageReader::decode(const Name& name, std::size_t limit, std::string& buffer,
                           std::string_view& decoded) {
  if (!name.has_escapes) {  // and so without a NUL
    decoded = name.string.substr(1, name.string.size() - 2);
    return decoded.size() <= limit;
  }
  buffer.clear();
  append_unquoted(name.string, buffer);
  decoded = buffer;
  return decoded.size() <= limit && decoded.find('\0') == std::string_view::npos;
}

MessageReader::Outcome MessageReader::read(std::string_view text, const MessageLimits& limits,
                                           Message& message) {
  JsonScanner scanner(text);
  Name topic;
  Name event;
  const bool is_message = scanner.take('[') && take_name(scanner, topic) && scanner.take(',') &&
                          take_name(scanner, event) && scanner.take(',') &&
                          scanner.take_value(message.payload, limits.depth) && scanner.take(']') &&
                          scanner.at_end();
  if (scanner.is_too_deep()) return Outcome::kTooDeep;
  if (!is_message) return is_json(text) ? Outcome::kNotMessage : Outcome::kNotJson;
  const bool are_names = decode(topic, limits.topic, topic_, message.topic) &&
                         decode(event, limits.event, event_, message.event);
  return are_names ? Outcome::kMessage : Outcome::kBadName;
}

std::string_view MessageReader::read_topic(std::string_view text, const MessageLimits& limits) {
  JsonScanner scanner(text);
  Name name;
  std::string_view topic;
  const bool is_sound = scanner.take('[') && take_name(scanner, name) &&
                        decode(name, limits.topic, topic_, topic) && is_wtf8(topic);
  return is_sound ? topic : std::string_view();
}

std::string_view MessageReader::explain(Outcome outcome) {
  switch (outcome) {
    case Outcome::kNotJson: return "Invalid JSON";
    case Outcome::kNotMessage: return "Message must be [topic, event, payload]";
    case Outcome::kBadName: return "Topic or event name is too long or holds a NUL";
    case Outcome::kTooDeep: return "Payload is nested too deep";
    case Outcome::kMessage: break;
  }
  return "";
}

}  // namespace jackfield::wire
