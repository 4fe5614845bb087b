// What the program can be told to do; each gives the exit code (exit_code.hpp) and says on stderr,
// in one line, what is wrong.
#pragma once

#include <string>
#include <vector>

#include "core/net/watch_client.hpp"

namespace jackfield::daemon {

// What the command line sets in place of the configuration; empty: not set.
struct ServeOptions {
  std::string config;
  std::vector<std::string> listen;
  std::string plugins;
  std::string log_level;
};

struct InspectOptions {
  std::string file;
  std::string config;  // empty: none
  bool is_json = false;
};

int run_server(const ServeOptions& options);
int check_config(const std::string& file);
int inspect_plugin(const InspectOptions& options);
int watch_topics(const net::WatchOptions& options);

}  // namespace jackfield::daemon
