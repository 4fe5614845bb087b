// What a benchmark ran on, and how the cores are shared between the server that is measured and the
// load that measures it. Any thread, no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::bench {

// What must be known of a machine to compare figures with those of another.
struct Machine {
  std::string processor;  // "Intel(R) Xeon(R) Processor"; what the system calls it
  std::string system;     // "Linux 6.1.0 x86_64"
  unsigned cores = 0;     // that this process may use
  std::string memory;     // "24.0 GiB"
};
Machine this_machine();

// How many processes wanted to run lately: "0.31 0.52 0.60" (proc(5), loadavg).
std::string load_average();

// One core for the server, others for the load; where there is only one, both share it.
struct Cores {
  std::vector<int> server;
  std::vector<int> load;
};
// `server`: the core to measure on, or -1 for the last that this process may use. The load has at
// most `most_load` cores; hardware threads of the server's own core (Linux,
// Documentation/ABI/stable/sysfs-devices-system-cpu: thread_siblings_list) are the last to be taken.
Cores share_cores(int server = -1, std::size_t most_load = SIZE_MAX);
std::string to_text(const std::vector<int>& cores);

// Keeps the calling thread, and what it starts, on these cores (sched_setaffinity(2)). May be
// called between fork and exec.
void stay_on(const std::vector<int>& cores);

}  // namespace jackfield::bench
