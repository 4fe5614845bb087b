// The bodies that the benchmark publishes: JSON of one line and of a size that is asked for, with a
// number by which one is told from the other: {"text":"0000000042abc…z01…"}. What follows the number
// depends on its place, so that octets that are swapped show. Any thread, no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jackfield::bench {

inline constexpr std::string_view kBodyBegin = "{\"text\":\"";
inline constexpr std::string_view kBodyEnd = "\"}";
inline constexpr std::size_t kBodyDigits = 10;
inline constexpr std::size_t kSmallestBody = kBodyBegin.size() + kBodyDigits + kBodyEnd.size();

// `size`: in octets, kSmallestBody at least.
inline std::string make_body(std::size_t size) {
  std::string body(kBodyBegin);
  body.append(kBodyDigits, '0');
  constexpr std::string_view kFiller = "abcdefghijklmnopqrstuvwxyz01234";  // a prime number of them
  for (std::size_t i = kSmallestBody; i < size; ++i) body += kFiller[i % kFiller.size()];
  return body.append(kBodyEnd);
}

inline void set_number(std::string& body, std::uint64_t number) {
  for (std::size_t i = kBodyDigits; i > 0; --i) {
    body[kBodyBegin.size() + i - 1] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
}

inline constexpr std::uint64_t kNoNumber = UINT64_MAX;

// The number of a body of this size, or kNoNumber where it is none: whoever sent it changed it.
inline std::uint64_t number_of(std::string_view body, std::size_t size) {
  if (body.size() != size || !body.starts_with(kBodyBegin) || !body.ends_with(kBodyEnd)) {
    return kNoNumber;
  }
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kBodyDigits; ++i) {
    const unsigned digit = static_cast<unsigned char>(body[kBodyBegin.size() + i]) - unsigned{'0'};
    if (digit > 9) return kNoNumber;
    number = number * 10 + digit;
  }
  return number;
}

// Whether two bodies that have a number are the same but for that.
inline bool is_alike(std::string_view one, std::string_view other) {
  constexpr std::size_t kHead = kBodyBegin.size() + kBodyDigits;
  return one.substr(kHead) == other.substr(kHead);
}

}  // namespace jackfield::bench
