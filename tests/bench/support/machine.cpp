#include "tests/bench/support/machine.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace jackfield::bench {
namespace {

// The value of "key : value"; empty where there is no such line.
std::string value_of(const char* file, std::string_view key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !line.starts_with(key)) continue;
    if (line.find_first_not_of(" \t", key.size()) != colon) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return {};
}

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<unsigned>(core), &set)) cores.push_back(core);
    }
  }
  return cores;
}

// The hardware threads of this one's core, itself among them: "0-1", or "0,4".
std::vector<int> siblings_of(int core) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(core) +
                     "/topology/thread_siblings_list");
  std::vector<int> siblings;
  char separator = ',';
  for (int number = 0; file >> number; file >> separator) {
    const int first = separator == '-' ? siblings.back() + 1 : number;
    for (int sibling = first; sibling <= number; ++sibling) siblings.push_back(sibling);
  }
  return siblings;
}

}  // namespace

Machine this_machine() {
  Machine machine;
  // x86 has the first; ARM boards one of the others.
  for (const char* key : {"model name", "Model", "Hardware"}) {
    machine.processor = value_of("/proc/cpuinfo", key);
    if (!machine.processor.empty()) break;
  }
  utsname names{};
  uname(&names);
  machine.system = std::string(names.sysname) + " " + names.release + " " + names.machine;
  if (machine.processor.empty()) machine.processor = names.machine;
  machine.cores = static_cast<unsigned>(usable_cores().size());
  char memory[32];
  std::snprintf(memory, sizeof memory, "%.1f GiB",
                std::strtod(value_of("/proc/meminfo", "MemTotal").c_str(), nullptr) / (1 << 20));
  machine.memory = memory;
  return machine;
}

std::string load_average() {
  std::ifstream file("/proc/loadavg");
  std::string one, five, fifteen;
  file >> one >> five >> fifteen;
  return one + " " + five + " " + fifteen;
}

Cores share_cores(int server, std::size_t most_load) {
  const std::vector<int> usable = usable_cores();
  Cores cores;
  if (usable.empty()) return cores;
  const bool is_usable = std::find(usable.begin(), usable.end(), server) != usable.end();
  cores.server = {is_usable ? server : usable.back()};
  for (const int core : usable) {
    if (core != cores.server.front()) cores.load.push_back(core);
  }
  const std::vector<int> siblings = siblings_of(cores.server.front());
  std::stable_partition(cores.load.begin(), cores.load.end(), [&siblings](int core) {
    return std::find(siblings.begin(), siblings.end(), core) == siblings.end();
  });
  if (cores.load.size() > most_load) cores.load.resize(most_load);
  if (cores.load.empty()) cores.load = cores.server;
  return cores;
}

std::string to_text(const std::vector<int>& cores) {
  std::string text;
  for (const int core : cores) text += (text.empty() ? "" : " ") + std::to_string(core);
  return text;
}

void stay_on(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(static_cast<unsigned>(core), &set);
  if (!cores.empty()) sched_setaffinity(0, sizeof set, &set);
}

}  // namespace jackfield::bench
