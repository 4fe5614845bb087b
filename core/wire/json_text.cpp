#include "core/wire/json_text.hpp"

#include <array>
#include <cstdint>

#include "core/wire/octets.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::wire {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_code_point(std::uint32_t code_point, std::string& text) {
  const auto octet = [&text](std::uint32_t value) { text += static_cast<char>(value); };
  if (code_point < 0x80) {
    octet(code_point);
  } else if (code_point < 0x800) {
    octet(0xc0 | (code_point >> 6));
    octet(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    octet(0xe0 | (code_point >> 12));
    octet(0x80 | ((code_point >> 6) & 0x3f));
    octet(0x80 | (code_point & 0x3f));
  } else {
    octet(0xf0 | (code_point >> 18));
    octet(0x80 | ((code_point >> 12) & 0x3f));
    octet(0x80 | ((code_point >> 6) & 0x3f));
    octet(0x80 | (code_point & 0x3f));
  }
}

// The unit of the four hexadecimal digits at `position`.
std::uint32_t utf16_unit(std::string_view string, std::size_t position) {
  std::uint32_t unit = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    unit = unit * 16 + static_cast<std::uint32_t>(hex_value(string[position + i]));
  }
  return unit;
}

void append_unit_escape(std::uint32_t unit, std::string& json) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  json += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) json += kHex[(unit >> shift) & 0xf];
}

// Octets that stand for themselves within a JSON string and need no closer look.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t octet = 0x20; octet < 256; ++octet) plain[octet] = true;
  plain[static_cast<unsigned char>('"')] = false;
  plain[static_cast<unsigned char>('\\')] = false;
  return plain;
}();

bool is_plain(char c) { return kPlain[static_cast<unsigned char>(c)]; }

bool is_plain_ascii(char c) { return is_plain(c) && static_cast<unsigned char>(c) < 0x80; }

constexpr auto not_plain_ascii = [](std::uint64_t word) {
  return not_plain(word) | not_ascii(word);
};

std::size_t plain_ascii_prefix(std::string_view text) {
  std::size_t size = skip_words(text, not_plain_ascii);
  while (size < text.size() && is_plain_ascii(text[size])) ++size;
  return size;
}

// Appends the code point of more than one octet at the front of `text`, and gives its length: a
// surrogate as its escape, what is ill-formed as U+FFFD, one octet at a time.
std::size_t append_sequence(std::string_view text, std::string& json) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.size() >= 3 && octet(0) == 0xed && octet(1) >= 0xa0 && octet(1) <= 0xbf &&
      (octet(2) & 0xc0) == 0x80) {
    append_unit_escape(0xd000U | ((octet(1) & 0x3fU) << 6) | (octet(2) & 0x3fU), json);
    return 3;
  }
  const std::size_t length = octet(0) >= 0xf0 ? 4 : octet(0) >= 0xe0 ? 3 : 2;
  if (length <= text.size() && is_utf8(text.substr(0, length))) {
    json += text.substr(0, length);
    return length;
  }
  json += "\xef\xbf\xbd";
  return 1;
}

}  // namespace

void JsonScanner::Bits::push(bool bit) {
  if (size_ > 0 && size_ % kInline == 0) outer_.push_back(bits_);
  bits_ = (bits_ << 1) | (bit ? 1U : 0U);
  ++size_;
}

void JsonScanner::Bits::pop() {
  bits_ >>= 1;
  --size_;
  if (outer_.empty() || size_ % kInline != 0) return;
  bits_ = outer_.back();
  outer_.pop_back();
}

void JsonScanner::Bits::clear() {
  size_ = 0;
  outer_.clear();
}

void JsonScanner::skip_spaces() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
}

bool JsonScanner::take_string(std::string_view& string) {
  skip_space();
  const char* const begin = at_;
  if (!skip_string()) return false;
  string = since(begin);
  return true;
}

bool JsonScanner::take_value(std::string_view& value, std::size_t max_depth) {
  skip_space();
  const char* const begin = at_;
  if (!skip_containers(max_depth)) return false;
  value = since(begin);
  return true;
}

// RFC 8259 section 7.
bool JsonScanner::skip_string() {
  had_escapes_ = false;
  if (at_ == end_ || *at_ != '"') return false;
  ++at_;
  at_ += skip_words(rest(), not_plain);
  if (at_ == end_ || *at_ != '"') return skip_rest_of_string();
  ++at_;  // as most end: without an escape
  return true;
}

bool JsonScanner::skip_rest_of_string() {
  while (true) {
    while (at_ != end_ && is_plain(*at_)) ++at_;
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c == '"') return true;
    if (c != '\\') return false;  // a raw control character
    had_escapes_ = true;
    if (!skip_escape()) return false;
    at_ += skip_words(rest(), not_plain);
  }
}

// What follows the backslash.
bool JsonScanner::skip_escape() {
  if (at_ == end_) return false;
  const char escape = *at_++;
  if (escape != 'u') return std::string_view("\"\\/bfnrt").find(escape) != std::string_view::npos;
  if (end_ - at_ < 4) return false;
  for (int i = 0; i < 4; ++i) {
    if (hex_value(*at_++) < 0) return false;
  }
  return true;
}

// RFC 8259 section 6.
bool JsonScanner::skip_number() {
  const auto digits = [this] {
    const char* const begin = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ - begin;
  };
  const auto next_is = [this](char c) { return at_ != end_ && *at_ == c; };
  if (next_is('-')) ++at_;
  if (next_is('0')) {
    ++at_;  // and no digit may follow: the caller finds it where a value should have ended
  } else if (digits() == 0) {
    return false;
  }
  if (next_is('.')) {
    ++at_;
    if (digits() == 0) return false;
  }
  if (next_is('e') || next_is('E')) {
    ++at_;
    if (next_is('+') || next_is('-')) ++at_;
    if (digits() == 0) return false;
  }
  return true;
}

bool JsonScanner::skip_literal(std::string_view literal) {
  if (!rest().starts_with(literal)) return false;
  at_ += literal.size();
  return true;
}

bool JsonScanner::skip_scalar() {
  if (at_ == end_) return false;
  switch (*at_) {
    case '"': return skip_string();
    case 't': return skip_literal("true");
    case 'f': return skip_literal("false");
    case 'n': return skip_literal("null");
    default: return skip_number();
  }
}

// A value of any kind. Containers are kept on a stack of bits rather than by recursion: a peer
// chooses the depth.
bool JsonScanner::skip_containers(std::size_t max_depth) {
  open_.clear();
  const auto take_key = [this] {
    skip_space();
    return skip_string() && take(':');
  };
  while (true) {
    skip_space();
    if (at_ == end_) return false;
    const char c = *at_;
    if (c == '{' || c == '[') {
      is_too_deep_ = open_.size() >= max_depth;
      if (is_too_deep_) return false;
      ++at_;
      const bool is_object = c == '{';
      if (!take(is_object ? '}' : ']')) {
        open_.push(is_object);
        if (is_object && !take_key()) return false;
        continue;
      }
    } else if (!skip_scalar()) {
      return false;
    }
    // A value has ended; so may the containers around it.
    while (!open_.is_empty() && take(open_.last() ? '}' : ']')) open_.pop();
    if (open_.is_empty()) return true;
    if (!take(',')) return false;
    if (open_.last() && !take_key()) return false;
  }
}

bool is_json(std::string_view text) {
  JsonScanner scanner(text);
  std::string_view value;
  return is_utf8(text) && scanner.take_value(value) && scanner.at_end();
}

bool has_escapes(std::string_view string) { return string.find('\\') != std::string_view::npos; }

void append_unquoted(std::string_view string, std::string& text) {
  const std::string_view inner = string.substr(1, string.size() - 2);
  for (std::size_t i = 0; i < inner.size();) {
    const std::size_t escape = inner.find('\\', i);
    if (escape == std::string_view::npos) {
      text += inner.substr(i);
      return;
    }
    text += inner.substr(i, escape - i);
    const char c = inner[escape + 1];
    i = escape + 2;
    switch (c) {
      case 'b': text += '\b'; break;
      case 'f': text += '\f'; break;
      case 'n': text += '\n'; break;
      case 'r': text += '\r'; break;
      case 't': text += '\t'; break;
      case 'u': {
        std::uint32_t unit = utf16_unit(inner, i);
        i += 4;
        const bool is_high = unit >= 0xd800 && unit <= 0xdbff;
        if (is_high && inner.substr(i, 2) == "\\u") {
          const std::uint32_t low = utf16_unit(inner, i + 2);
          if (low >= 0xdc00 && low <= 0xdfff) {
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            i += 6;
          }
        }
        append_code_point(unit, text);
        break;
      }
      default: text += c;  // " \ /
    }
  }
}

bool is_quoted_as_is(std::string_view text) { return !has_marked(text, not_plain_ascii); }

void append_quoted(std::string_view text, std::string& json) {
  json += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t plain = plain_ascii_prefix(text.substr(i));
    json += text.substr(i, plain);
    i += plain;
    if (i == text.size()) break;
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet >= 0x80) {
      i += append_sequence(text.substr(i), json);
      continue;
    }
    ++i;
    switch (octet) {
      case '"': json += "\\\""; break;
      case '\\': json += "\\\\"; break;
      case '\b': json += "\\b"; break;
      case '\f': json += "\\f"; break;
      case '\n': json += "\\n"; break;
      case '\r': json += "\\r"; break;
      case '\t': json += "\\t"; break;
      default: append_unit_escape(octet, json);
    }
  }
  json += '"';
}

std::string_view find_string(std::string_view object, std::string_view key) {
  JsonScanner scanner(object);
  std::string_view found;
  if (!scanner.take('{') || scanner.take('}')) return found;
  std::string decoded;
  do {
    std::string_view name;
    std::string_view value;
    if (!scanner.take_string(name) || !scanner.take(':') || !scanner.take_value(value)) return {};
    bool is_key = name.substr(1, name.size() - 2) == key;
    if (!is_key && has_escapes(name)) {
      decoded.clear();
      append_unquoted(name, decoded);
      is_key = decoded == key;
    }
    if (is_key) found = value.front() == '"' ? value : std::string_view();
  } while (scanner.take(','));
  return found;
}

}  // namespace jackfield::wire
