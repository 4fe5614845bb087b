// The server that is measured: the real executable, on cores of its own, with a folder, a port and
// plugins of its own. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/bench/support/figures.hpp"
#include "tests/bench/support/machine.hpp"
#include "tests/bench/support/server_log.hpp"

namespace jackfield::bench {

// What a process takes of the system, as /proc tells it (proc(5)).
struct Footprint {
  std::int64_t rss_kib = 0;        // counted page by page (smaps_rollup), not estimated
  std::int64_t anonymous_kib = 0;  // of it, what is no file's
  std::int64_t mappings = 0;       // lines of maps
  std::int64_t threads = 0;
  std::int64_t descriptors = 0;

  friend bool operator==(const Footprint&, const Footprint&) = default;
};

class BenchServer {
 public:
  struct Options {
    std::filesystem::path executable;
    std::filesystem::path folder;  // for all that is written; is there, and empty
    std::vector<int> cores;
    std::vector<std::filesystem::path> plugins;  // in its plugins folder from the start
    std::string log_level = "info";
    std::string server;   // further lines of [server]
    std::string loading;  // further lines of [plugins]
  };

  // Starts it and waits until it is ready. Throws Failure.
  explicit BenchServer(const Options& options);
  // SIGTERM, and SIGKILL where that does not end it.
  ~BenchServer();
  BenchServer(const BenchServer&) = delete;
  BenchServer& operator=(const BenchServer&) = delete;

  std::uint16_t port() const { return port_; }
  const ServerLog& log() const { return *log_; }

  // Copies an image over `name` in the plugins folder, as cp does: in place where there is one.
  // Gives the time just before the close. Throws Failure.
  Clock::time_point put(const std::filesystem::path& image, const std::string& name) const;
  void remove(const std::string& name) const;

  // It reads its configuration again (SIGHUP).
  void hang_up() const;

  Footprint footprint() const;
  // The CPU time that it has used so far, user and system, in ticks of the system (10 ms mostly).
  Clock::duration cpu_time() const;
  // The numbers of the copies of plugins/NAME.so that are mapped: one an image, later ones greater.
  std::set<unsigned long> images(const std::string& name) const;

  // A sentence with the last lines of its log.
  Failure failure(const std::string& what) const;

 private:
  static std::string configuration(const Options& options);
  void start(const Options& options, const std::string& file);
  void read_port();
  std::string proc(const char* file) const;

  std::filesystem::path plugins_;
  pid_t pid_ = -1;
  int output_ = -1;
  std::uint16_t port_ = 0;
  std::unique_ptr<ServerLog> log_;
};

}  // namespace jackfield::bench
