// The longest that a client waits for an answer around a replacement. Its events are sent at fixed
// times, and each one's waiting is counted from when it was due: a server that stands still cannot
// hide behind a client that waits for it. Stretches of time without a replacement lie between those
// with one and show what the machine itself does.
#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/reload/reload_measures.hpp"

namespace jackfield::bench {
namespace {

constexpr std::chrono::microseconds kProbeInterval{200};
constexpr std::chrono::milliseconds kBroadcastInterval{10};
// A replacement's time ends so long after the server's word of it: by then the old generation has
// stopped and is unmapped. What is compared with it begins as much later.
constexpr std::chrono::milliseconds kAfter{50};
constexpr std::chrono::seconds kPatience{20};
constexpr int kWarmUp = 3;
constexpr double kTarget = 5;  // milliseconds
constexpr std::size_t kConnections = 20;

struct Stretch {
  Clock::time_point begin;
  Clock::time_point end;
};

struct Pauses {
  std::vector<double> with_ms;
  std::vector<double> without_ms;
  std::vector<double> server_ms;  // as the server's log says
  std::vector<double> usual_ms;   // every wait without a replacement
  double late_ms = 0;             // the most that the load itself was behind around one
};

// Calls `take` with each event that was due in the stretch.
template <typename Take>
void each_sample(const Traffic& traffic, const Stretch& stretch, Take take) {
  const auto& samples = traffic.samples();
  const auto is_before = [](const Traffic::Sample& sample, Clock::time_point time) {
    return sample.due < time;
  };
  auto sample = std::lower_bound(samples.begin(), samples.end(), stretch.begin, is_before);
  for (; sample != samples.end() && sample->due < stretch.end; ++sample) {
    if (sample->received == Clock::time_point()) throw Failure("an event was not answered");
    take(*sample);
  }
}

Pauses evaluate(const Traffic& traffic, const std::vector<Stretch>& with,
                const std::vector<Stretch>& without) {
  Pauses pauses;
  for (const Stretch& stretch : with) {
    double longest = 0;
    each_sample(traffic, stretch, [&](const Traffic::Sample& sample) {
      longest = std::max(longest, to_milliseconds(sample.received - sample.due));
      pauses.late_ms = std::max(pauses.late_ms, to_milliseconds(sample.sent - sample.due));
    });
    pauses.with_ms.push_back(longest);
  }
  for (const Stretch& stretch : without) {
    double longest = 0;
    each_sample(traffic, stretch, [&](const Traffic::Sample& sample) {
      pauses.usual_ms.push_back(to_milliseconds(sample.received - sample.due));
      longest = std::max(longest, pauses.usual_ms.back());
    });
    pauses.without_ms.push_back(longest);
  }
  return pauses;
}

Pauses measure(const ReloadSetup& setup, const Subject& subject, std::size_t subscriptions,
               int count) {
  const std::string image = subject.plugin + ".so";
  BenchServer::Options options =
      setup.options("pause-" + subject.plugin + "-" + std::to_string(subscriptions));
  options.plugins = {setup.plugins / image};
  const BenchServer server(options);
  Traffic traffic(server.port(), subject,
                  {.subscribers = kConnections,
                   .topics = subscriptions / kConnections,
                   .probe_interval = kProbeInterval,
                   .broadcast_interval = kBroadcastInterval,
                   .spins = true,
                   .cores = setup.cores.load});
  std::vector<Stretch> with;
  std::vector<Stretch> without;
  std::vector<double> server_ms;
  std::uint64_t generation = 1;
  traffic.start();
  for (int i = 0; i < kWarmUp + count; ++i) {
    const auto closed = server.put(setup.plugins / image, image);
    const auto done = server.log().wait_for_replacement(subject.plugin, generation, kPatience);
    const auto end = Clock::now() + kAfter;
    traffic.check();
    if (!done) throw server.failure("no word of a replacement of " + subject.plugin);
    if (done->ended > 0 || done->adopted < static_cast<std::int64_t>(traffic.subscriptions())) {
      throw server.failure("subscriptions were lost");
    }
    generation = done->generation;
    const auto quiet = end + kAfter;
    std::this_thread::sleep_until(quiet + (end - closed));
    if (i < kWarmUp) continue;
    with.push_back({closed, end});
    without.push_back({quiet, quiet + (end - closed)});
    server_ms.push_back(static_cast<double>(done->pause_us) / 1000);
  }
  traffic.stop();
  if (traffic.messages().errors > 0) throw Failure("an error: " + traffic.messages().error);
  Pauses pauses = evaluate(traffic, with, without);
  pauses.server_ms = std::move(server_ms);
  return pauses;
}

}  // namespace

std::vector<Table> measure_pause(const ReloadSetup& setup) {
  const int count = setup.is_short ? 10 : 100;
  Table table{
      .key = "pause",
      .title = "The longest wait of a client for an answer, around a replacement",
      .text = "One client sends an event each " + std::to_string(kProbeInterval.count()) +
              " µs. Its wait is counted from when the event was due to the answer; \"usual\" is "
              "the median of all. The longest is taken of each replacement, from the close of "
              "the file to " +
              std::to_string(kAfter.count()) +
              " ms after the server's word of it, and of an equally long time without one. "
              "\"pause\" is what the server's log says: how long messages waited. \"late\" is "
              "the most that the load was behind its own times.",
      .columns = {{"plugin", "plugin", 0},
                  {"subscriptions", "subscriptions", 0},
                  {"count", "times", 0},
                  {"usual_ms", "usual ms", 2},
                  {"median_ms", "longest: median", 2},
                  {"p90_ms", "p90", 2},
                  {"max_ms", "max", 2},
                  {"target_ms", "target", 0},
                  {"without_median_ms", "without: median", 2},
                  {"without_p90_ms", "p90", 2},
                  {"without_max_ms", "max", 2},
                  {"pause_median_ms", "pause: median", 2},
                  {"pause_max_ms", "max", 2},
                  {"late_max_ms", "late", 2},
                  {"values_ms", "", 0},
                  {"without_values_ms", "", 0},
                  {"pause_values_ms", "", 0}},
      .rows = {}};
  for (const Subject& subject : {echo_subject(), chat_subject()}) {
    for (const std::size_t subscriptions : {20u, 1000u, 10000u}) {
      progress("pauses of " + subject.plugin + " with " + std::to_string(subscriptions) +
               " subscriptions");
      const Pauses pauses = measure(setup, subject, subscriptions, count);
      const Spread with = spread_of(pauses.with_ms);
      const Spread without = spread_of(pauses.without_ms);
      const Spread server = spread_of(pauses.server_ms);
      table.rows.push_back({subject.plugin, static_cast<std::int64_t>(subscriptions),
                            static_cast<std::int64_t>(count), spread_of(pauses.usual_ms).median,
                            with.median, with.p90, with.max, static_cast<std::int64_t>(kTarget),
                            without.median, without.p90, without.max, server.median, server.max,
                            pauses.late_ms, pauses.with_ms, pauses.without_ms, pauses.server_ms});
    }
  }
  return {std::move(table)};
}

}  // namespace jackfield::bench
