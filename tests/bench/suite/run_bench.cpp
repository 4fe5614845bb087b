// The benchmark suite; tests/bench/run.sh builds and runs it, README.md beside it explains it.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tests/bench/load/load.hpp"
#include "tests/bench/suite/runner.hpp"
#include "tests/bench/suite/targets.hpp"
#include "tests/bench/suite/works.hpp"

namespace jackfield::bench {
namespace {

constexpr const char* kUsage =
    "usage: run_bench --jackfield FILE --plugins DIR --programs DIR --sources DIR --folder DIR\n"
    "                 --output DIR [--packages DIR] [--uwebsockets FILE] [--short]\n"
    "                 [--only WORK]... [--server NAME]... [--rounds N] [--core N] [--idle N]\n"
    "                 [--subscribers N]... [--under-way N]... [--size N]... [--commit ID]\n"
    "works: fan-out, fan-out-rate, echo, echo-rate, topics, connect, subscribe, idle, rest,\n       threads\n";

struct Options {
  Installed installed;
  Setting setting;
  std::string folder;
  std::filesystem::path output;
  std::string commit;
  std::set<std::string> only;
  std::set<std::string> servers;
  int core = -1;
  std::string part;  // the options that leave out some of what is measured without them
};

[[noreturn]] void refuse(const std::string& word) {
  std::fprintf(stderr, "run_bench: %s\n%s", word.c_str(), kUsage);
  std::exit(2);
}

std::size_t number_of(const std::string& name, const std::string& value, std::size_t least = 1) {
  std::size_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || rest != end || number < least) {
    refuse(name + " wants a number from " + std::to_string(least) + ", not: " + value);
  }
  return number;
}

Options read_options(int argc, char** argv) {
  Options options;
  Setting& setting = options.setting;
  const std::set<std::string> kLeavesOut{"--only", "--server", "--subscribers", "--under-way",
                                         "--size"};
  std::size_t rounds = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--short") {
      setting.is_short = true;
      options.part += " --short";
      continue;
    }
    if (i + 1 == argc) refuse("unknown, or without a value: " + name);
    const std::string value = argv[++i];
    if (kLeavesOut.count(name) != 0) options.part += " " + name + " " + value;
    if (name == "--jackfield") {
      options.installed.jackfield = value;
    } else if (name == "--plugins") {
      options.installed.plugins = value;
    } else if (name == "--programs") {
      options.installed.programs = value;
    } else if (name == "--sources") {
      options.installed.sources = value;
    } else if (name == "--packages") {
      options.installed.packages = value;
    } else if (name == "--uwebsockets") {
      options.installed.uwebsockets = value;
    } else if (name == "--folder") {
      options.folder = value;
    } else if (name == "--output") {
      options.output = value;
    } else if (name == "--commit") {
      options.commit = value;
    } else if (name == "--only") {
      options.only.insert(value);
    } else if (name == "--server") {
      options.servers.insert(value);
    } else if (name == "--core") {
      options.core = static_cast<int>(number_of(name, value, 0));
    } else if (name == "--rounds") {
      rounds = number_of(name, value);
    } else if (name == "--idle") {
      setting.idle = number_of(name, value);
    } else if (name == "--subscribers") {
      setting.subscribers.push_back(number_of(name, value));
    } else if (name == "--under-way") {
      setting.under_way.push_back(number_of(name, value));
    } else if (name == "--size") {
      setting.sizes.push_back(number_of(name, value));
    } else {
      refuse("unknown: " + name);
    }
  }
  setting.rounds = rounds > 0 ? rounds : setting.is_short ? 2 : 5;
  if (options.installed.jackfield.empty() || options.installed.plugins.empty() ||
      options.installed.programs.empty() || options.installed.sources.empty() ||
      options.folder.empty() || options.output.empty()) {
    refuse("the first six options are needed");
  }
  return options;
}

// Those that are wanted and here; the others are said to be left out.
std::vector<const ServerKind*> choose(const std::vector<std::unique_ptr<ServerKind>>& all,
                                      const std::set<std::string>& wanted, Report& report) {
  std::vector<const ServerKind*> chosen;
  std::set<std::string> unknown = wanted;
  for (const auto& kind : all) {
    unknown.erase(kind->name());
    if (!wanted.empty() && wanted.count(kind->name()) == 0) continue;
    const std::string missing = kind->missing();
    if (!missing.empty() && kind->name() == "jackfield") throw Failure("no jackfield: " + missing);
    if (missing.empty()) chosen.push_back(kind.get());
    const std::string version = missing.empty() ? kind->version() : "left out: " + missing;
    report.add_fact(kind->name(), version.empty() ? "measured" : version);
  }
  if (!unknown.empty()) refuse("--server does not know " + *unknown.begin());
  return chosen;
}

// That every number behind an option is one of a case of the fan-out, which has it as that label.
void check_cases(const Work& fan_out, const char* option, std::size_t label,
                 const std::vector<std::size_t>& wanted) {
  for (const std::size_t number : wanted) {
    const Cell cell = static_cast<std::int64_t>(number);
    bool is_there = false;
    for (const Group& group : fan_out.groups) {
      for (const Case& one : group.cases) is_there = is_there || one.labels[label] == cell;
    }
    if (!is_there) refuse(option + (" " + std::to_string(number)) + " leaves no case of fan-out");
  }
}

// Whether Jackfield did all that it was put through.
bool run(const Options& options) {
  catch_interrupts();
  Setting setting = options.setting;
  setting.descriptors = raise_descriptor_limit();
  const Cores cores = share_cores(options.core, 1);
  if (options.core >= 0 && cores.server != std::vector<int>{options.core}) {
    refuse("--core: there is no core " + std::to_string(options.core) + " to use");
  }
  Report report("suite");
  report.add_machine(this_machine(), cores);
  setting.programs = options.installed.programs;
  setting.all_cores = cores.server;
  setting.all_cores.insert(setting.all_cores.end(), cores.load.begin(), cores.load.end());
  stay_on(cores.load);
  if (!options.commit.empty()) report.add_fact("commit", options.commit);
  report.add_fact("date", utc_date());
  report.add_fact("form", setting.is_short ? "short" : "long");
  report.add_fact("rounds", static_cast<std::int64_t>(setting.rounds));
  if (!options.part.empty()) report.add_fact("only a part", options.part.substr(1));
  report.add_fact("CPU time from", cpu_clock());
  report.add_fact("load before", load_average());
  const auto kinds = server_kinds(options.installed);
  const std::vector<const ServerKind*> chosen = choose(kinds, options.servers, report);
  Runner runner(chosen, options.folder, cores.server, setting);
  show(report.facts());

  const auto add = [&report](Table table) {
    show("\n" + Report::to_text(table));
    report.add(std::move(table));
  };
  // What is not whole yet, or never will be, is not taken for what is.
  const std::filesystem::path part = options.output / "part";
  std::filesystem::create_directories(part);
  Results results;
  std::vector<Work> works = all_works(setting);
  for (const std::string& name : options.only) {
    const auto is_it = [&name](const Work& work) { return work.name == name; };
    if (std::none_of(works.begin(), works.end(), is_it)) refuse("--only does not know " + name);
  }
  check_cases(works.front(), "--subscribers", 0, setting.subscribers);
  check_cases(works.front(), "--under-way", 1, setting.under_way);
  check_cases(works.front(), "--size", 2, setting.sizes);
  const auto is_left_out = [&options](const Work& work) {
    return !options.only.empty() && options.only.count(work.name) == 0;
  };
  works.erase(std::remove_if(works.begin(), works.end(), is_left_out), works.end());
  for (const Work& work : works) {
    runner.run(work, results);
    add(table_of(work, chosen, results));
    report.write(part);  // whatever comes
  }
  add(targets_table(works, setting, results, options.installed.jackfield, options.folder));
  Table missed = missed_table(works, results);
  if (!missed.rows.empty()) add(std::move(missed));
  report.add_fact("load after", load_average());
  report.write(part);
  if (options.part.empty()) {
    for (const char* name : {"suite.md", "suite.json"}) {
      std::filesystem::rename(part / name, options.output / name);
    }
  }
  const std::filesystem::path& folder = options.part.empty() ? options.output : part;
  progress("written: suite.md and suite.json, in " + folder.string());
  return !results.has_failed("jackfield");
}

}  // namespace
}  // namespace jackfield::bench

int main(int argc, char** argv) {
  try {
    if (jackfield::bench::run(jackfield::bench::read_options(argc, argv))) return 0;
    std::fprintf(stderr, "run_bench: Jackfield failed; the tables say in what\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "run_bench: %s\n", error.what());
  }
  return 1;
}
