// Reads one message, `[topic, event, payload]`, from a WebSocket message's bytes. Nothing is built:
// the parts are views into the bytes, names with escapes into the reader's own buffers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/wire/json_text.hpp"

namespace jackfield::wire {

struct Message {
  std::string_view topic;    // decoded
  std::string_view event;    // decoded
  std::string_view payload;  // JSON text as it was sent
};

struct MessageLimits {
  std::size_t topic = 512;  // octets
  std::size_t event = 128;
  std::size_t depth = 128;  // containers of the payload that are open at once
};

// Keeps its buffers between messages. Loop thread.
class MessageReader {
 public:
  enum class Outcome { kMessage, kNotJson, kNotMessage, kBadName, kTooDeep };

  // `text` is well-formed UTF-8. `message` is filled for kMessage; it lives as long as `text` and
  // until the next call.
  Outcome read(std::string_view text, const MessageLimits& limits, Message& message);

  // The topic alone, for an answer to a message that is not read further; empty where there is none
  // that may be used. `text` need not be UTF-8. Lives as `message` above.
  std::string_view read_topic(std::string_view text, const MessageLimits& limits);

  // The sentence that the client is told for an outcome other than kMessage.
  static std::string_view explain(Outcome outcome);

 private:
  // The next element, a name.
  struct Name {
    std::string_view string;  // with its quotes
    bool has_escapes = false;
  };

  static bool take_name(JsonScanner& scanner, Name& name);
  // What it stands for; false where it may not be used.
  static bool decode(const Name& name, std::size_t limit, std::string& buffer,
                     std::string_view& decoded);

  std::string topic_;
  std::string event_;
};

}  // namespace jackfield::wire
