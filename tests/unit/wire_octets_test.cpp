#include "core/wire/octets.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>
#include <string>

#include <CppUTest/TestHarness.h>

using namespace jackfield::wire;

namespace {

std::uint64_t word_of(const std::string& octets) {
  std::uint64_t word = 0;
  std::memcpy(&word, octets.data(), sizeof word);
  return word;
}

bool is_plain(unsigned char octet) { return octet >= 0x20 && octet != '"' && octet != '\\'; }

}  // namespace

TEST_GROUP(WireOctets) {};

TEST(WireOctets, each_octet_is_judged_in_each_place_of_a_word) {
  for (int octet = 0; octet < 256; ++octet) {
    for (std::size_t place = 0; place < 8; ++place) {
      std::string octets = "abcdefgh";
      octets[place] = static_cast<char>(octet);
      CHECK_EQUAL(octet < 0x80, not_ascii(word_of(octets)) == 0);
      CHECK_EQUAL(is_plain(static_cast<unsigned char>(octet)), not_plain(word_of(octets)) == 0);
    }
  }
}

TEST(WireOctets, the_first_octet_that_is_not_plain_is_found) {
  std::mt19937 random(1);
  const std::string some("\x1f\x20\x21\x22\x23\x5b\x5c\x5d\x7f\x80\xa0\xa2\xdc\xff\x00\x01", 16);
  for (int round = 0; round < 100'000; ++round) {
    std::string octets(16, 'x');
    for (char& octet : octets) {
      if (random() % 4 == 0) octet = some[random() % some.size()];
    }
    const auto first = std::find_if_not(octets.begin(), octets.end(), [](char octet) {
      return is_plain(static_cast<unsigned char>(octet));
    });
    const auto plain = static_cast<std::size_t>(first - octets.begin());
    const std::size_t skipped = skip_words(octets, not_plain);
    if constexpr (std::endian::native == std::endian::little) {
      LONGS_EQUAL(plain, skipped);
    } else {
      LONGS_EQUAL(plain / 8 * 8, skipped);
    }
  }
}

TEST(WireOctets, fewer_than_eight_octets_at_the_end_are_left) {
  LONGS_EQUAL(0, skip_words("1234567", not_ascii));
  LONGS_EQUAL(8, skip_words("12345678", not_ascii));
  LONGS_EQUAL(8, skip_words("123456789", not_ascii));
  LONGS_EQUAL(0, skip_words("", not_ascii));
}

TEST(WireOctets, a_marked_octet_is_noticed_wherever_it_stands_in_whatever_length) {
  for (std::size_t size = 0; size <= 33; ++size) {
    std::string octets(size, 'x');
    CHECK_FALSE(has_marked(octets, not_ascii));
    CHECK_FALSE(has_marked(octets, not_plain));
    for (char& octet : octets) {
      octet = '"';
      CHECK_FALSE(has_marked(octets, not_ascii));
      CHECK_TRUE(has_marked(octets, not_plain));
      octet = '\x80';
      CHECK_TRUE(has_marked(octets, not_ascii));
      CHECK_FALSE(has_marked(octets, not_plain));
      octet = 'x';
    }
  }
}
