// Faults of the machine for a server under test: the switches of faults_preload.c, in a file that
// both have mapped, and limits set from outside (prlimit(2)). One thread; outlives the server.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/faults_preload.h"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

namespace jackfield::test {

// Whether faults can be preloaded: not together with a sanitizer, which has an allocator of its own.
bool has_faults();

class Faults {
 public:
  explicit Faults(Where where = Where::here());
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // What to run the server under (ServerOptions::wrapper), so that it has them.
  std::vector<std::string> wrapper() const;

  // The realtime clock says this much more than is true.
  void set_clock_offset(std::chrono::seconds offset);
  // accept4(2) fails with this errno; 0: it works.
  void set_accept_error(int error);
  std::int64_t accepts() const;
  // Of the allocations from now on those from the n-th on fail, so many.
  void fail_allocations(std::int64_t n, std::int64_t how_many);
  // Those of so many octets and more fail; 0: none.
  void fail_allocations_of(std::int64_t octets);
  // No allocation fails any more. Gives how many there were since the first was to fail.
  std::int64_t let_allocate();
  // How many failed, ever.
  std::int64_t failed_allocations() const;

 private:
  TemporaryFolder folder_;
  struct faults* shared_ = nullptr;
};

// A limit of a process (setrlimit(2)), set from outside for as long as this lives.
class Limited {
 public:
  Limited(pid_t process, int resource, rlim_t limit, Where where = Where::here());
  ~Limited() { end(); }
  Limited(const Limited&) = delete;
  Limited& operator=(const Limited&) = delete;

  // It is again what it was before.
  void end();

 private:
  const pid_t process_;
  const int resource_;
  rlimit before_{};
  bool is_over_ = false;
};

// The number that a process's next descriptor will have: with this as its limit (RLIMIT_NOFILE) it
// gets none.
rlim_t next_descriptor(pid_t process);

// Processor time that a process has used, all its threads together.
std::chrono::milliseconds cpu_time(pid_t process);

}  // namespace jackfield::test
