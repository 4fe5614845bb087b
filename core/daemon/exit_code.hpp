// What the process ends with, so that a supervisor can tell a mistake from a crash.
#pragma once

namespace jackfield::daemon {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,      // an internal failure, or out of memory
  kExitMistake = 2,      // on the command line or in the configuration
  kExitCannotStart = 3,  // a port in use, a folder that is missing
};

}  // namespace jackfield::daemon
