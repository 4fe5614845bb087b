// Whether a file can be mapped as a shared object by this process, before the loader is asked: the
// loader maps what the headers say, and a file cut short would be a SIGBUS later (elf(5), mmap(2)).
// Nothing may change the file meanwhile: it is to be a PrivateCopy. Any thread.
#pragma once

#include <filesystem>

#include "core/base/result.hpp"

namespace jackfield::plugin {

// Fails with a sentence that does not name the file. Linkers write the section headers last, so
// that a file of which any end is missing is found out by them, if not by its segments; a file
// without section headers, as some tools leave it, is judged by its segments alone.
base::Status check_elf(const std::filesystem::path& file);

}  // namespace jackfield::plugin
