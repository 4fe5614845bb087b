// What a server does that nobody is connected to.
#include <thread>

#include "tests/bench/load/load.hpp"
#include "tests/bench/suite/works.hpp"

namespace jackfield::bench {
namespace {

struct Resting {
  const ServerKind* kind = nullptr;
  std::unique_ptr<MeasuredServer> server;
  MeasuredServer::Footprint before = {};
};

void wait(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds kStep{50};
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
    check_interrupted();
    std::this_thread::sleep_for(kStep);
  }
}

std::vector<std::vector<double>> values_of(const MeasuredServer::Footprint& before,
                                           const MeasuredServer::Footprint& after) {
  if (!before.writes || !after.writes) throw Failure("/proc does not say its writes");
  if (after.threads < before.threads || after.switches < before.switches) {
    throw Failure("a thread has ended: what it did is not known");
  }
  const auto real = [](std::uint64_t number) { return static_cast<double>(number); };
  return {{real(after.switches - before.switches)},
          {real(*after.writes - *before.writes)},
          {real(after.rss_octets) / 1024},
          {real(after.threads)}};
}

// All at once: they do not disturb each other as long as they rest.
void run_rest(const Work& work, const Round& round, std::chrono::seconds time, Results& results) {
  constexpr std::chrono::seconds kStart{3};
  const std::string& key = work.groups.front().cases.front().key;
  std::vector<Resting> all;
  for (const ServerKind* kind : round.kinds) {
    Launch launch;
    launch.folder = round.folder / ("rest-" + kind->name());
    launch.connections = 100;
    launch.subscriptions = 1000;
    launch.with_all = true;
    try {
      all.push_back({kind, std::make_unique<MeasuredServer>(*kind, launch, round.cores)});
    } catch (const Failure& failure) {
      results.fail(work.name, key, kind->name(), failure.what());
    }
  }
  const auto note = [&](const Resting& one, const std::string& reason) {
    results.fail(work.name, key, one.kind->name(), reason);
  };
  wait(kStart);  // what a start leaves to do
  for (Resting& one : all) {
    try {
      one.before = one.server->footprint();
    } catch (const Failure& failure) {
      note(one, failure.what());
    }
  }
  wait(time);
  for (Resting& one : all) {
    if (!results.at(work.name, key, one.kind->name()).failure.empty()) continue;
    try {
      results.at(work.name, key, one.kind->name()).values =
          values_of(one.before, one.server->footprint());
    } catch (const Failure& failure) {
      note(one, failure.what());
    }
  }
  for (Resting& one : all) {
    const std::string wrong = one.server->stop();
    if (!wrong.empty()) note(one, wrong);
  }
}

}  // namespace

Work rest(const Setting& setting) {
  const std::chrono::seconds time(setting.is_short ? 10 : 60);
  Work work;
  work.name = "rest";
  work.title = "At rest";
  work.text =
      "A server that nobody is connected to, with all that it is shipped with (Jackfield: its four "
      "plugins) and its usual limits: how often its threads were woken (context switches), its "
      "system calls that write, and its RSS.";
  work.labels = {{"seconds", "seconds", 0}};
  work.metrics = {{"switches", "wake-ups", 0},
                  {"writes", "writes", 0},
                  {"rss_kib", "RSS KiB", 0},
                  {"threads", "threads", 0}};
  Group group;
  group.cases = {{std::to_string(time.count()), {std::int64_t{time.count()}}, ""}};
  work.groups.push_back(std::move(group));
  work.is_compared = false;
  work.run_together = [time](const Work& self, const Round& round, Results& results) {
    run_rest(self, round, time, results);
  };
  return work;
}

}  // namespace jackfield::bench
