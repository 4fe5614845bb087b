// A program that is started to be measured or to serve, on cores of its own. It does not outlive
// the process that starts it. One thread.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/bench/support/figures.hpp"

namespace jackfield::bench {

struct Launching {
  std::vector<std::string> command;  // the first word: a path, or to be found in $PATH
  std::vector<int> cores;
  int output = -1;  // descriptors that become its standard output and error
  int errors = -1;
  int last_signal = SIGKILL;  // that it gets when this process ends
};
// Gives its process id. Throws Failure.
pid_t spawn(const Launching& launching);

// Whether the child has ended by then; `status` is as waitpid(2) gives it.
bool wait_for_end(pid_t child, Clock::duration patience, int* status = nullptr);
// SIGTERM, and SIGKILL where that does not end it by then. Gives its status, as waitpid(2) does.
int end_process(pid_t child, Clock::duration patience);

}  // namespace jackfield::bench
