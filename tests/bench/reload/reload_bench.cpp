// The reload benchmark; tests/bench/reload.sh builds and runs it, README.md beside it explains it.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "tests/bench/reload/reload_measures.hpp"

namespace jackfield::bench {
namespace {

constexpr const char* kUsage =
    "usage: reload_bench --server FILE --plugins DIR --bench-plugins DIR --folder DIR\n"
    "                    --output DIR\n"
    "                    [--short] [--only drop-in|replacement|pause|footprint]... [--core N]\n"
    "                    [--commit ID]\n";

struct Measure {
  const char* name;
  std::vector<Table> (*run)(const ReloadSetup& setup);
};
constexpr Measure kMeasures[] = {{"drop-in", measure_drop_in},
                                 {"replacement", measure_replacement},
                                 {"pause", measure_pause},
                                 {"footprint", measure_footprint}};

struct Options {
  ReloadSetup setup;
  std::string output;
  std::string commit;
  std::set<std::string> only;
  int core = -1;
};

[[noreturn]] void refuse(const std::string& word) {
  std::fprintf(stderr, "reload_bench: %s\n%s", word.c_str(), kUsage);
  std::exit(2);
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--short") {
      options.setup.is_short = true;
      continue;
    }
    if (i + 1 == argc) refuse("unknown, or without a value: " + name);
    const std::string value = argv[++i];
    if (name == "--server") {
      options.setup.server = value;
    } else if (name == "--plugins") {
      options.setup.plugins = value;
    } else if (name == "--bench-plugins") {
      options.setup.bench_plugins = value;
    } else if (name == "--folder") {
      options.setup.folder = value;
    } else if (name == "--output") {
      options.output = value;
    } else if (name == "--commit") {
      options.commit = value;
    } else if (name == "--core") {
      options.core = std::atoi(value.c_str());
    } else if (name == "--only") {
      options.only.insert(value);
    } else {
      refuse("unknown: " + name);
    }
  }
  std::set<std::string> unknown = options.only;
  for (const Measure& measure : kMeasures) unknown.erase(measure.name);
  if (!unknown.empty()) refuse("--only does not know " + *unknown.begin());
  const ReloadSetup& setup = options.setup;
  if (setup.server.empty() || setup.plugins.empty() || setup.bench_plugins.empty() ||
      setup.folder.empty() || options.output.empty()) {
    refuse("the first five options are needed");
  }
  return options;
}

void run(Options options) {
  ReloadSetup& setup = options.setup;
  setup.cores = share_cores(options.core);
  Report report("reload");
  report.add_machine(this_machine(), setup.cores);
  stay_on(setup.cores.load);
  if (!options.commit.empty()) report.add_fact("commit", options.commit);
  report.add_fact("date", utc_date());
  report.add_fact("form", setup.is_short ? "short" : "long");
  report.add_fact("load before", load_average());
  show(report.facts());
  for (const Measure& measure : kMeasures) {
    if (!options.only.empty() && options.only.count(measure.name) == 0) continue;
    for (Table& table : measure.run(setup)) {
      show("\n" + Report::to_text(table));
      report.add(std::move(table));
    }
  }
  report.add_fact("load after", load_average());
  report.write(options.output);
}

}  // namespace

BenchServer::Options ReloadSetup::options(const std::string& name) const {
  BenchServer::Options options;
  options.executable = server;
  options.folder = folder / name;
  options.cores = cores.server;
  std::filesystem::create_directories(options.folder);
  return options;
}

Subject echo_subject() { return {"echo", "echo:", "echo", "echoed"}; }
Subject chat_subject() { return {"chat", "room:", "say", "said"}; }

void progress(const std::string& what) { std::fprintf(stderr, "bench: %s\n", what.c_str()); }

}  // namespace jackfield::bench

int main(int argc, char** argv) {
  try {
    jackfield::bench::run(jackfield::bench::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reload_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
