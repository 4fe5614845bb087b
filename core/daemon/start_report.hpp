// What the server prints when it is ready: where it listens, which plugins and patterns it serves,
// which it refused and why, and a command that tries it.
#pragma once

#include <string>

#include "core/daemon/daemon.hpp"

namespace jackfield::daemon {

// `program`: how the executable can be run. Ends with the line "ready".
std::string start_report(const Daemon& daemon, const std::string& program);

}  // namespace jackfield::daemon
