// `jackfield status`: asks the servers that run on this machine how they are.
#pragma once

#include <string>

namespace jackfield::daemon {

struct StatusOptions {
  std::string config;  // its plugins.runtime_directory is looked in; empty: the usual places
  unsigned pid = 0;    // of the one server that is meant; 0: all
  bool is_json = false;
};

// Prints what each says; the result is the exit code (exit_code.hpp). Servers of other users are
// passed over.
int show_status(const StatusOptions& options);

}  // namespace jackfield::daemon
