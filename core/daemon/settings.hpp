// What the process as a whole is told, as plain values. Filled by core/config.
#pragma once

#include <string>

namespace jackfield::daemon {

struct Settings {
  std::string user;   // whom to change to, a name or a number; empty: nobody
  std::string group;  // the same; empty: the user's primary group
};

}  // namespace jackfield::daemon
