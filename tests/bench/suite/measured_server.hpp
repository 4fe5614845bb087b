// A server of some kind while it is measured: a process on the server's core, and its children,
// with a folder and a port of its own. What it writes to its standard output and error goes into
// output.txt in its folder. One thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
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
  // How it has ended by itself, and the end of what it wrote; "" while it runs.
  std::string end() const;
  // Ends it, which its destructor does too. Gives what was wrong with it: that it had ended before;
  // of the subject also that it ended badly, or wrote a file. "" where nothing was.
  std::string stop();

  // The CPU time of all its threads, in nanoseconds, when it has nothing to do any more. A thread
  // that has ended counts with what it had when it was last looked at. Throws Failure where that
  // takes longer than 10 s.
  std::uint64_t cpu_ns() const;

  // What it has taken of the system so far.
  struct Footprint {
    std::uint64_t rss_octets = 0;  // counted page by page where that can be read
    std::uint64_t switches = 0;    // of context, wanted or not: how often it was woken
    std::optional<std::uint64_t> writes;  // system calls; nothing where they cannot be read
    std::uint64_t threads = 0;
  };
  // Throws Failure.
  Footprint footprint() const;

 private:
  struct Look {
    std::uint64_t cpu_ns = 0;
    bool is_busy = false;  // a thread runs, or waits for the processor or a disk
  };
  using Files = std::map<std::filesystem::path, std::filesystem::file_time_type>;

  void start();
  void wait_until_ready();
  Look look() const;
  // Those of its folder, without output.txt, and when each was written last.
  Files files() const;
  std::string tail() const;  // ": " and the end of what it has written; "" where that is nothing
  // It and what it has started, as long as that is its child.
  std::vector<pid_t> processes() const;

  const ServerKind& kind_;
  Launch launch_;
  const std::vector<int> cores_;
  pid_t pid_ = -1;
  std::vector<pid_t> processes_;
  Files files_;  // when it had started
  mutable std::map<std::filesystem::path, std::uint64_t> cpu_ns_of_;  // each thread that was seen
};

// What CPU time is read from, for the head of the tables: schedstat (proc(5)); where the kernel does
// not count there, stat, which counts in steps. Found out once.
std::string cpu_clock();

}  // namespace jackfield::bench
