// What a second thread could gain at all: the limit with one thread and with two, with the load
// beside it on the same cores.
#include "tests/bench/servers/wire_kinds.hpp"
#include "tests/bench/suite/runner.hpp"
#include "tests/bench/suite/works.hpp"

namespace jackfield::bench {
namespace {

constexpr std::size_t kSubscribers = 1000;
constexpr std::size_t kSize = 64;
constexpr std::size_t kUnderWay[] = {1, 64};

// Deliveries per second.
double rate(const LimitKind& kind, const Round& round, std::size_t under_way,
            const Setting& setting) {
  static std::size_t started = 0;
  Launch launch;
  launch.folder = round.folder / ("threads-" + kind.name() + "-" + std::to_string(++started));
  launch.connections = kSubscribers + 1;
  launch.subscriptions = 1;
  MeasuredServer server(kind, launch, setting.all_cores);
  const std::chrono::milliseconds window(setting.is_short ? 200 : 1000);
  const double found =
      open_fan_out(server, kSubscribers, under_way, kSize, window)->measure(0)[1];
  const std::string wrong = server.stop();
  if (!wrong.empty()) throw Failure(wrong);
  return found;
}

void measure(const Work& work, const Round& round, const Setting& setting, bool joins,
             Results& results) {
  const LimitKind one(setting.programs, joins, 1);
  const LimitKind two(setting.programs, joins, 2);
  for (std::size_t i = 0; i < std::size(kUnderWay); ++i) {
    const std::string& key = work.groups.front().cases[i].key;
    Results::Entry& entry = results.at(work.name, key, one.name());
    if (!entry.failure.empty()) continue;
    try {
      const double alone = rate(one, round, kUnderWay[i], setting);
      const double both = rate(two, round, kUnderWay[i], setting);
      entry.values.resize(3);
      entry.values[0].push_back(both / alone);
      entry.values[1].push_back(alone);
      entry.values[2].push_back(both);
    } catch (const Failure& failure) {
      results.fail(work.name, key, one.name(), failure.what());
    }
  }
}

}  // namespace

Work threads(const Setting& setting) {
  Work work;
  work.name = "threads";
  work.title = "A second thread";
  work.text =
      "1,000 subscribers of one topic, 64 octets; the limit with one thread and with two that share "
      "the connections, each free to run on every core, with the load on one of them: messages per "
      "second, and what the second thread gains.";
  work.labels = {{"under_way", "under way", 0}};
  work.metrics = {{"gain", "gain", 2}, {"one_per_s", "1 thread", 0}, {"two_per_s", "2 threads", 0}};
  Group group;
  for (const std::size_t under_way : kUnderWay) {
    group.cases.push_back(
        {std::to_string(under_way), {static_cast<std::int64_t>(under_way)}, ""});
  }
  work.groups.push_back(std::move(group));
  work.is_compared = false;
  work.run_together = [setting](const Work& self, const Round& round, Results& results) {
    for (std::size_t i = 0; i < setting.rounds; ++i) {
      for (const ServerKind* kind : round.kinds) {
        const bool joins = kind->name() == "limit-joined";
        if (joins || kind->name() == "limit") measure(self, round, setting, joins, results);
      }
    }
  };
  return work;
}

}  // namespace jackfield::bench
