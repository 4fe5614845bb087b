// Well-formed UTF-8 (Unicode 15, table 3-7; RFC 3629 section 4), checked over pieces: overlong
// forms, surrogates and code points over U+10FFFF are refused. A value type without allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jackfield::wire {

class Utf8Check {
 public:
  // False where the octets so far cannot begin any well-formed text; further calls stay false.
  bool feed(std::string_view octets);

  // Whether what was fed is well-formed and does not end within a code point.
  bool is_complete() const { return !failed_ && pending_ == 0; }

 private:
  bool begin(unsigned char octet);

  std::uint8_t pending_ = 0;  // continuation octets still due
  std::uint8_t low_ = 0x80;   // bounds of the next one
  std::uint8_t high_ = 0xbf;
  bool failed_ = false;
};

// Whether the whole text is well-formed UTF-8.
bool is_utf8(std::string_view text);

// The same, but surrogates in their three-octet form may stand in it (WTF-8): what a JSON string
// with lone surrogate escapes stands for.
bool is_wtf8(std::string_view text);

// The text with U+FFFD for each octet that is not part of well-formed UTF-8.
std::string to_utf8(std::string_view text);

}  // namespace jackfield::wire
