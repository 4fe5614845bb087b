#include "tests/fuzz/reference_json.hpp"

#include <utility>

namespace jackfield::fuzz {
namespace {

bool is_surrogate(char32_t value) { return value >= 0xd800 && value <= 0xdfff; }

class Parser {
 public:
  explicit Parser(std::vector<CodePoint> points) : points_(std::move(points)) {}

  std::optional<JsonNode> parse() {
    JsonNode node;
    if (!value(node)) return std::nullopt;
    spaces();
    if (!at_end()) return std::nullopt;
    return node;
  }

 private:
  bool at_end() const { return at_ + 1 == points_.size(); }
  // The code point that is next; what is none at the end.
  char32_t next() const { return at_end() ? 0xffffffff : points_[at_].value; }
  bool take(char32_t wanted) {
    if (next() != wanted) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view word) {
    for (const char c : word) {
      if (!take(static_cast<char32_t>(c))) return false;
    }
    return true;
  }
  void spaces() {
    while (take(' ') || take('\t') || take('\n') || take('\r')) {
    }
  }

  // Section 3.
  bool value(JsonNode& node) {
    spaces();
    node.begin = points_[at_].at;
    const bool ok = any(node);
    node.end = points_[at_].at;
    return ok;
  }

  bool any(JsonNode& node) {
    using Kind = JsonNode::Kind;
    switch (next()) {
      case '{': node.kind = Kind::kObject; return object(node);
      case '[': node.kind = Kind::kList; return list(node);
      case '"': node.kind = Kind::kString; return string(node.string);
      case 't': node.kind = Kind::kBoolean; return word("true");
      case 'f': node.kind = Kind::kBoolean; return word("false");
      case 'n': node.kind = Kind::kNull; return word("null");
      default: node.kind = Kind::kNumber; return number();
    }
  }

  // Section 4.
  bool object(JsonNode& node) {
    take('{');
    spaces();
    if (take('}')) return true;
    do {
      spaces();
      std::string name;
      if (!string(name)) return false;
      spaces();
      if (!take(':')) return false;
      JsonNode member;
      if (!value(member)) return false;
      node.names.push_back(std::move(name));
      node.items.push_back(std::move(member));
      spaces();
    } while (take(','));
    return take('}');
  }

  // Section 5.
  bool list(JsonNode& node) {
    take('[');
    spaces();
    if (take(']')) return true;
    do {
      JsonNode item;
      if (!value(item)) return false;
      node.items.push_back(std::move(item));
      spaces();
    } while (take(','));
    return take(']');
  }

  std::size_t digits() {
    std::size_t count = 0;
    for (; next() >= '0' && next() <= '9'; ++at_) ++count;
    return count;
  }

  // Section 6.
  bool number() {
    take('-');
    if (!take('0') && digits() == 0) return false;
    if (take('.') && digits() == 0) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (digits() == 0) return false;
    }
    return true;
  }

  // Section 7.
  bool string(std::string& text) {
    if (!take('"')) return false;
    std::vector<char32_t> units;  // code points, and escaped units of UTF-16
    while (!take('"')) {
      if (at_end() || next() < 0x20) return false;
      if (!take('\\')) {
        units.push_back(next());
        ++at_;
      } else if (!escape(units)) {
        return false;
      }
    }
    for (std::size_t i = 0; i < units.size(); ++i) {
      const bool is_pair = units[i] >= 0xd800 && units[i] <= 0xdbff && i + 1 < units.size() &&
                           units[i + 1] >= 0xdc00 && units[i + 1] <= 0xdfff;
      if (is_pair) {
        append_octets(0x10000 + (units[i] - 0xd800) * 0x400 + (units[i + 1] - 0xdc00), text);
        ++i;
      } else {
        append_octets(units[i], text);
      }
    }
    return true;
  }

  bool escape(std::vector<char32_t>& units) {
    static constexpr std::u32string_view kLetters = U"\"\\/bfnrt";
    static constexpr std::u32string_view kMeanings = U"\"\\/\b\f\n\r\t";
    if (take('u')) {
      char32_t unit = 0;
      for (int i = 0; i < 4; ++i) {
        const char32_t c = next();
        char32_t digit = 0;
        if (c >= '0' && c <= '9') {
          digit = c - '0';
        } else if (c >= 'a' && c <= 'f') {
          digit = c - 'a' + 10;
        } else if (c >= 'A' && c <= 'F') {
          digit = c - 'A' + 10;
        } else {
          return false;
        }
        unit = unit * 16 + digit;
        ++at_;
      }
      units.push_back(unit);
      return true;
    }
    const std::size_t place = at_end() ? kLetters.npos : kLetters.find(next());
    if (place == kLetters.npos) return false;
    units.push_back(kMeanings[place]);
    ++at_;
    return true;
  }

  const std::vector<CodePoint> points_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::vector<CodePoint>> decode_utf8(std::string_view text) {
  std::vector<CodePoint> points;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto first = static_cast<unsigned char>(text[at]);
    std::size_t length = 0;
    char32_t value = 0;
    if (first < 0x80) {
      length = 1;
      value = first;
    } else if ((first & 0xe0) == 0xc0) {
      length = 2;
      value = first & 0x1f;
    } else if ((first & 0xf0) == 0xe0) {
      length = 3;
      value = first & 0x0f;
    } else if ((first & 0xf8) == 0xf0) {
      length = 4;
      value = first & 0x07;
    } else {
      return std::nullopt;
    }
    if (text.size() - at < length) return std::nullopt;
    for (std::size_t i = 1; i < length; ++i) {
      const auto octet = static_cast<unsigned char>(text[at + i]);
      if ((octet & 0xc0) != 0x80) return std::nullopt;
      value = value * 64 + (octet & 0x3f);
    }
    constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // of each length: else overlong
    if (value < kLeast[length] || value > 0x10ffff || is_surrogate(value)) return std::nullopt;
    points.push_back({value, at});
    at += length;
  }
  points.push_back({0, at});
  return points;
}

std::optional<JsonNode> read_json(std::string_view text) {
  auto points = decode_utf8(text);
  if (!points) return std::nullopt;
  return Parser(std::move(*points)).parse();
}

void append_octets(char32_t value, std::string& text) {
  const auto octet = [&](char32_t one) { text += static_cast<char>(one); };
  if (value < 0x80) {
    octet(value);
    return;
  }
  if (value < 0x800) {
    octet(0xc0 + value / 64);
  } else {
    if (value < 0x10000) {
      octet(0xe0 + value / 4096);
    } else {
      octet(0xf0 + value / 262144);
      octet(0x80 + value / 4096 % 64);
    }
    octet(0x80 + value / 64 % 64);
  }
  octet(0x80 + value % 64);
}

}  // namespace jackfield::fuzz
