// Looks over text eight octets at a time: most of it needs no closer look. Any thread, no state.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace jackfield::wire {

inline constexpr std::uint64_t kEachOctet = 0x0101010101010101U;
inline constexpr std::uint64_t kHighBits = 0x8080808080808080U;

// Of eight octets, the high bit of each that is not ASCII.
inline std::uint64_t not_ascii(std::uint64_t word) { return word & kHighBits; }

// Of eight octets, the high bit of each that does not stand for itself in a JSON string (RFC 8259
// section 7): a quote, a backslash, a control character. An octet below n is one from which taking
// n borrows while its own high bit is not set. What it borrows may mark the more significant octet
// beside it wrongly, but never the least significant of those that are marked.
inline std::uint64_t not_plain(std::uint64_t word) {
  const auto zero = [](std::uint64_t octets) { return (octets - kEachOctet) & ~octets; };
  const std::uint64_t control = (word - kEachOctet * 0x20) & ~word;
  const std::uint64_t quote = zero(word ^ (kEachOctet * '"'));
  const std::uint64_t backslash = zero(word ^ (kEachOctet * '\\'));
  return (control | quote | backslash) & kHighBits;
}

// How many octets at the begin of `text` are none of those that `marks` marks; all before the first
// of them, but for fewer than eight where the text ends, and on a big-endian machine.
template <class Marks>
std::size_t skip_words(std::string_view text, Marks marks) {
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    const std::uint64_t marked = marks(word);
    if (marked == 0) continue;
    if constexpr (std::endian::native != std::endian::little) return i;
    return i + static_cast<std::size_t>(std::countr_zero(marked)) / 8;
  }
  return i;
}

}  // namespace jackfield::wire
