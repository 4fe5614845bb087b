// Files that hold secrets or keys, read whole. Any thread, no state; the files are small, and local
// ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.hpp"

namespace jackfield::access {

enum class Secrecy : std::uint8_t {
  kSecret,  // a file that others than its owner and group can read or write is refused
  kPublic,  // one that others can write
};

// A failure's sentence begins with the path. Only regular files are read, of 1 MiB at most.
base::Result<std::string> read_secret_file(const std::filesystem::path& path, Secrecy secrecy);

}  // namespace jackfield::access
