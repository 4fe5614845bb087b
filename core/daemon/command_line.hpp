// The command line: what to do, and with what. Any thread, no state.
#pragma once

namespace jackfield::daemon {

// Runs the program; the result is its exit code (exit_code.hpp).
int run_command_line(int argc, char** argv);

}  // namespace jackfield::daemon
