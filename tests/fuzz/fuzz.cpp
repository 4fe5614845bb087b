#include "tests/fuzz/fuzz.hpp"

#include <cstdio>
#include <cstdlib>

namespace jackfield::fuzz {
namespace {

// For a terminal: what is not printable ASCII as \xHH, and not endless.
std::string shown(std::string_view text) {
  static constexpr std::size_t kMost = 2000;
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string line;
  for (const char c : text.substr(0, kMost)) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7f && c != '\\') {
      line += c;
    } else {
      line += "\\x";
      line += kHex[octet >> 4];
      line += kHex[octet & 15];
    }
  }
  if (text.size() > kMost) line += "... (" + std::to_string(text.size()) + " octets)";
  return line;
}

}  // namespace

void fail(std::string_view sentence, Where where) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s:%d: does not hold: %.*s\n", where.file, where.line,
               static_cast<int>(sentence.size()), sentence.data());
  std::abort();
}

void require_same(std::string_view expected, std::string_view actual, std::string_view what,
                  Where where) {
  if (expected == actual) return;
  fail(std::string(what) + " is as expected\n  expected: " + shown(expected) +
           "\n  actual:   " + shown(actual),
       where);
}

}  // namespace jackfield::fuzz
