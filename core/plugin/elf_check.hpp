// Whether a file can be mapped as a shared object by this process, before the loader is asked: the
// loader maps what the headers say, and a file cut short would be a SIGBUS later (elf(5), mmap(2)).
#pragma once

#include <filesystem>

#include "core/base/result.hpp"

namespace jackfield::plugin {

// Fails with a sentence that does not name the file.
base::Status check_elf(const std::filesystem::path& file);

}  // namespace jackfield::plugin
