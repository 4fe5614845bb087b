// How a value stands in a line of the log: bare where it needs no quotes, else in double quotes,
// with its control characters escaped, so that no text can forge a line. Any thread, no state;
// async-signal-safe where `put` is.
#pragma once

#include <cstddef>
#include <string_view>

namespace jackfield::base {

// Whether one of the control characters U+0080 to U+009F begins here, which terminals act on.
constexpr bool is_c1(std::string_view text, std::size_t i) noexcept {
  return text[i] == '\xc2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
}

constexpr bool is_bare_value(std::string_view value) noexcept {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const auto octet = static_cast<unsigned char>(c);
    if (octet <= ' ' || c == '"' || c == '=' || c == '\\' || octet == 0x7f || is_c1(value, i)) {
      return false;
    }
  }
  return !value.empty();
}

// Gives `put` (of a std::string_view) the pieces of it, one after the other. A value of more than
// `limit` octets is cut there, and ends with "...".
template <class Put>
void put_log_value(std::string_view value, std::size_t limit, const Put& put) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const bool is_cut = value.size() > limit;
  if (is_cut) value = value.substr(0, limit);
  if (!is_cut && is_bare_value(value)) {
    put(value);
    return;
  }
  put("\"");
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string_view c = value.substr(i, 1);
    const auto octet = static_cast<unsigned char>(c.front());
    if (c == "\"" || c == "\\") {
      put("\\");
      put(c);
    } else if (c == "\n") {
      put("\\n");
    } else if (octet < ' ' || octet == 0x7f || is_c1(value, i)) {
      put("\\x");
      put(kHex.substr(octet >> 4, 1));
      put(kHex.substr(octet & 15, 1));
    } else {
      put(c);
    }
  }
  put(is_cut ? "...\"" : "\"");
}

}  // namespace jackfield::base
