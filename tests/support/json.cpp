#include "tests/support/json.hpp"

#include <cjson/cJSON.h>

#include <memory>

namespace jackfield::test {
namespace {

struct Delete {
  void operator()(cJSON* value) const { cJSON_Delete(value); }
};
using Value = std::unique_ptr<cJSON, Delete>;

Value parse(std::string_view text) {
  return Value(cJSON_ParseWithLength(text.data(), text.size()));
}

const cJSON* member(const Value& object, std::string_view json, const char* name, Where where) {
  const cJSON* found = cJSON_GetObjectItemCaseSensitive(object.get(), name);
  check(found != nullptr, "no member '" + std::string(name) + "' in " + std::string(json), where);
  return found;
}

}  // namespace

bool same_json(std::string_view left, std::string_view right) {
  const Value first = parse(left);
  const Value second = parse(right);
  return first && second && cJSON_Compare(first.get(), second.get(), true);
}

std::string payload_of(std::string_view message, std::string_view topic, std::string_view event,
                       Where where) {
  const std::string head = "[\"" + std::string(topic) + "\",\"" + std::string(event) + "\",";
  check(message.starts_with(head) && message.ends_with("]"),
        "expected " + head + "...]\n\tbut got  " + std::string(message.substr(0, 300)), where);
  return std::string(trimmed(message.substr(head.size(), message.size() - head.size() - 1)));
}

std::string string_member(std::string_view json, const char* name, Where where) {
  const Value object = parse(json);
  const cJSON* found = member(object, json, name, where);
  check(cJSON_IsString(found), "no string: '" + std::string(name) + "'", where);
  return found->valuestring;
}

long long integer_member(std::string_view json, const char* name, Where where) {
  const Value object = parse(json);
  const cJSON* found = member(object, json, name, where);
  check(cJSON_IsNumber(found), "no number: '" + std::string(name) + "'", where);
  return static_cast<long long>(found->valuedouble);
}

std::string_view trimmed(std::string_view json) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = json.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return json.substr(begin, json.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace jackfield::test
