// Text as one word of a command line, for commands that a person may copy. Any thread, no state.
#pragma once

#include <string>
#include <string_view>

namespace jackfield::base {

// The word as it is, or in quotes where a POSIX shell would take it for something else.
inline std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+=@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace jackfield::base
