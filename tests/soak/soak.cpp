// The soak: a real server for minutes or hours under a crowd of clients that behave well and badly,
// while its plugins are replaced; every message that must arrive is accounted for, and what the
// server takes of the system at the end is held against what it took after the first minute.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/support/bench_server.hpp"
#include "tests/bench/support/machine.hpp"
#include "tests/bench/support/report.hpp"
#include "tests/soak/crowd.hpp"

namespace jackfield::soak {
namespace {

using bench::BenchServer;
using bench::Cell;
using bench::Failure;
using bench::Footprint;
using bench::Table;

struct Options {
  std::string server;
  std::string plugins;
  std::string folder;
  std::string output;  // empty: nothing is written
  std::string commit;
  double minutes = 1;
  double part_seconds = 60;  // between two looks at the server
  std::uint64_t seed = 1;
  double size = 1;  // of the crowd
};

// What is allowed to have changed between the first look and the last.
constexpr std::int64_t kMostRssGrowthKib = 1024;
constexpr double kMostRssGrowth = 0.03;
constexpr double kMostCpuGrowth = 0.25;
constexpr double kLeastSecondsForCpu = 30;  // in shorter parts it is the machine's, not the server's

// The server as it was found when nobody but the steady ones was there.
struct Look {
  double minute = 0;
  Footprint footprint;
  double cpu_us_each = 0;  // for each delivery of the part before
  Ledger::Counts counts;
  std::uint64_t changes = 0;
};

BenchServer::Options server_options(const Options& options) {
  const std::filesystem::path plugins = options.plugins;
  BenchServer::Options server;
  server.executable = options.server;
  server.folder = options.folder;
  server.cores = bench::share_cores().server;
  server.plugins = {plugins / "chat.so", plugins / "echo.so", plugins / "system.so"};
  server.log_level = "warning";
  server.server =
      "max_connections = 5000\nhandshake_timeout_s = 3\nclose_timeout_s = 2\n"
      "ping_interval_s = 2\nping_timeout_s = 20\nmax_message_bytes = 1048576\n"
      "max_outbox_bytes = 1048576\n";
  return server;
}

// What happens to the plugins, and to the configuration.
class Changes {
 public:
  Changes(const BenchServer& server, const Options& options, std::mt19937_64& random)
      : server_(server), plugins_(options.plugins), random_(random), due_(Clock::now()) {}

  std::uint64_t count() const { return count_; }

  void look(Clock::time_point now) {
    if (now < due_) return;
    due_ = now + milliseconds(500 + static_cast<std::int64_t>(random_() % 3000));
    ++count_;
    switch (random_() % 6) {
      case 0:
      case 1: server_.put(plugins_ / "echo.so", "echo.so"); break;
      case 2: server_.put(plugins_ / "chat.so", "chat.so"); break;
      case 3:
        if (std::exchange(has_system_, !has_system_)) {
          server_.remove("system.so");
        } else {
          server_.put(plugins_ / "system.so", "system.so");
        }
        break;
      case 4:
        // No plugin at all, and gone again.
        if (std::exchange(has_broken_, !has_broken_)) {
          server_.remove("broken.so");
        } else {
          server_.put("/proc/self/status", "broken.so");
        }
        break;
      default: server_.hang_up(); break;
    }
  }

 private:
  const BenchServer& server_;
  const std::filesystem::path plugins_;
  std::mt19937_64& random_;
  Clock::time_point due_;
  std::uint64_t count_ = 0;
  bool has_system_ = true;
  bool has_broken_ = false;
};

std::size_t scaled(std::size_t count, double size) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(
                                      static_cast<double>(count) * size)));
}

Crowd::Shape shape_of(const Options& options) {
  Crowd::Shape shape;
  for (std::size_t* count : {&shape.listeners, &shape.askers, &shape.visitors, &shape.sleepers,
                             &shape.rude}) {
    *count = scaled(*count, options.size);
  }
  shape.seed = options.seed;
  return shape;
}

// The least of several: what the server has not yet given back is not what it keeps.
Footprint settled(const BenchServer& server, Crowd& crowd) {
  Footprint least = server.footprint();
  for (int i = 0; i < 10; ++i) {
    crowd.run(Clock::now() + milliseconds(100), [](Clock::time_point) {});
    const Footprint next = server.footprint();
    least.rss_kib = std::min(least.rss_kib, next.rss_kib);
    least.anonymous_kib = std::min(least.anonymous_kib, next.anonymous_kib);
    least.descriptors = std::min(least.descriptors, next.descriptors);
    least.threads = std::min(least.threads, next.threads);
    least.mappings = std::min(least.mappings, next.mappings);
  }
  return least;
}

Table table_of(const std::vector<Look>& looks) {
  Table table;
  table.key = "soak";
  table.title = "Soak";
  table.text =
      "Each row is a look at the server when only those are connected that stay, and all that was "
      "due has arrived; counts are since the start.";
  table.columns = {{"minute", "minute", 1},
                   {"connections", "connections"},
                   {"rude", "of them rude"},
                   {"changes", "changes"},
                   {"sent", "sent"},
                   {"arrived", "arrived"},
                   {"lost", "lost"},
                   {"doubled", "doubled"},
                   {"stray", "stray"},
                   {"errors", "errors"},
                   {"cut_off", "cut off"},
                   {"misanswered", "misanswered"},
                   {"rss_kib", "RSS, KiB"},
                   {"descriptors", "descriptors"},
                   {"threads", "threads"},
                   {"mappings", "mappings"},
                   {"cpu_us_each", "CPU, µs each", 2}};
  for (const Look& look : looks) {
    const auto whole = [](std::uint64_t count) { return static_cast<std::int64_t>(count); };
    const Ledger::Counts& counts = look.counts;
    table.rows.push_back({look.minute, whole(counts.opened), whole(counts.rude),
                          whole(look.changes), whole(counts.sent), whole(counts.arrived),
                          whole(counts.lost), whole(counts.doubled), whole(counts.stray),
                          whole(counts.errors), whole(counts.cut_off), whole(counts.misanswered),
                          look.footprint.rss_kib, look.footprint.descriptors,
                          look.footprint.threads, look.footprint.mappings, look.cpu_us_each});
  }
  return table;
}

// What is wrong, a sentence each.
std::vector<std::string> judge(const std::vector<Look>& looks, const Ledger& ledger,
                               double part_seconds) {
  std::vector<std::string> faults = ledger.complaints();
  if (!ledger.counts.is_clean() && faults.empty()) faults.emplace_back("a count is not 0");
  const Look& first = looks.front();
  const Look& last = looks.back();
  if (last.counts.arrived == 0) faults.emplace_back("nothing arrived");
  if (last.changes == 0) faults.emplace_back("nothing was replaced");
  const auto grows = [&](const char* what, std::int64_t before, std::int64_t after,
                         std::int64_t most) {
    if (after - before <= most) return;
    faults.push_back(std::string(what) + ": " + std::to_string(before) + " after the first part, " +
                     std::to_string(after) + " at the end");
  };
  const auto part = static_cast<std::int64_t>(static_cast<double>(first.footprint.rss_kib) *
                                              kMostRssGrowth);
  grows("RSS, KiB", first.footprint.rss_kib, last.footprint.rss_kib,
        std::max(part, kMostRssGrowthKib));
  grows("descriptors", first.footprint.descriptors, last.footprint.descriptors, 0);
  grows("threads", first.footprint.threads, last.footprint.threads, 0);
  if (part_seconds >= kLeastSecondsForCpu &&
      last.cpu_us_each > first.cpu_us_each * (1 + kMostCpuGrowth)) {
    faults.push_back("CPU for each delivery: " + std::to_string(first.cpu_us_each) +
                     " µs in the first part, " + std::to_string(last.cpu_us_each) + " in the last");
  }
  return faults;
}

int soak(const Options& options) {
  const bench::Cores cores = bench::share_cores();
  bench::stay_on(cores.load);
  const BenchServer server(server_options(options));
  std::mt19937_64 random(options.seed);
  Changes changes(server, options, random);
  Crowd crowd(server.port(), shape_of(options));
  std::vector<Look> looks;
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(options.minutes * 60));
  const auto part = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(options.part_seconds));
  while (looks.size() < 2 || Clock::now() < end) {
    const auto cpu_before = server.cpu_time();
    const std::uint64_t arrived_before = crowd.ledger().counts.arrived;
    crowd.run(Clock::now() + part, [&](Clock::time_point now) { changes.look(now); });
    crowd.calm_down();
    const auto cpu = server.cpu_time() - cpu_before;
    Look look;
    look.minute = std::chrono::duration<double>(Clock::now() - begin).count() / 60;
    look.counts = crowd.ledger().counts;
    look.changes = changes.count();
    look.cpu_us_each =
        std::chrono::duration<double, std::micro>(cpu).count() /
        static_cast<double>(std::max<std::uint64_t>(1, look.counts.arrived - arrived_before));
    look.footprint = settled(server, crowd);
    looks.push_back(look);
    crowd.go_on();
  }

  bench::Report report("soak");
  report.add_fact("date", bench::utc_date());
  if (!options.commit.empty()) report.add_fact("commit", options.commit);
  report.add_machine(bench::this_machine(), cores);
  report.add_fact("seed", static_cast<std::int64_t>(options.seed));
  const Table table = table_of(looks);
  report.add(table);
  bench::show(bench::Report::to_text(table));
  if (!options.output.empty()) report.write(options.output);
  const std::vector<std::string> faults = judge(looks, crowd.ledger(), options.part_seconds);
  for (const std::string& fault : faults) bench::show("FAULT: " + fault + "\n");
  bench::show(faults.empty() ? "all accounted for\n"
                             : std::to_string(faults.size()) + " faults or more\n");
  return faults.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const char* const value = argv[i + 1];
    if (name == "--server") {
      options.server = value;
    } else if (name == "--plugins") {
      options.plugins = value;
    } else if (name == "--folder") {
      options.folder = value;
    } else if (name == "--output") {
      options.output = value;
    } else if (name == "--commit") {
      options.commit = value;
    } else if (name == "--minutes") {
      options.minutes = std::atof(value);
    } else if (name == "--part-seconds") {
      options.part_seconds = std::atof(value);
    } else if (name == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--size") {
      options.size = std::atof(value);
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !options.server.empty() && !options.plugins.empty() &&
         !options.folder.empty() && options.minutes > 0 && options.part_seconds > 0 &&
         options.size > 0;
}

}  // namespace
}  // namespace jackfield::soak

int main(int argc, char** argv) {
  jackfield::soak::Options options;
  if (!jackfield::soak::parse(argc, argv, options)) {
    std::fputs(
        "usage: soak --server FILE --plugins DIR --folder EMPTY-DIR [--minutes N]\n"
        "            [--part-seconds N] [--seed N] [--size FACTOR] [--output DIR] [--commit ID]\n",
        stderr);
    return 2;
  }
  try {
    return jackfield::soak::soak(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "soak: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
