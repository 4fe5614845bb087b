// What the loader would bring along with a library, before it is asked to: the libraries that it
// names, and the folders that it wants them looked for in (DT_NEEDED, DT_RPATH, DT_RUNPATH;
// ld.so(8)). The constructors of those run as its own do, so what others can put there is theirs.
// What the system's own folders and their cache hold is the system's matter. Any thread, no state.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace jackfield::plugin {

// As the dynamic section has it.
struct Companions {
  std::vector<std::string> names;      // of libraries; with a slash: paths
  std::vector<std::string> run_paths;  // lists of folders, with ':' between them
};

// Reads them from a shared object. No offset in it is believed: fails with a sentence that does not
// name the file where one leads out of it, or a list has no end.
base::Result<Companions> read_companions(const std::filesystem::path& library);

// How others could decide what is loaded along with `library`, which is mapped from where it lies:
// a sentence; empty: they cannot. A folder of a run path counts whether it is there or not; so does
// each library that is found by one, and what that would bring along in its turn.
std::string fault_of_companions(const std::filesystem::path& library);

}  // namespace jackfield::plugin
