// Puts servers through a work, in rounds: each server does each round before any does the next, so
// that what else the machine does meets all of them; and who is the first changes by the round. One
// thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/servers/server_kind.hpp"
#include "tests/bench/suite/work.hpp"

namespace jackfield::bench {

class Runner {
 public:
  // The kinds in the order of the tables; `folder` is for all that servers write.
  Runner(std::vector<const ServerKind*> kinds, std::filesystem::path folder,
         std::vector<int> cores, const Setting& setting);

  // Starts all servers, runs the work and ends them. A server that fails a case is said to have,
  // and the others go on.
  void run(const Work& work, Results& results);

 private:
  struct Contender {
    const ServerKind* kind = nullptr;
    std::unique_ptr<MeasuredServer> server;
    std::size_t connections = 0;   // that it is set up for
    bool with_all = false;         // plugins
    std::string policy{};          // for slow clients
    bool with_tls = false;
    const Group* group = nullptr;  // the last that it was put through
  };

  void run_group(const Work& work, const Group& group, Contender& contender, Results& results);
  // What was wrong with the server is wrong with all cases of the group that it was put through.
  void stop(const Work& work, Contender& contender, Results& results);
  // Stops the contender's server before.
  void start(const Work& work, std::size_t connections, const Case& wanted, Contender& contender,
             Results& results);
  // Measures a case without keeping anything, for a second (0.2 s where it is the short form).
  void warm_up(Stage& stage, std::size_t number) const;

  std::vector<const ServerKind*> kinds_;
  const std::filesystem::path folder_;
  const std::vector<int> cores_;
  const Setting setting_;
  std::size_t started_ = 0;
};

// What a work came to: a row for each case and server.
Table table_of(const Work& work, const std::vector<const ServerKind*>& kinds, Results& results);

// What the user sees while it runs.
void progress(const std::string& what);

}  // namespace jackfield::bench
