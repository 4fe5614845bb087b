// What the reload benchmark measures, as tables. Each starts servers of its own and ends them.
// All throw Failure where the server does not do what is to be measured.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/support/bench_server.hpp"
#include "tests/bench/support/machine.hpp"
#include "tests/bench/support/report.hpp"
#include "tests/bench/reload/traffic.hpp"

namespace jackfield::bench {

struct ReloadSetup {
  std::filesystem::path server;         // the executable
  std::filesystem::path plugins;        // those of the repository
  std::filesystem::path bench_plugins;  // those of tests/bench/plugins
  std::filesystem::path folder;         // for what servers write
  Cores cores;
  bool is_short = false;

  // A server in the folder `name`.
  BenchServer::Options options(const std::string& name) const;
};

// The plugins of the repository that are used: one in C, one through the C++ wrapper.
Subject echo_subject();
Subject chat_subject();

// A plugin file is copied into the folder: how long from its close to the first `subscribed`.
std::vector<Table> measure_drop_in(const ReloadSetup& setup);
// A plugin file is copied over the one that serves: how long from its close to the first answer of
// the new generation.
std::vector<Table> measure_replacement(const ReloadSetup& setup);
// The longest that an event waited for its answer around a replacement, and without one.
std::vector<Table> measure_pause(const ReloadSetup& setup);
// What the process takes before and after many replacements under traffic, and what became of the
// messages.
std::vector<Table> measure_footprint(const ReloadSetup& setup);

// Says on standard error what goes on.
void progress(const std::string& what);

}  // namespace jackfield::bench
