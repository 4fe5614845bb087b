#include "core/config/toml_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <tuple>

namespace jackfield::config {
namespace {

// toml++ 3.3 bounds the nesting of values but not the parts of a dotted key, and builds and frees
// one table a part by recursion: a long enough key would run off the stack.
constexpr unsigned kMaxKeyParts = 100;
constexpr int kMaxDepth = 64;

Position position_of(const toml::source_region& source) {
  return Position{static_cast<unsigned>(source.begin.line),
                  static_cast<unsigned>(source.begin.column)};
}

// Where the string ends that begins at `begin`, with its quote; as toml++ has it, or a key could
// hide behind one. Where it breaks off, the text is no TOML, and toml++ stops there.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  const std::string three(3, quote);
  const bool has_lines = text.substr(begin).starts_with(three);
  std::size_t at = begin + (has_lines ? 3 : 1);
  while (at < text.size()) {
    if (text[at] == '\\' && quote == '"') {
      at += 2;
    } else if (has_lines && text.substr(at).starts_with(three)) {
      // Two quotes more may belong to what the string says.
      const std::size_t end = text.find_first_not_of(quote, at);
      return std::min({end, at + 5, text.size()});
    } else if (!has_lines && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    } else {
      ++at;
    }
  }
  return text.size();
}

// Both of an octet; the column in octets.
Position position_at(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<unsigned>(line), static_cast<unsigned>(at - begin + 1)};
}

// Where a dotted key has more than kMaxKeyParts parts. Takes whatever looks like a dotted key for
// one, but what stands in strings and comments.
std::optional<Position> find_long_key(std::string_view text) {
  unsigned dots = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = end_of_string(text, at);
      continue;
    }
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (c == '.') {
      if (++dots >= kMaxKeyParts) return position_at(text, at);
    } else if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) {
      dots = 0;
    }
    ++at;
  }
  return std::nullopt;
}

// Turns toml++'s tree into ours. Stops at the first value that is nested too deeply.
class Converter {
 public:
  std::optional<Position> too_deep() const { return too_deep_; }

  Value convert(const toml::node& node, int depth) {
    Value value;
    value.position = position_of(node.source());
    if (depth > kMaxDepth) {
      if (!too_deep_) too_deep_ = value.position;
      return value;
    }
    if (const auto* table = node.as_table()) {
      convert_table(*table, depth, value);
    } else if (const auto* list = node.as_array()) {
      value.kind = Value::Kind::kList;
      for (const toml::node& item : *list) value.items.push_back(convert(item, depth + 1));
    } else {
      convert_scalar(node, value);
    }
    return value;
  }

 private:
  void convert_table(const toml::table& table, int depth, Value& value) {
    value.kind = Value::Kind::kTable;
    for (const auto& [key, node] : table) {
      value.members.push_back(
          Member{std::string(key.str()), position_of(key.source()), convert(node, depth + 1)});
    }
    std::stable_sort(value.members.begin(), value.members.end(),
                     [](const Member& a, const Member& b) {
                       return std::tie(a.position.line, a.position.column) <
                              std::tie(b.position.line, b.position.column);
                     });
  }

  static void convert_scalar(const toml::node& node, Value& value) {
    if (const auto* text = node.as_string()) {
      value.kind = Value::Kind::kString;
      value.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
      value.kind = Value::Kind::kInteger;
      value.integer = integer->get();
    } else if (const auto* real = node.as_floating_point()) {
      value.kind = Value::Kind::kReal;
      value.real = real->get();
    } else if (const auto* boolean = node.as_boolean()) {
      value.kind = Value::Kind::kBoolean;
      value.boolean = boolean->get();
    } else {
      value.kind = Value::Kind::kTime;
      std::ostringstream written;
      if (const auto* date = node.as_date()) written << date->get();
      if (const auto* time = node.as_time()) written << time->get();
      if (const auto* date_time = node.as_date_time()) written << date_time->get();
      value.text = written.str();
    }
  }

  std::optional<Position> too_deep_;
};

// What toml++ says of a mistake may hold what it saw, a line's end too.
std::string as_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '\n' || c == '\r' ? ' ' : c;
  return line;
}

TomlOutcome refuse(Position position, std::string mistake) {
  return TomlOutcome{std::nullopt, position, std::move(mistake)};
}

}  // namespace

TomlOutcome read_toml(std::string_view text) {
  if (const auto position = find_long_key(text)) {
    return refuse(*position,
                  "a dotted key may have at most " + std::to_string(kMaxKeyParts) + " parts");
  }
  try {
    const toml::table table = toml::parse(text);
    Converter converter;
    TomlOutcome outcome;
    outcome.root = converter.convert(table, 0);
    if (const auto position = converter.too_deep()) {
      return refuse(*position,
                    "values may be nested at most " + std::to_string(kMaxDepth) + " levels deep");
    }
    return outcome;
  } catch (const toml::parse_error& error) {
    return refuse(position_of(error.source()), "not TOML: " + as_one_line(error.description()));
  }
}

}  // namespace jackfield::config
