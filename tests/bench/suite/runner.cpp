#include "tests/bench/suite/runner.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tests/bench/load/load.hpp"

namespace jackfield::bench {
namespace {

// Whose figures the others are compared with, as far as they are there.
constexpr const char* kReferences[] = {"limit", "limit-joined", "uwebsockets", "reference"};

// A sentence for a cell of a table.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '|'; }, ' ');
  return text;
}

}  // namespace

double Results::median(const std::string& work, const std::string& key, const std::string& server,
                       std::size_t metric) const {
  const auto found = entries_.find(work + " " + key + " " + server);
  if (found == entries_.end() || metric >= found->second.values.size()) return -1;
  const std::vector<double>& values = found->second.values[metric];
  return values.empty() ? -1 : spread_of(values).median;
}

void progress(const std::string& what) { std::fprintf(stderr, "bench: %s\n", what.c_str()); }

Runner::Runner(std::vector<const ServerKind*> kinds, std::filesystem::path folder,
               std::vector<int> cores, const Setting& setting)
    : kinds_(std::move(kinds)),
      folder_(std::move(folder)),
      cores_(std::move(cores)),
      setting_(setting) {}

void Runner::start(const Work& work, Contender& contender) {
  constexpr std::size_t kSpare = 64;
  contender.server.reset();
  Launch launch;
  launch.folder = folder_ / (work.name + "-" + contender.kind->name() + "-" +
                             std::to_string(++started_));
  launch.connections = work.connections + kSpare;
  launch.subscriptions = std::min(work.subscriptions, contender.kind->max_topics());
  contender.server = std::make_unique<MeasuredServer>(*contender.kind, launch, cores_);
}

void Runner::run(const Work& work, Results& results) {
  std::vector<Contender> contenders;
  for (const ServerKind* kind : kinds_) contenders.push_back({kind, nullptr});
  for (const Group& group : work.groups) {
    const std::size_t rounds = std::min(setting_.rounds, group.max_rounds);
    for (std::size_t round = 0; round < rounds; ++round) {
      progress(work.name + ", " + group.name + ", round " + std::to_string(round + 1) + " of " +
               std::to_string(rounds));
      for (Contender& contender : contenders) run_group(work, group, contender, results);
    }
  }
}

void Runner::run_group(const Work& work, const Group& group, Contender& contender,
                       Results& results) {
  const std::string& name = contender.kind->name();
  const auto entry = [&](const Case& one) -> Results::Entry& {
    return results.at(work.name, one.key, name);
  };
  if (group.topics > contender.kind->max_topics()) {
    for (const Case& one : group.cases) {
      entry(one).failure = "a connection has at most " +
                           std::to_string(contender.kind->max_topics()) + " topics";
    }
    return;
  }
  std::unique_ptr<Stage> stage;
  for (std::size_t i = 0; i < group.cases.size(); ++i) {
    Results::Entry& result = entry(group.cases[i]);
    if (!result.failure.empty()) continue;
    try {
      check_interrupted();
      if (stage == nullptr) {
        const bool is_running = contender.server != nullptr && contender.server->is_running();
        if (!is_running || group.needs_fresh_server) start(work, contender);
        stage = group.open(*contender.server);
      }
      const std::vector<double> values = stage->measure(i);
      result.values.resize(values.size());
      for (std::size_t metric = 0; metric < values.size(); ++metric) {
        result.values[metric].push_back(values[metric]);
      }
    } catch (const Failure& failure) {
      result.failure = one_line(failure.what());
      const bool has_ended = contender.server != nullptr && !contender.server->is_running();
      if (has_ended) result.failure += one_line("; it has ended: " + contender.server->tail());
      progress(name + ": " + result.failure);
      stage.reset();
      contender.server.reset();  // whatever it is in the middle of
    }
  }
  stage.reset();
  if (contender.server != nullptr) contender.server->cpu_ns();  // until the closes are done with
}

Table Runner::table_of(const Work& work, Results& results) const {
  Table table;
  table.key = work.name;
  std::replace(table.key.begin(), table.key.end(), '-', '_');
  table.title = work.title;
  table.text = work.text;
  table.columns = work.labels;
  table.columns.push_back({"server", "server", 0});
  std::vector<const char*> references;
  for (const char* reference : kReferences) {
    const bool is_here = std::any_of(kinds_.begin(), kinds_.end(), [&](const ServerKind* kind) {
      return kind->name() == reference;
    });
    if (is_here && work.is_compared) references.push_back(reference);
  }
  for (std::size_t metric = 0; metric < work.metrics.size(); ++metric) {
    const Column& column = work.metrics[metric];
    table.columns.push_back(column);
    if (metric > 0) continue;
    table.columns.push_back({column.key + "_min", "min", column.decimals});
    table.columns.push_back({column.key + "_max", "max", column.decimals});
    for (const char* reference : references) {
      table.columns.push_back({std::string("by_") + reference, std::string("/ ") + reference, 2});
    }
  }
  table.columns.push_back({"note", "note", 0});
  for (const Column& column : work.metrics) table.columns.push_back({column.key + "_all", "", 0});

  for (const Group& group : work.groups) {
    for (const Case& one : group.cases) {
      for (const ServerKind* kind : kinds_) {
        const Results::Entry& entry = results.at(work.name, one.key, kind->name());
        std::vector<Cell>& row = table.rows.emplace_back(one.labels);
        row.push_back(kind->name());
        for (std::size_t metric = 0; metric < work.metrics.size(); ++metric) {
          const bool is_there = metric < entry.values.size() && !entry.values[metric].empty();
          const std::vector<double> values =
              is_there ? entry.values[metric] : std::vector<double>();
          const double median = spread_of(values).median;
          row.push_back(is_there ? Cell(median) : Cell());
          if (metric > 0) continue;
          row.push_back(is_there ? Cell(*std::min_element(values.begin(), values.end())) : Cell());
          row.push_back(is_there ? Cell(*std::max_element(values.begin(), values.end())) : Cell());
          for (const char* reference : references) {
            const double other = results.median(work.name, one.key, reference);
            row.push_back(is_there && other > 0 ? Cell(median / other) : Cell());
          }
        }
        row.push_back(entry.failure);
        for (std::size_t metric = 0; metric < work.metrics.size(); ++metric) {
          row.push_back(metric < entry.values.size() ? Cell(entry.values[metric]) : Cell());
        }
      }
    }
  }
  return table;
}

}  // namespace jackfield::bench
