// What a machine may run out of, and have again a moment later. Any thread, no state.
#pragma once

#include <cerrno>

namespace jackfield::base {

// Whether a call that failed with this errno may succeed when something else has been given back:
// descriptors, memory, or room on a disk. EFBIG is a limit's, as EDQUOT (setrlimit(2),
// RLIMIT_FSIZE).
constexpr bool is_shortage(int error) noexcept {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
    case EFBIG:
    case EDQUOT: return true;
    default: return false;
  }
}

}  // namespace jackfield::base
