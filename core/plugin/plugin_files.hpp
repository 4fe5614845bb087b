// The files of a plugins folder. Any thread, no state.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace jackfield::plugin {

// The *.so files of a folder, in the order in which they are to be loaded. Sub-folders, hidden
// files and others are passed over. `order` holds file names without ".so".
base::Result<std::vector<std::filesystem::path>> plugin_files(
    const std::filesystem::path& directory, const std::vector<std::string>& order);

// The place of a file among the others: first those that the order names, then by file name.
std::pair<std::size_t, std::string> rank_of(const std::filesystem::path& file,
                                            const std::vector<std::string>& order);

}  // namespace jackfield::plugin
