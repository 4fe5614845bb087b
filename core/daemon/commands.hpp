// What the program can be told to do; each gives the exit code (exit_code.hpp) and says on stderr,
// in one line, what is wrong.
#pragma once

#include <string>

#include "core/daemon/config_source.hpp"
#include "core/net/watch_client.hpp"

namespace jackfield::daemon {

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
