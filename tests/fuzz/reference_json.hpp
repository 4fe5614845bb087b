// A second reader of JSON (RFC 8259) and UTF-8 (RFC 3629), against which the server's is held: slow
// and plain, it decodes all code points first and builds a tree. It shares nothing with core/wire.
// Depth is recursion: for texts of a few thousand octets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::fuzz {

// Well-formed text as its code points, each with the octet where it begins; the last entry is the
// end. Nothing where it is not well-formed.
struct CodePoint {
  char32_t value;
  std::size_t at;
};
std::optional<std::vector<CodePoint>> decode_utf8(std::string_view text);

struct JsonNode {
  enum class Kind { kNull, kBoolean, kNumber, kString, kList, kObject };

  Kind kind = Kind::kNull;
  std::size_t begin = 0;  // octets of the text
  std::size_t end = 0;
  std::string string;              // kString: what it stands for, lone surrogates in three octets
  std::vector<JsonNode> items;     // kList; kObject: the values
  std::vector<std::string> names;  // kObject: of the items
};

// Nothing where the text is not one JSON value in well-formed UTF-8.
std::optional<JsonNode> read_json(std::string_view text);

// The octets of a code point or surrogate.
void append_octets(char32_t value, std::string& text);

}  // namespace jackfield::fuzz
