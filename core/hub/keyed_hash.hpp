// A hash of texts that peers choose: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast
// short-input PRF", 2012) under a random key. Who does not know the key cannot choose texts that
// meet in a table. A value; any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace jackfield::hub {

class KeyedHash {
 public:
  // With a key of its own, from the system.
  static KeyedHash random();

  constexpr KeyedHash(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}

  std::uint64_t operator()(std::string_view text) const {
    State state{key0_ ^ 0x736f6d6570736575U, key1_ ^ 0x646f72616e646f6dU,
                key0_ ^ 0x6c7967656e657261U, key1_ ^ 0x7465646279746573U};
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; left -= 8, at += 8) state.take(load(at, 8));
    state.take(load(at, left) | static_cast<std::uint64_t>(text.size()) << 56);
    state.v2 ^= 0xff;
    for (int i = 0; i < 3; ++i) state.round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  }

 private:
  struct State {
    std::uint64_t v0;
    std::uint64_t v1;
    std::uint64_t v2;
    std::uint64_t v3;

    void take(std::uint64_t word) {
      v3 ^= word;
      round();
      v0 ^= word;
    }
    void round() {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  };

  // The first octet lowest, as the paper has it; on a big-endian machine as it comes, which is as
  // good.
  static std::uint64_t load(const char* at, std::size_t size) {
    std::uint64_t word = 0;
    if (size == 8) {
      std::memcpy(&word, at, 8);
      return word;
    }
    for (std::size_t i = 0; i < size; ++i) {
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    }
    return word;
  }

  std::uint64_t key0_;
  std::uint64_t key1_;
};

}  // namespace jackfield::hub
