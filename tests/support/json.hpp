// JSON for assertions: whether two texts mean the same, and small looks into a message. Read with
// cJSON, so numbers are doubles here; where digits matter a test compares octets.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/where.hpp"

namespace jackfield::test {

// Whether both are JSON and equal: members in any order, numbers by value.
bool same_json(std::string_view left, std::string_view right);

// The payload of a message [topic, event, payload], with its octets unchanged but for white space
// around it. Fails the test where `message` does not begin with that topic and event, written
// compactly.
std::string payload_of(std::string_view message, std::string_view topic, std::string_view event,
                       Where where = Where::here());

// A member of a JSON object as text: a string's characters, a number as an integer. Fails the test
// where there is none.
std::string string_member(std::string_view json, const char* name, Where where = Where::here());
long long integer_member(std::string_view json, const char* name, Where where = Where::here());

// Without JSON's white space at both ends.
std::string_view trimmed(std::string_view json);

}  // namespace jackfield::test
