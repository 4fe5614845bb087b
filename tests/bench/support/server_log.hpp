// Reads what a server writes to its standard error, while it runs, on a thread of its own: a server
// drops lines that nobody reads. Lines are found by their message and fields, see conf/README.md.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/support/figures.hpp"

namespace jackfield::bench {

class ServerLog {
 public:
  // A plugin was replaced.
  struct Replacement {
    std::string plugin;
    std::uint64_t generation = 0;
    std::int64_t adopted = 0;  // subscriptions
    std::int64_t ended = 0;
    std::int64_t pause_us = 0;  // for which messages waited, as the server measured it
  };

  // Owns the descriptor, the end of a pipe to read from.
  explicit ServerLog(int descriptor);
  // Waits for the end of the log: the server must have ended.
  ~ServerLog();
  ServerLog(const ServerLog&) = delete;
  ServerLog& operator=(const ServerLog&) = delete;

  // Waits for a replacement by a later generation than this.
  std::optional<Replacement> wait_for_replacement(std::string_view plugin, std::uint64_t generation,
                                                  Clock::duration patience) const;

  struct Counts {
    std::size_t unmapped = 0;  // images, as told by lines of level debug
    std::size_t stayed = 0;    // images that the server says it could not unmap
    std::size_t dropped = 0;   // lines for which the pipe had no room
  };
  Counts counts() const;
  // The reason of the last plugin that was refused; empty: none was.
  std::string refusal() const;
  // The last lines, for who wants to know what went wrong.
  std::string tail() const;

 private:
  void read_lines();
  void take(const std::string& line);

  const int descriptor_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Replacement> replacements_;  // guarded by mutex_, as all below
  Counts counts_;
  std::string refusal_;
  std::deque<std::string> tail_;
  std::thread thread_;
};

}  // namespace jackfield::bench
