// Where a server may keep what lives only as long as the machine runs: private copies of plugins,
// the count of crashes, its sockets. Any thread, no state.
#pragma once

#include <filesystem>
#include <vector>

namespace jackfield::plugin {

// The one that is configured; else, in this order, $RUNTIME_DIRECTORY (systemd.exec(5)), /run for
// root, and the folder for temporary files. They need not be there, nor be writable.
std::vector<std::filesystem::path> runtime_directories(const std::filesystem::path& configured);

}  // namespace jackfield::plugin
