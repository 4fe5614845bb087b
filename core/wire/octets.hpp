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

// What marks octets of a word is an object, not a function: templates then hold its code.

// Of eight octets, the high bit of each that is not ASCII.
inline constexpr auto not_ascii = [](std::uint64_t word) { return word & kHighBits; };

// Of eight octets, the high bit of each that does not stand for itself in a JSON string (RFC 8259
// section 7): a quote, a backslash, a control character. An octet below n is one from which taking
// n borrows while its own high bit is not set. What it borrows may mark the more significant octet
// beside it wrongly, but never the least significant of those that are marked.
inline constexpr auto not_plain = [](std::uint64_t word) {
  const std::uint64_t control = word - kEachOctet * 0x20;
  const std::uint64_t quote = (word ^ (kEachOctet * '"')) - kEachOctet;
  const std::uint64_t backslash = (word ^ (kEachOctet * '\\')) - kEachOctet;
  return (control | quote | backslash) & ~word & kHighBits;
};

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

// Whether `marks` marks any octet of `text`. A last word that is not whole overlaps the one before.
template <class Marks>
bool has_marked(std::string_view text, Marks marks) {
  const auto word_at = [text](std::size_t at, auto word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    return word;
  };
  const std::size_t size = text.size();
  if (size >= sizeof(std::uint64_t)) {
    const std::size_t last = size - sizeof(std::uint64_t);
    for (std::size_t i = 0; i < last; i += sizeof(std::uint64_t)) {
      if (marks(word_at(i, std::uint64_t{})) != 0) return true;
    }
    return marks(word_at(last, std::uint64_t{})) != 0;
  }
  if (size >= sizeof(std::uint32_t)) {
    const std::uint64_t first = word_at(0, std::uint32_t{});
    const std::uint64_t last = word_at(size - sizeof(std::uint32_t), std::uint32_t{});
    return marks(first << 32 | last) != 0;
  }
  for (const char c : text) {
    if (marks(kEachOctet * static_cast<unsigned char>(c)) != 0) return true;
  }
  return false;
}

}  // namespace jackfield::wire
