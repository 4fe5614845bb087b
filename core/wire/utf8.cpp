#include "core/wire/utf8.hpp"

#include <cstddef>

#include "core/wire/octets.hpp"

namespace jackfield::wire {
bool Utf8Check::begin(unsigned char octet) {
  low_ = 0x80;
  high_ = 0xbf;
  if (octet < 0x80) return true;
  if (octet >= 0xc2 && octet <= 0xdf) {
    pending_ = 1;
  } else if (octet >= 0xe0 && octet <= 0xef) {
    pending_ = 2;
    if (octet == 0xe0) low_ = 0xa0;   // else overlong
    if (octet == 0xed) high_ = 0x9f;  // else a surrogate
  } else if (octet >= 0xf0 && octet <= 0xf4) {
    pending_ = 3;
    if (octet == 0xf0) low_ = 0x90;   // else overlong
    if (octet == 0xf4) high_ = 0x8f;  // else over U+10FFFF
  } else {
    return false;
  }
  return true;
}

bool Utf8Check::feed(std::string_view octets) {
  if (failed_) return false;
  std::size_t i = 0;
  while (i < octets.size()) {
    if (pending_ == 0) {
      i += skip_words(octets.substr(i), not_ascii);
      if (i == octets.size()) break;
    }
    const auto octet = static_cast<unsigned char>(octets[i++]);
    if (pending_ == 0) {
      if (!begin(octet)) failed_ = true;
    } else if (octet < low_ || octet > high_) {
      failed_ = true;
    } else {
      --pending_;
      low_ = 0x80;
      high_ = 0xbf;
    }
    if (failed_) return false;
  }
  return true;
}

bool is_utf8(std::string_view text) {
  if (!has_marked(text, not_ascii)) return true;
  Utf8Check check;
  return check.feed(text) && check.is_complete();
}

std::string to_utf8(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const std::size_t length = octet < 0x80 ? 1 : octet < 0xe0 ? 2 : octet < 0xf0 ? 3 : 4;
    const std::string_view sequence = text.substr(i, length);
    if (sequence.size() == length && is_utf8(sequence)) {
      out += sequence;
      i += length;
    } else {
      out += "\xef\xbf\xbd";
      ++i;
    }
  }
  return out;
}

bool is_wtf8(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t begin = 0;
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    const bool is_surrogate = octet(i) == 0xed && octet(i + 1) >= 0xa0 && octet(i + 1) <= 0xbf &&
                              (octet(i + 2) & 0xc0) == 0x80;
    if (!is_surrogate) continue;
    if (!is_utf8(text.substr(begin, i - begin))) return false;
    begin = i + 3;
    i += 2;
  }
  return is_utf8(text.substr(begin));
}

}  // namespace jackfield::wire
