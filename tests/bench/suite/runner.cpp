#include "tests/bench/suite/runner.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tests/bench/load/load.hpp"

namespace jackfield::bench {
namespace {

// A sentence for a cell of a table.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '|'; }, ' ');
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

const std::vector<double>* Results::values(const std::string& work, const Place& place,
                                           std::size_t metric) const {
  const auto found = entries_.find(work + " " + place.key + " " + place.server);
  if (found == entries_.end() || metric >= found->second.values.size()) return nullptr;
  const std::vector<double>& values = found->second.values[metric];
  return values.empty() ? nullptr : &values;
}

bool Results::has_failed(const std::string& server) const {
  return std::any_of(entries_.begin(), entries_.end(), [&server](const auto& entry) {
    return entry.first.ends_with(" " + server) && !entry.second.failure.empty();
  });
}

double Results::median(const std::string& work, const std::string& key, const std::string& server,
                       std::size_t metric) const {
  const std::vector<double>* const found = values(work, {key, server}, metric);
  return found == nullptr ? -1 : spread_of(*found).median;
}

double Results::quotient(const std::string& work, const Place& one, const Place& other,
                         std::size_t metric) const {
  const std::vector<double>* const above = values(work, one, metric);
  const std::vector<double>* const below = values(work, other, metric);
  if (above == nullptr || below == nullptr) return -1;
  if (above->size() != below->size()) {
    const double divisor = spread_of(*below).median;
    return divisor > 0 ? spread_of(*above).median / divisor : -1;
  }
  std::vector<double> quotients;
  for (std::size_t i = 0; i < above->size(); ++i) {
    if ((*below)[i] <= 0) return -1;
    quotients.push_back((*above)[i] / (*below)[i]);
  }
  return spread_of(quotients).median;
}

void progress(const std::string& what) {
  static const auto begin = Clock::now();
  const auto time = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin);
  std::fprintf(stderr, "bench: %4lld s  %s\n", static_cast<long long>(time.count()), what.c_str());
}

Runner::Runner(std::vector<const ServerKind*> kinds, std::filesystem::path folder,
               std::vector<int> cores, const Setting& setting)
    : kinds_(std::move(kinds)),
      folder_(std::move(folder)),
      cores_(std::move(cores)),
      setting_(setting) {}

void Runner::start(const Work& work, std::size_t connections, Contender& contender) {
  constexpr std::size_t kSpare = 64;
  contender.server.reset();
  Launch launch;
  launch.folder = folder_ / (work.name + "-" + contender.kind->name() + "-" +
                             std::to_string(++started_));
  launch.connections = connections + kSpare;
  launch.subscriptions = std::min(work.subscriptions, contender.kind->max_topics());
  contender.server = std::make_unique<MeasuredServer>(*contender.kind, launch, cores_);
  contender.connections = connections;
}

void Runner::run(const Work& work, Results& results) {
  if (work.run_together) {
    progress(work.name);
    return work.run_together(work, {kinds_, folder_, cores_}, results);
  }
  std::vector<Contender> contenders;
  for (const ServerKind* kind : kinds_) contenders.push_back({kind, nullptr, 0});
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
  const std::size_t connections = group.connections > 0 ? group.connections : work.connections;
  std::unique_ptr<Stage> stage;
  for (std::size_t i = 0; i < group.cases.size(); ++i) {
    Results::Entry& result = entry(group.cases[i]);
    if (!result.failure.empty()) continue;
    try {
      check_interrupted();
      if (stage == nullptr) {
        const bool is_running = contender.server != nullptr && contender.server->is_running();
        const bool fits = is_running && contender.connections == connections;
        if (!fits || group.needs_fresh_server) start(work, connections, contender);
        stage = group.open(*contender.server);
      }
      const std::vector<double> values = stage->measure(i);
      result.values.resize(values.size());
      for (std::size_t metric = 0; metric < values.size(); ++metric) {
        result.values[metric].push_back(values[metric]);
      }
    } catch (const Failure& failure) {
      std::string reason = failure.what();
      const bool has_ended = contender.server != nullptr && !contender.server->is_running();
      if (has_ended) reason += "; it has ended: " + contender.server->tail();
      result = {{}, one_line(reason)};  // one that fails at times is not to be trusted
      progress(name + ": " + result.failure);
      stage.reset();
      contender.server.reset();  // whatever it is in the middle of
    }
  }
  stage.reset();
  if (contender.server != nullptr) contender.server->cpu_ns();  // until the closes are done with
}

}  // namespace jackfield::bench
