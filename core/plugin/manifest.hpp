// What a plugin says of itself, checked and copied out of its table. Reading it runs none of the
// plugin's code.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.hpp"
#include "jackfield.h"

namespace jackfield::plugin {

struct Manifest {
  std::string name;
  std::string version;
  std::string description;
  std::string license;
  std::uint32_t minor = 0;  // the ABI's, as it was compiled
  jf_plugin functions{};    // the table as far as both sides know it; what it lacks is null

  // Refuses a table that is too small, texts that are missing or malformed, and a null `start`.
  static base::Result<Manifest> read(const jf_plugin& table);
};

}  // namespace jackfield::plugin
