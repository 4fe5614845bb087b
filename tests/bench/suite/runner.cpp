#include "tests/bench/suite/runner.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <utility>

#include "tests/bench/load/load.hpp"

namespace jackfield::bench {
namespace {

// A case that takes a server longer is not done more often than this.
constexpr std::chrono::seconds kLong{20};
constexpr std::size_t kRoundsOfLong = 2;

// A sentence for a cell of a table.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '|'; }, ' ');
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

// A server that failed in what cannot be told from the group's cases.
void fail(const Work& work, const Group& group, const std::string& server,
          const std::string& reason, Results& results) {
  progress(server + ": " + one_line(reason));
  for (const Case& one : group.cases) results.fail(work.name, one.key, server, reason);
}

// Does it and says why it failed; "" where it did not. It also failed where the server has ended.
std::string attempt(const std::unique_ptr<MeasuredServer>& server,
                    const std::function<void()>& act) {
  std::string reason;
  try {
    act();
  } catch (const Failure& failure) {
    reason = failure.what();
  }
  const std::string end = server == nullptr ? "" : server->end();
  if (!end.empty() && end != reason) reason += (reason.empty() ? "" : "; ") + end;
  return reason;
}

}  // namespace

void Results::fail(const std::string& work, const std::string& key, const std::string& server,
                   const std::string& reason) {
  Entry& entry = at(work, key, server);
  if (entry.failure.empty()) entry = {{}, one_line(reason)};
}

const std::vector<double>* Results::values(const std::string& work, const Place& place,
                                           std::size_t metric) const {
  const auto found = entries_.find(work + " " + place.key + " " + place.server);
  if (found == entries_.end() || metric >= found->second.values.size()) return nullptr;
  const std::vector<double>& values = found->second.values[metric];
  return values.empty() ? nullptr : &values;
}

bool Results::has_failed(const std::string& server) const {
  return std::any_of(entries_.begin(), entries_.end(), [&server](const auto& entry) {
    return entry.first.ends_with(" " + server) && !entry.second.failure.empty() &&
           !entry.second.is_left_out;
  });
}

Rounds rounds_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {spread_of(values).median, *least, *most};
}

Rounds Results::rounds(const std::string& work, const Place& place, std::size_t metric) const {
  const std::vector<double>* const found = values(work, place, metric);
  return found == nullptr ? Rounds() : rounds_of(*found);
}

double Results::median(const std::string& work, const std::string& key, const std::string& server,
                       std::size_t metric) const {
  return rounds(work, {key, server}, metric).median;
}

Rounds Results::quotients(const std::string& work, const Place& one, const Place& other,
                          std::size_t metric) const {
  const std::vector<double>* const above = values(work, one, metric);
  const std::vector<double>* const below = values(work, other, metric);
  if (above == nullptr || below == nullptr) return {};
  const Rounds top = rounds_of(*above);
  const Rounds bottom = rounds_of(*below);
  if (bottom.least <= 0) return {};
  if (above->size() != below->size()) {
    return {top.median / bottom.median, top.least / bottom.most, top.most / bottom.least};
  }
  std::vector<double> quotients;
  for (std::size_t i = 0; i < above->size(); ++i) quotients.push_back((*above)[i] / (*below)[i]);
  return rounds_of(quotients);
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

void Runner::stop(const Work& work, Contender& contender, Results& results) {
  if (contender.server == nullptr) return;
  const std::string wrong = contender.server->stop();
  contender.server.reset();
  if (!wrong.empty()) fail(work, *contender.group, contender.kind->name(), wrong, results);
}

void Runner::start(const Work& work, std::size_t connections, const Case& wanted,
                   Contender& contender, Results& results) {
  constexpr std::size_t kSpare = 64;
  stop(work, contender, results);
  Launch launch;
  launch.folder = folder_ / (work.name + "-" + contender.kind->name() + "-" +
                             std::to_string(++started_));
  launch.connections = connections + kSpare;
  launch.with_all = wanted.with_all;
  launch.with_tls = wanted.with_tls;
  launch.policy = contender.policy;
  launch.subscriptions = std::min(work.subscriptions, contender.kind->max_topics());
  contender.server = std::make_unique<MeasuredServer>(*contender.kind, launch, cores_);
  contender.connections = connections;
  contender.with_all = wanted.with_all;
  contender.with_tls = wanted.with_tls;
}

// What a program does at first, and what node compiles, is no part of what a message costs.
void Runner::warm_up(Stage& stage, std::size_t number) const {
  const auto end = Clock::now() + std::chrono::milliseconds(setting_.is_short ? 200 : 1000);
  do {
    stage.measure(number);
    check_interrupted();
  } while (Clock::now() < end);
}

void Runner::run(const Work& work, Results& results) {
  if (work.run_together) {
    progress(work.name);
    return work.run_together(work, {kinds_, folder_, cores_}, results);
  }
  std::vector<Contender> contenders;
  for (const ServerKind* kind : kinds_) contenders.push_back({kind, nullptr});
  for (const Group& group : work.groups) {
    const std::size_t rounds = std::min(setting_.rounds, group.max_rounds);
    for (std::size_t round = 0; round < rounds; ++round) {
      progress(work.name + ", " + group.name + ", round " + std::to_string(round + 1) + " of " +
               std::to_string(rounds));
      // Another one is the first in each round.
      for (std::size_t i = 0; i < contenders.size(); ++i) {
        run_group(work, group, contenders[(round + i) % contenders.size()], results);
      }
    }
  }
  for (Contender& contender : contenders) stop(work, contender, results);
}

void Runner::run_group(const Work& work, const Group& group, Contender& contender,
                       Results& results) {
  if (!group.policy.empty() && !contender.kind->is_subject()) return;
  contender.policy = group.policy;
  const std::string& name = contender.kind->name();
  const std::size_t connections = group.connections > 0 ? group.connections : work.connections;
  const std::size_t most_topics = contender.kind->max_topics();
  std::string left_out;
  if (group.topics > most_topics) {
    left_out = "a connection has at most " + std::to_string(most_topics) + " topics";
  } else if (connections + kOtherDescriptors > setting_.descriptors) {
    left_out = "a process has at most " + std::to_string(setting_.descriptors) + " descriptors";
  }
  std::unique_ptr<Stage> stage;
  for (std::size_t i = 0; i < group.cases.size(); ++i) {
    const Case& wanted = group.cases[i];
    if (wanted.with_all && !contender.kind->has_plugins()) continue;
    if (wanted.with_tls && !contender.kind->has_tls()) continue;
    Results::Entry& result = results.at(work.name, group.cases[i].key, name);
    if (!left_out.empty()) result = {{}, left_out, true};
    if (!result.failure.empty()) continue;
    if (result.is_long && result.values.front().size() >= kRoundsOfLong) continue;
    check_interrupted();
    std::vector<double> values;
    std::string reason = attempt(contender.server, [&] {
      const bool is_same =
          contender.with_all == wanted.with_all && contender.with_tls == wanted.with_tls;
      if (!is_same) stage.reset();
      if (stage == nullptr) {
        const bool is_running = contender.server != nullptr && contender.server->end().empty();
        const bool fits = is_running && contender.connections == connections && is_same;
        if (!fits || group.needs_fresh_server) {
          start(work, connections, wanted, contender, results);
        }
        contender.group = &group;
        stage = group.open(*contender.server);
        if (!fits && !group.needs_fresh_server) warm_up(*stage, i);
      }
      const auto begin = Clock::now();
      values = stage->measure(i);
      if (Clock::now() - begin > kLong) result.is_long = true;
    });
    // The server before may have spoilt it too, where it was the same group's.
    if (reason.empty()) reason = result.failure;
    if (!reason.empty()) {
      progress(name + ": " + one_line(reason));
      results.fail(work.name, group.cases[i].key, name, reason);  // not to be trusted any more
      stage.reset();
      contender.server.reset();  // whatever it is in the middle of
      continue;
    }
    result.values.resize(values.size());
    for (std::size_t metric = 0; metric < values.size(); ++metric) {
      result.values[metric].push_back(values[metric]);
    }
  }
  if (contender.server == nullptr) return;
  const std::string reason = attempt(contender.server, [&] {
    stage.reset();
    contender.server->cpu_ns();  // until the closes are done with
  });
  if (reason.empty()) return;
  fail(work, group, name, reason, results);
  contender.server.reset();
}

}  // namespace jackfield::bench
