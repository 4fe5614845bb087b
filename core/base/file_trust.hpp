// Whether a file or a folder is in nobody's hands but root's and the server's user's: for what the
// server loads as code, obeys as configuration, or keeps as a secret. What is looked at is an open
// descriptor, so that it is the very thing that is read then. Any thread, no state.
//
// "Others" are all but root and that user. Of the permissions the owner and the bits of the mode
// count. A POSIX access control list shows there too: where a file has one, the group's bits are
// its mask, the most that anyone in the list can have (acl(5)). A group that has no other members
// than the two (base::is_private_group) is not others: with umask 002 a user's own files are
// writable by such a group.
//
// Who opened a file for writing before it was taken from him can go on writing; nothing shows that.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/base/result.hpp"

namespace jackfield::base {

// How others could change an object, as a sentence with its owner, group and mode, and the command
// that mends it; empty: they cannot. `descriptor` (O_PATH will do) is the object's, `info` its
// state, `path` its name for people.
std::string fault_of_writers(int descriptor, const struct stat& info,
                             const std::filesystem::path& path, uid_t user = ::geteuid());

// Fails with that sentence where others could change the file or folder. For what the server obeys.
Status check_unwritable_by_others(int descriptor, const std::filesystem::path& path,
                                  uid_t user = ::geteuid());

// The same, and nobody else can read it. For keys and tokens. A file of root's may be readable by
// its group: that is how root gives it to a server that runs as another user. (As PostgreSQL has it
// for its keys.) `user`: whom the server will be, where it is still root.
Status check_secret_file(int descriptor, const std::filesystem::path& path,
                         uid_t user = ::geteuid());

// Whether a mode lets others put names into a folder, but only the owners of entries take these
// away: /tmp, say. (The sticky bit, inode(7).)
bool is_sticky(const struct stat& info);

// "owner root, group staff, mode 0775"
std::string describe_owner(const struct stat& info);

}  // namespace jackfield::base
