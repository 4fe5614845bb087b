// What a configuration file says, before it is known what it means: a tree of plain values, each
// with its place in the file. Made by toml_file.hpp; any thread, copies are independent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::config {

// Both count from 1; 0 where no place is known.
struct Position {
  unsigned line = 0;
  unsigned column = 0;
};

struct Member;

struct Value {
  enum class Kind { kString, kInteger, kReal, kBoolean, kTime, kList, kTable };

  Kind kind = Kind::kTable;
  Position position;
  std::string text;             // kString; kTime: as RFC 3339 writes it
  std::int64_t integer = 0;     // kInteger
  double real = 0.0;            // kReal, NaN and the infinities included
  bool boolean = false;         // kBoolean
  std::vector<Value> items;     // kList
  std::vector<Member> members;  // kTable, in the order of the file
};

struct Member {
  std::string key;
  Position position;  // of the key
  Value value;
};

// The value in a few words, for the end of "must be X, is Y". Long strings are cut.
std::string describe(const Value& value);
std::string describe(std::string_view text);

// `path` with `key` appended behind a dot, quoted where TOML wants it quoted.
std::string join_key(std::string_view path, std::string_view key);

// The text as a JSON string, quotes included. `text` is well-formed UTF-8. Appends to `json`.
void append_json_string(std::string_view text, std::string& json);

// A number as JSON has it: the shortest text that reads back as the same double, with a fraction or
// an exponent, so that it stays told apart from an integer. REQUIRES: finite.
void append_json_real(double real, std::string& json);

}  // namespace jackfield::config
