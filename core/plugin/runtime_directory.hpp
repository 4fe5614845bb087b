// Where a server may keep what lives only as long as the machine runs: private copies of plugins,
// the count of crashes, its sockets. Any thread, no state.
//
// Such a place may be root's own, while a server that root starts runs as another user then. So
// root makes a folder for that user in it, `jackfield-users/<uid>`, which stays. The folder
// `jackfield-users` is root's, which proves who made those in it, wherever it lies.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

#include "core/base/result.hpp"

namespace jackfield::plugin {

// The one that is configured; else, in this order, $RUNTIME_DIRECTORY (systemd.exec(5)), /run for
// root, and the folder for temporary files. They need not be there, nor be writable. In place of
// one that has a folder for this user stands that folder.
std::vector<std::filesystem::path> runtime_directories(const std::filesystem::path& configured);

// Makes the folder for a user, in the first place where that is possible and that is not mounted
// noexec, and in those before it; not in places that are that user's as they are. Fails with a
// sentence where it is not possible in the one that is configured; also where others could change
// things there, if trust is required. REQUIRES: the process is root's.
base::Status prepare_runtime_directories(const std::filesystem::path& configured, uid_t user,
                                         gid_t group, bool is_trust_required = true);

// A folder that root made for a user, or one of these places that is a user's as a whole.
struct UserDirectory {
  std::filesystem::path path;
  uid_t user = 0;
};
// All that are there in these places.
std::vector<UserDirectory> user_directories(const std::filesystem::path& configured);

}  // namespace jackfield::plugin
