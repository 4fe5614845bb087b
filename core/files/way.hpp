// The way that a path leads, gone step by step as the kernel would, and whether others could have
// it lead elsewhere: path_resolution(7), with what base/file_trust.hpp says of each step. Any
// thread, no state.
//
// Every folder is looked at that a step is taken in, those that symbolic links lead through too:
// who can write to one of them can put something else there under the same name. The exception are
// folders in which only owners may take away and rename what is theirs (the sticky bit; /tmp):
// there the next step itself must be root's or the user's, and have no other name, for anybody may
// give a stranger's file a second name (link(2)).
//
// Each step is an open descriptor, taken from the one before (openat(2)), without following links:
// what was looked at is what is opened in the end, whatever happens to names meanwhile.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/base/descriptor.hpp"
#include "core/base/result.hpp"

namespace jackfield::files {

struct WayEnd {
  base::Descriptor descriptor;
  // How others could change the way or its end, for the first step where they could: a sentence
  // that names the step, with the command that mends it. Empty: they cannot.
  std::string fault;
};

// Goes to a file and opens it for reading; does not wait for the writer of a pipe. Fails with a
// sentence that does not name the file: it is not there, it is no regular file, it may not be read;
// errno is that of the call that failed, where one did.
base::Result<WayEnd> reach_file(const std::filesystem::path& file, uid_t user = ::geteuid());

// Goes to a folder; its descriptor is one of O_PATH. Fails with a sentence likewise.
base::Result<WayEnd> reach_folder(const std::filesystem::path& folder, uid_t user = ::geteuid());

// The fault of a way to a file or a folder, which is not opened and need not be there: where it is
// not, others must not be able to put it there either.
std::string fault_of_way(const std::filesystem::path& path, uid_t user = ::geteuid());

}  // namespace jackfield::files
