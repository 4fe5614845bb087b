// A server of some kind while it is measured: a process on the server's core, and its children,
// with a folder and a port of its own. What it writes to its standard output and error goes into
// output.txt in its folder. One thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/servers/server_kind.hpp"
#include "tests/bench/support/figures.hpp"

namespace jackfield::bench {

class MeasuredServer {
 public:
  // Starts it and waits until it takes connections; the launch's port is chosen. Throws Failure.
  MeasuredServer(const ServerKind& kind, Launch launch, std::vector<int> cores);
  ~MeasuredServer();
  MeasuredServer(const MeasuredServer&) = delete;
  MeasuredServer& operator=(const MeasuredServer&) = delete;

  const ServerKind& kind() const { return kind_; }
  std::uint16_t port() const { return launch_.port; }
  bool is_running() const;

  // The CPU time of all its threads, in nanoseconds (schedstat; proc(5)), when it has nothing to do
  // any more, or after a while.
  std::uint64_t cpu_ns() const;

  // What it has taken of the system so far.
  struct Footprint {
    std::uint64_t rss_octets = 0;  // counted page by page where that can be read
    std::uint64_t switches = 0;    // of context, wanted or not: how often it was woken
    std::uint64_t writes = 0;      // system calls
    std::uint64_t threads = 0;
  };
  Footprint footprint() const;

  // The end of what it has written.
  std::string tail() const;

 private:
  void start();
  void wait_for_port();
  std::uint64_t cpu_ns_now() const;
  // It and what it has started, as long as that is its child.
  std::vector<pid_t> processes() const;

  const ServerKind& kind_;
  Launch launch_;
  const std::vector<int> cores_;
  pid_t pid_ = -1;
  std::vector<pid_t> processes_;
};

}  // namespace jackfield::bench
