// What /proc and /sys say, as values: each function takes the text of one file and gives nothing
// where it is not what the kernel writes. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace system_metrics {

// Time that processors have spent since boot, in ticks.
struct CpuTimes {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;
};

struct Cpu {
  CpuTimes all;
  std::map<unsigned, CpuTimes> cores;  // by number; those that are offline are missing
};

struct Memory {  // octets
  std::uint64_t total = 0;
  std::uint64_t available = 0;  // what programs can still get without swapping
  std::uint64_t free = 0;       // what nothing uses, not even a cache
  std::uint64_t buffers = 0;
  std::uint64_t cached = 0;
  std::uint64_t swap_total = 0;
  std::uint64_t swap_free = 0;
};

struct Load {
  double one = 0;  // minutes
  double five = 0;
  double fifteen = 0;
  std::uint64_t running = 0;
  std::uint64_t tasks = 0;
};

struct Interface {  // since it came up
  std::uint64_t received_bytes = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t received_errors = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_packets = 0;
  std::uint64_t sent_errors = 0;
};

using Network = std::map<std::string, Interface>;

std::optional<Cpu> parse_cpu(std::string_view stat);             // /proc/stat
std::optional<Memory> parse_memory(std::string_view meminfo);    // /proc/meminfo
std::optional<Load> parse_load(std::string_view loadavg);        // /proc/loadavg
std::optional<Network> parse_network(std::string_view dev);      // /proc/net/dev
std::optional<double> parse_uptime(std::string_view uptime);     // /proc/uptime; seconds
std::optional<double> parse_temperature(std::string_view temp);  // .../temp; degrees Celsius

// How busy, in percent with one decimal, between two readings; {} as the first means since boot.
// Counters that ran backwards (the kernel's do at times) count as not moved.
double usage(const CpuTimes& before, const CpuTimes& now);

// The growth of a counter for each second; 0 where it began anew.
double rate(std::uint64_t before, std::uint64_t now, double seconds);

// One decimal.
double rounded(double value);

}  // namespace system_metrics
