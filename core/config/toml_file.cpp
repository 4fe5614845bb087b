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

// Where a dotted key has more than kMaxKeyParts parts. Works on lines, as keys do, and takes
// whatever looks like a dotted key for one.
std::optional<Position> find_long_key(std::string_view text) {
  Position position{1, 0};
  unsigned dots = 0;
  char quote = 0;
  bool in_comment = false;
  for (const char c : text) {
    ++position.column;
    if (c == '\n') {
      position = Position{position.line + 1, 0};
      dots = 0;
      quote = 0;
      in_comment = false;
    } else if (in_comment) {
      continue;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '.') {
      if (++dots >= kMaxKeyParts) return position;
    } else if (c == '#') {
      in_comment = true;
    } else if (c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') {
      dots = 0;
    }
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
    return refuse(position_of(error.source()), "not TOML: " + std::string(error.description()));
  }
}

}  // namespace jackfield::config
