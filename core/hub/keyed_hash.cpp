#include "core/hub/keyed_hash.hpp"

#include <sys/random.h>

#include <array>
#include <cstddef>
#include <random>

namespace jackfield::hub {

KeyedHash KeyedHash::random() {
  std::array<std::uint64_t, 2> key{};
  // So few octets come whole or not at all (getrandom(2)).
  if (::getrandom(key.data(), sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    std::random_device device;  // a system call that is forbidden here, or not known
    for (std::uint64_t& word : key) {
      word = static_cast<std::uint64_t>(device()) << 32 | static_cast<std::uint64_t>(device());
    }
  }
  return {key[0], key[1]};
}

}  // namespace jackfield::hub
