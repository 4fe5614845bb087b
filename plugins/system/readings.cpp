#include "plugins/system/readings.hpp"

#include <jackfield_json.hpp>

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <vector>

namespace system_metrics {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

// Calls `function` with each line, without its end; stops where it says false.
template <class Function>
void each_line(std::string_view text, Function function) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (!function(text.substr(0, end)) || end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  while (true) {
    const std::size_t from = line.find_first_not_of(kBlank);
    if (from == std::string_view::npos) return found;
    line.remove_prefix(from);
    const std::size_t size = line.find_first_of(kBlank);
    found.push_back(line.substr(0, size));
    if (size == std::string_view::npos) return found;
    line.remove_prefix(size);
  }
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result done = std::from_chars(text.data(), end, value);
  if (text.empty() || done.ec != std::errc() || done.ptr != end) return std::nullopt;
  return value;
}

// A number with a fraction, such as 0.20; the kernel writes no other forms.
std::optional<double> fraction(std::string_view text) {
  return text.empty() ? std::nullopt : jf::Json(text).number();
}

// user nice system idle iowait irq softirq steal; what follows is part of user already. Kernels of
// old leave out the later ones.
std::optional<CpuTimes> cpu_times(const std::vector<std::string_view>& line) {
  if (line.size() < 5) return std::nullopt;
  CpuTimes times;
  for (std::size_t i = 1; i < line.size() && i <= 8; ++i) {
    const auto ticks = whole_number<std::uint64_t>(line[i]);
    if (!ticks || *ticks > std::numeric_limits<std::uint64_t>::max() / 16) return std::nullopt;
    times.total += *ticks;
    const bool idle = i == 4 || i == 5;
    if (!idle) times.busy += *ticks;
  }
  return times;
}

}  // namespace

std::optional<Cpu> parse_cpu(std::string_view stat) {
  std::optional<CpuTimes> all;
  Cpu cpu;
  bool right = true;
  each_line(stat, [&](std::string_view line) {
    const std::vector<std::string_view> parts = words(line);
    if (parts.empty() || parts[0].substr(0, 3) != "cpu") return true;
    const std::optional<CpuTimes> times = cpu_times(parts);
    const auto core = whole_number<unsigned>(parts[0].substr(3));
    right = times && (core || parts[0] == "cpu");
    if (!right) return false;
    if (core) {
      cpu.cores[*core] = *times;
    } else {
      all = times;
    }
    return true;
  });
  if (!right || !all) return std::nullopt;
  cpu.all = *all;
  return cpu;
}

std::optional<Memory> parse_memory(std::string_view meminfo) {
  std::map<std::string_view, std::uint64_t> found;
  each_line(meminfo, [&](std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    const std::vector<std::string_view> parts = words(line.substr(colon + 1));
    if (parts.size() != 2 || parts[1] != "kB") return true;
    const auto kilobytes = whole_number<std::uint64_t>(parts[0]);
    if (!kilobytes || *kilobytes > std::numeric_limits<std::uint64_t>::max() / 1024) return true;
    found[line.substr(0, colon)] = *kilobytes * 1024;
    return true;
  });
  if (found.count("MemTotal") == 0 || found.count("MemFree") == 0) return std::nullopt;
  Memory memory;
  memory.total = found["MemTotal"];
  memory.free = found["MemFree"];
  memory.buffers = found["Buffers"];
  memory.cached = found["Cached"];
  memory.swap_total = found["SwapTotal"];
  memory.swap_free = found["SwapFree"];
  // Linux before 3.14 does not say; this is what it was reckoned from.
  const auto available = found.find("MemAvailable");
  memory.available =
      available != found.end() ? available->second : memory.free + memory.buffers + memory.cached;
  if (memory.available > memory.total) memory.available = memory.total;
  return memory;
}

std::optional<Load> parse_load(std::string_view loadavg) {
  const std::vector<std::string_view> parts = words(trimmed(loadavg));
  if (parts.size() < 4) return std::nullopt;
  const auto one = fraction(parts[0]);
  const auto five = fraction(parts[1]);
  const auto fifteen = fraction(parts[2]);
  const std::size_t slash = parts[3].find('/');
  if (!one || !five || !fifteen || slash == std::string_view::npos) return std::nullopt;
  const auto running = whole_number<std::uint64_t>(parts[3].substr(0, slash));
  const auto tasks = whole_number<std::uint64_t>(parts[3].substr(slash + 1));
  if (!running || !tasks) return std::nullopt;
  return Load{*one, *five, *fifteen, *running, *tasks};
}

std::optional<Network> parse_network(std::string_view dev) {
  Network network;
  bool right = true;
  bool heading = false;
  each_line(dev, [&](std::string_view line) {
    const std::size_t colon = line.rfind(':');  // an alias has one in its name
    if (colon == std::string_view::npos) {
      heading = heading || line.find('|') != std::string_view::npos;
      return true;
    }
    const std::string_view name = trimmed(line.substr(0, colon));
    std::vector<std::uint64_t> counters;
    for (const std::string_view word : words(line.substr(colon + 1))) {
      const auto counter = whole_number<std::uint64_t>(word);
      if (!counter) break;
      counters.push_back(*counter);
    }
    right = !name.empty() && counters.size() >= 16;
    if (!right) return false;
    network[std::string(name)] =
        Interface{counters[0], counters[1], counters[2], counters[8], counters[9], counters[10]};
    return true;
  });
  if (!right || !heading) return std::nullopt;
  return network;
}

std::optional<double> parse_uptime(std::string_view uptime) {
  const std::vector<std::string_view> parts = words(trimmed(uptime));
  if (parts.empty()) return std::nullopt;
  const auto seconds = fraction(parts[0]);
  return seconds && *seconds >= 0 ? seconds : std::nullopt;
}

std::optional<double> parse_temperature(std::string_view temp) {
  const auto thousandths = whole_number<std::int64_t>(trimmed(temp));
  if (!thousandths) return std::nullopt;
  return static_cast<double>(*thousandths) / 1000;
}

double rounded(double value) { return std::round(value * 10) / 10; }

double usage(const CpuTimes& before, const CpuTimes& now) {
  if (now.total <= before.total || now.busy <= before.busy) return 0;
  const double share =
      static_cast<double>(now.busy - before.busy) / static_cast<double>(now.total - before.total);
  return rounded(share > 1 ? 100 : share * 100);
}

double rate(std::uint64_t before, std::uint64_t now, double seconds) {
  if (now < before || seconds <= 0) return 0;
  return rounded(static_cast<double>(now - before) / seconds);
}

}  // namespace system_metrics
