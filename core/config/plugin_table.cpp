#include "core/config/plugin_table.hpp"

#include <cmath>

namespace jackfield::config {
namespace {

// Recursion is bounded: read_toml takes 64 levels.
void append_json(const Value& value, std::string_view key, Mistakes& mistakes, std::string& json) {
  switch (value.kind) {
    case Value::Kind::kString:
    case Value::Kind::kTime: append_json_string(value.text, json); return;
    case Value::Kind::kInteger: json += std::to_string(value.integer); return;
    case Value::Kind::kBoolean: json += value.boolean ? "true" : "false"; return;
    case Value::Kind::kReal:
      if (std::isfinite(value.real)) return append_json_real(value.real, json);
      mistakes.add(value.position, std::string(key),
                   "must be a finite number (plugins get JSON), is " + describe(value));
      return;
    case Value::Kind::kList: {
      json += '[';
      std::size_t index = 0;
      for (const Value& item : value.items) {
        if (index > 0) json += ',';
        append_json(item, std::string(key) + "[" + std::to_string(index) + "]", mistakes, json);
        ++index;
      }
      json += ']';
      return;
    }
    case Value::Kind::kTable: {
      json += '{';
      bool is_first = true;
      for (const Member& member : value.members) {
        if (!is_first) json += ',';
        is_first = false;
        append_json_string(member.key, json);
        json += ':';
        append_json(member.value, join_key(key, member.key), mistakes, json);
      }
      json += '}';
      return;
    }
  }
}

}  // namespace

std::string to_json(const Value& table, std::string_view key, Mistakes& mistakes) {
  std::string json;
  append_json(table, key, mistakes, json);
  return json;
}

}  // namespace jackfield::config
