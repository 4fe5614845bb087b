#include "core/config/value.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace jackfield::config {
namespace {

constexpr std::size_t kMaxDescribedOctets = 60;

bool is_bare_key(std::string_view key) {
  for (const char c : key) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-';
    if (!ok) return false;
  }
  return !key.empty();
}

// At most kMaxDescribedOctets of the text, not cut within a code point.
std::string_view cut(std::string_view text) {
  if (text.size() <= kMaxDescribedOctets) return text;
  std::size_t size = kMaxDescribedOctets;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

std::string describe_real(double real) {
  if (std::isnan(real)) return "nan";
  if (std::isinf(real)) return real > 0 ? "inf" : "-inf";
  std::string text;
  append_json_real(real, text);
  return text;
}

}  // namespace

std::string describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kString: return describe(value.text);
    case Value::Kind::kInteger: return std::to_string(value.integer);
    case Value::Kind::kReal: return describe_real(value.real);
    case Value::Kind::kBoolean: return value.boolean ? "true" : "false";
    case Value::Kind::kTime: return "the date or time " + value.text;
    case Value::Kind::kList: return "a list";
    case Value::Kind::kTable: return "a table";
  }
  return "";
}

std::string describe(std::string_view text) {
  std::string described;
  append_json_string(cut(text), described);
  if (text.size() > kMaxDescribedOctets) described += "...";
  return described;
}

std::string join_key(std::string_view path, std::string_view key) {
  std::string joined(path);
  if (!joined.empty()) joined += '.';
  if (is_bare_key(key)) {
    joined += key;
  } else {
    append_json_string(key, joined);  // TOML's basic strings have the same escapes
  }
  return joined;
}

void append_json_string(std::string_view text, std::string& json) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  json += '"';
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (c == '\t') {
      json += "\\t";
    } else if (octet < 0x20 || octet == 0x7f) {
      json += "\\u00";
      json += kDigits[octet >> 4];
      json += kDigits[octet & 0x0f];
    } else {
      json += c;
    }
  }
  json += '"';
}

void append_json_real(double real, std::string& json) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), real).ptr;
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  json += text;
  if (text.find_first_of(".e") == std::string_view::npos) json += ".0";
}

}  // namespace jackfield::config
