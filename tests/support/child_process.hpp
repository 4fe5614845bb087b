// A program that a test runs: its output is collected while it runs, and it never outlives the
// test. Two threads of its own read the pipes and wait for the end, so that the test can wait for a
// line or for the exit without polling. The object itself belongs to the test's thread.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/deadline.hpp"
#include "tests/support/where.hpp"

namespace jackfield::test {

// How a program ended: by its exit code, or by a signal.
struct Ending {
  int code = -1;   // -1: by a signal
  int signal = 0;  // 0: by itself
  std::string text() const;
};

class ChildProcess {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  // Starts command[0] (a path) with standard input empty. The kernel kills it should the test die.
  explicit ChildProcess(const std::vector<std::string>& command,
                        const Environment& environment = {}, Where where = Where::here());
  // Kills it where it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }

  // Sends a signal; nothing where it has ended.
  void signal(int number);

  // What it has written so far.
  std::string output() const;
  std::string errors() const;

  // Waits for a whole line on standard output, or standard error, that holds every one of `parts`,
  // and gives it; nothing when the time is over or the program closed both before. `nth`: for so
  // many of them, and gives the last.
  std::optional<std::string> wait_for_output(std::initializer_list<std::string_view> parts,
                                             const Deadline& deadline = Deadline());
  std::optional<std::string> wait_for_error(std::initializer_list<std::string_view> parts,
                                            const Deadline& deadline = Deadline(),
                                            std::size_t nth = 1);

  // Waits until `count` lines on standard error hold every one of `parts`; gives how many do then.
  std::size_t wait_for_errors(std::size_t count, std::initializer_list<std::string_view> parts,
                              const Deadline& deadline = Deadline());

  // Waits for its end, and for the end of its output.
  std::optional<Ending> wait(const Deadline& deadline = Deadline());

 private:
  std::optional<std::string> wait_for_line(const std::string& text,
                                           std::initializer_list<std::string_view> parts,
                                           const Deadline& deadline, std::size_t nth = 1);
  void read_pipes(int out, int error);
  void wait_for_end();

  pid_t pid_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string output_;  // guarded by mutex_, as all below
  std::string errors_;
  bool closed_ = false;  // both pipes
  std::optional<Ending> ending_;
  std::thread reader_;
  std::thread waiter_;
};

// How many lines of `text` hold every one of `parts`.
std::size_t count_lines(std::string_view text, std::initializer_list<std::string_view> parts);

// A program run to its end.
struct Finished {
  Ending ending;
  std::string output;
  std::string errors;
};
Finished run_program(const std::vector<std::string>& command, Where where = Where::here());

}  // namespace jackfield::test
