// Files that hold secrets or keys, read whole, where base/file_trust.hpp finds them in nobody's
// hands but root's and the server's user's. Any thread, no state; the files are small, and local
// ones.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.hpp"

namespace jackfield::access {

enum class Secrecy : std::uint8_t {
  kSecret,  // a file that others can read or write is refused
  kPublic,  // one that others can write
};

// `user`: whom the server will be, where it is still root. A failure's sentence names the path. Only
// regular files are read, of 1 MiB at most.
base::Result<std::string> read_secret_file(const std::filesystem::path& path, Secrecy secrecy,
                                           uid_t user = ::geteuid());

}  // namespace jackfield::access
