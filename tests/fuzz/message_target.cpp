// The reader of messages, JSON and UTF-8 (core/wire). The octets are the text of one WebSocket
// message. What the server's readers say of it is held to the reference reader; what they make of
// it (frames, strings) is read again and must be the same.
#include <cjson/cJSON.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/wire/frame.hpp"
#include "core/wire/json_text.hpp"
#include "core/wire/message.hpp"
#include "core/wire/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/reference_json.hpp"

namespace jackfield::fuzz {
namespace {

using Outcome = wire::MessageReader::Outcome;

constexpr std::size_t kMostText = 16384;  // the reference reader recurses

bool is_well_formed(std::string_view text) { return decode_utf8(text).has_value(); }

// Whether some octets behind it would make it well-formed.
bool can_go_on(std::string_view text) {
  if (is_well_formed(text)) return true;
  for (const char next : {'\x80', '\x90', '\xa0', '\xbf'}) {
    std::string longer(text);
    longer += next;
    for (int more = 0; more < 3; ++more) {
      if (is_well_formed(longer)) return true;
      longer += '\x80';
    }
  }
  return false;
}

// How many octets from the front can begin well-formed text. What is a beginning of a beginning is
// one too, so halving finds it.
std::size_t longest_beginning(std::string_view text) {
  std::size_t low = 0;
  std::size_t high = text.size();
  while (low < high) {
    const std::size_t middle = low + (high - low + 1) / 2;
    if (can_go_on(text.substr(0, middle))) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

void check_utf8(std::string_view text) {
  const bool is_right = is_well_formed(text);
  require(wire::is_utf8(text) == is_right, "is_utf8 says what the reference says");
  const std::size_t beginning = is_right ? text.size() : longest_beginning(text);
  for (const std::size_t piece : {1U, 3U, 8U, 13U}) {
    wire::Utf8Check check;
    std::size_t fed = 0;
    bool goes_on = true;
    while (fed < text.size() && goes_on) {
      const std::string_view octets = text.substr(fed, piece);
      goes_on = check.feed(octets);
      fed += octets.size();
      require(goes_on == (fed <= beginning), "Utf8Check fails with the first octet that is wrong");
    }
    require(check.is_complete() == (goes_on && is_right), "Utf8Check knows whether it is complete");
    if (!goes_on) require(!check.feed("a"), "Utf8Check stays failed");
  }
  const std::string made = wire::to_utf8(text);
  require(is_well_formed(made), "to_utf8 gives well-formed text");
  if (is_right) require_same(text, made, "to_utf8 of well-formed text");
}

// The text with what two neighbouring surrogates stand for, as JavaScript has it.
std::string paired(std::string_view text) {
  std::string joined;
  const auto unit_at = [&](std::size_t at) -> char32_t {
    if (text.size() - at < 3 || text[at] != '\xed') return 0;
    const auto second = static_cast<unsigned char>(text[at + 1]);
    if (second < 0xa0) return 0;
    return 0xd000U | (second & 0x3fU) << 6 | (static_cast<unsigned char>(text[at + 2]) & 0x3fU);
  };
  for (std::size_t at = 0; at < text.size();) {
    const char32_t high = unit_at(at);
    const char32_t low = high >= 0xd800 && high < 0xdc00 ? unit_at(at + 3) : 0;
    if (low >= 0xdc00) {
      append_octets(0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00), joined);
      at += 6;
    } else {
      joined += text[at++];
    }
  }
  return joined;
}

// Any octets as a JSON string, and back.
void check_quoting(std::string_view text) {
  std::string quoted;
  wire::append_quoted(text, quoted);
  const auto node = read_json(quoted);
  require(node && node->kind == JsonNode::Kind::kString, "append_quoted gives a JSON string");
  std::string unquoted;
  wire::append_unquoted(quoted, unquoted);
  require_same(node->string, unquoted, "what a quoted text stands for");
  require(wire::has_escapes(quoted) == (quoted.find('\\') != quoted.npos), "escapes are seen");
  if (wire::is_quoted_as_is(text)) {
    require_same("\"" + std::string(text) + "\"", quoted, "a text that is quoted as it is");
  }
  if (is_well_formed(text)) {
    require(wire::is_wtf8(text), "UTF-8 is WTF-8");
    require_same(text, unquoted, "a text that was quoted and unquoted");
  } else if (wire::is_wtf8(text)) {
    require_same(paired(text), unquoted, "a text with surrogates that was quoted and unquoted");
  }
}

// The payload of a server's frame, or of its fragments.
std::string payload_of(std::string_view frames, unsigned char first) {
  std::string payload;
  unsigned wanted = first;
  while (true) {
    require(frames.size() >= 2, "a frame has a header");
    const unsigned octet = static_cast<unsigned char>(frames[0]);
    require((octet | 0x80U) == wanted, "a frame has its first octet");
    std::size_t size = static_cast<unsigned char>(frames[1]);
    std::size_t header = 2;
    require(size <= 126, "a server's frame is not masked, and not long");
    if (size == 126) {
      require(frames.size() >= 4, "a long frame has its length");
      size = static_cast<unsigned char>(frames[2]) * 256U + static_cast<unsigned char>(frames[3]);
      require(size > 125, "a length is as short as it can be");
      header = 4;
    }
    require(frames.size() >= header + size, "a frame has the length that it says");
    payload.append(frames.substr(header, size));
    frames.remove_prefix(header + size);
    wanted = 0x80;
    if ((octet & 0x80U) == 0) {
      require(header + size == wire::Frame::kMaxFragment, "all fragments but the last are full");
      continue;
    }
    require(frames.empty(), "nothing is behind the last");
    return payload;
  }
}

constexpr unsigned char kText = 0x81;
constexpr unsigned char kClose = 0x88;

// Names and a payload as a message for clients.
void check_frame(std::string_view topic, std::string_view event, std::string_view payload) {
  const wire::FrameRef frame = wire::make_message_frame(topic, event, payload);
  const std::string text = payload_of(frame.bytes(), kText);
  const auto node = read_json(text);
  require(node && node->kind == JsonNode::Kind::kList && node->items.size() == 3,
          "a message for clients is a list of three");
  require_same(topic, node->items[0].string, "the topic of a message for clients");
  require_same(event, node->items[1].string, "the event of a message for clients");
  const JsonNode& third = node->items[2];
  const std::string kept = text.substr(third.begin, third.end - third.begin);
  require_same(payload, kept, "the payload of a message for clients");
}

void check_other_frames(std::string_view text) {
  const wire::FrameRef error = wire::make_error_frame("t", "CODE", text);
  const auto node = read_json(payload_of(error.bytes(), kText));
  require(node && node->items.size() == 3, "an error is a message");
  require(node->items[2].names.size() == 2, "an error has a code and a message");

  const wire::FrameRef close = wire::make_close_frame(1000, text);
  const std::string payload = payload_of(close.bytes(), kClose);
  require(payload.size() >= 2 && payload.size() <= 125, "a Close frame is a control frame");
  const std::string reason = payload.substr(2);
  require(is_well_formed(reason), "a Close frame's reason is UTF-8");
  require(wire::to_utf8(text).starts_with(reason), "a Close frame's reason is what was given");
}

const JsonNode* last_member(const JsonNode& object, std::string_view key) {
  const JsonNode* found = nullptr;
  for (std::size_t i = 0; i < object.names.size(); ++i) {
    if (object.names[i] == key) found = &object.items[i];
  }
  return found;
}

struct Free {
  void operator()(cJSON* item) const { cJSON_Delete(item); }
};

// cJSON is laxer and cuts strings at NULs, but where it takes what JSON is, members are the same.
void check_with_cjson(std::string_view text, std::string_view key, std::string_view found) {
  const std::unique_ptr<cJSON, Free> root(cJSON_ParseWithLength(text.data(), text.size()));
  if (root == nullptr || text.find("\\u0000") != text.npos) return;
  const cJSON* last = nullptr;
  const cJSON* member = nullptr;
  cJSON_ArrayForEach(member, root.get()) {
    if (cJSON_IsObject(root.get()) && member->string == key) last = member;
  }
  const bool is_string = last != nullptr && cJSON_IsString(last);
  require(is_string == !found.empty(), "find_string finds what cJSON finds");
  if (!is_string) return;
  std::string unquoted;
  wire::append_unquoted(found, unquoted);
  require_same(last->valuestring, unquoted, "the string that cJSON finds");
}

void check_member(std::string_view text, const JsonNode& root, std::string_view key) {
  const std::string_view found = wire::find_string(text, key);
  const JsonNode* member = root.kind == JsonNode::Kind::kObject ? last_member(root, key) : nullptr;
  if (member == nullptr || member->kind != JsonNode::Kind::kString) {
    require(found.empty(), "find_string finds nothing where there is nothing");
  } else {
    require(
        found.data() == text.data() + member->begin && found.size() == member->end - member->begin,
        "find_string finds the last of a name");
  }
  if (key.find('\0') == key.npos) check_with_cjson(text, key, found);
}

// `text` is one JSON value, `root`.
void check_members(std::string_view text) {
  const auto root = read_json(text);
  require(root.has_value(), "a payload is JSON");
  check_member(text, *root, "id");
  check_member(text, *root, "");
  constexpr std::size_t kMost = 4;  // names to look for: each takes a look over all
  for (std::size_t i = 0; i < std::min(kMost, root->names.size()); ++i) {
    check_member(text, *root, root->names[i]);
  }
}

Outcome expected(const std::optional<JsonNode>& root, const wire::MessageLimits& limits) {
  if (!root) return Outcome::kNotJson;
  const auto& items = root->items;
  const bool is_message = root->kind == JsonNode::Kind::kList && items.size() == 3 &&
                          items[0].kind == JsonNode::Kind::kString &&
                          items[1].kind == JsonNode::Kind::kString;
  if (!is_message) return Outcome::kNotMessage;
  const auto is_name = [](const std::string& name, std::size_t limit) {
    return name.size() <= limit && name.find('\0') == name.npos;
  };
  return is_name(items[0].string, limits.topic) && is_name(items[1].string, limits.event)
             ? Outcome::kMessage
             : Outcome::kBadName;
}

// Containers that are open at once.
std::size_t depth_of(const JsonNode& node) {
  const bool is_container =
      node.kind == JsonNode::Kind::kList || node.kind == JsonNode::Kind::kObject;
  std::size_t deepest = 0;
  for (const JsonNode& item : node.items) deepest = std::max(deepest, depth_of(item));
  return deepest + (is_container ? 1 : 0);
}

void check_message(std::string_view text, const std::optional<JsonNode>& root,
                   wire::MessageReader& reader, const wire::MessageLimits& limits) {
  wire::Message message;
  const Outcome outcome = reader.read(text, limits, message);
  if (outcome == Outcome::kTooDeep) {
    // It may be told before what is wrong behind it.
    const auto open =
        std::count_if(text.begin(), text.end(), [](char c) { return c == '[' || c == '{'; });
    require(static_cast<std::size_t>(open) > limits.depth, "what is too deep is deep");
    require(!root || depth_of(*root) > limits.depth + 1,
            "what is too deep is deeper than its limit");
    require(!wire::MessageReader::explain(outcome).empty(), "what is too deep is explained");
    return;
  }
  require(outcome == expected(root, limits), "the outcome is the reference's");
  require(wire::MessageReader::explain(outcome).empty() == (outcome == Outcome::kMessage),
          "what is no message is explained");
  if (outcome != Outcome::kMessage) return;
  require_same(root->items[0].string, message.topic, "the topic");
  require_same(root->items[1].string, message.event, "the event");
  const JsonNode& third = root->items[2];
  require(message.payload.data() == text.data() + third.begin &&
              message.payload.size() == third.end - third.begin,
          "the payload is the octets that came");
  require(depth_of(root->items[2]) <= limits.depth, "a payload is no deeper than its limit");
  if (limits.topic < wire::MessageLimits{}.topic) return;  // the rest is the same
  check_frame(message.topic, message.event, message.payload);
  check_members(message.payload);
}

}  // namespace

int run(const std::uint8_t* octets, std::size_t size) {
  if (size > kMostText) return -1;
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  check_utf8(text);
  check_quoting(text);
  check_other_frames(text);
  const auto root = read_json(text);
  require(wire::is_json(text) == root.has_value(), "is_json says what the reference says");
  if (root) check_members(text);
  if (!wire::is_utf8(text)) return 0;  // the reader wants UTF-8
  wire::MessageReader reader;          // its buffers are used again
  for (const wire::MessageLimits& limits :
       {wire::MessageLimits{}, {4, 2, 2}, {0, 0, 1}, {40, 60, 3}}) {
    check_message(text, root, reader, limits);
  }
  return 0;
}

}  // namespace jackfield::fuzz
