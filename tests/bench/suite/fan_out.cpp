// Broadcasts to all subscribers of one topic, in a closed loop and at a fixed rate.
#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "tests/bench/load/broadcasts.hpp"
#include "tests/bench/suite/works.hpp"

namespace jackfield::bench {
namespace {

constexpr std::size_t kMostInFlight = 256 << 20;  // octets

// Sleeps until the clock's next second is half of this away: what takes so long falls half into one
// second, and half into another.
void wait_for_turn_of_second(Clock::duration window) {
  using std::chrono::system_clock;
  const auto lead = std::chrono::duration_cast<system_clock::duration>(window / 2);
  const auto turn = std::chrono::ceil<std::chrono::seconds>(system_clock::now() + lead);
  std::this_thread::sleep_until(turn - lead);
  check_interrupted();
}

struct FanOutCase {
  std::size_t under_way = 1;
  std::size_t size = 64;
  int windows = 1;  // that it goes on for
};

// Subscribers of one topic, and one connection more that publishes.
class FanOutStage : public Stage {
 public:
  FanOutStage(MeasuredServer& server, std::size_t subscribers)
      : load_(server.kind().dialect(), server.port()),
        broadcasts_(prepared(load_, subscribers),
                    {.publisher = subscribers, .topics = {topic_name(0)}, .reach = subscribers},
                    meter_of(server)) {}

 protected:
  Broadcasts& broadcasts() { return broadcasts_; }

 private:
  static Load& prepared(Load& load, std::size_t subscribers) {
    load.open_subscribed(subscribers, [](std::size_t) { return topic_names(1); });
    load.open_publisher(topic_names(1));
    return load;
  }

  Load load_;
  Broadcasts broadcasts_;
};

class ClosedLoop final : public FanOutStage {
 public:
  ClosedLoop(MeasuredServer& server, std::size_t subscribers, std::vector<FanOutCase> cases,
             Clock::duration window)
      : FanOutStage(server, subscribers),
        is_second_limited_(subscribers < kSlow && server.kind().max_per_second() < SIZE_MAX),
        subscribers_(subscribers),
        cases_(std::move(cases)),
        // Not even the fastest of its cases then has more than one second takes.
        window_(is_second_limited_ ? window / 2 : window) {}

  std::vector<double> measure(std::size_t number) override {
    constexpr std::size_t kLarge = 100000;  // deliveries that are under way
    constexpr std::size_t kEnough = 64;     // broadcasts, where each takes a tenth of a second
    const FanOutCase& one = cases_[number];
    const bool is_large = subscribers_ * one.under_way >= kLarge;
    if (!is_large || !is_warm_) {
      if (is_second_limited_) wait_for_turn_of_second(window_ / 5);
      broadcasts().run(one.size, one.under_way,
                       {.window = window_ / 5, .at_least = 2, .is_warm_up = true});
      if (is_large) is_warm_ = true;
    }
    if (is_second_limited_) wait_for_turn_of_second(window_);
    const std::size_t at_least = is_large ? kEnough : 2 * one.under_way;
    return flow_values(broadcasts().run(one.size, one.under_way,
                                        {.window = window_ * one.windows, .at_least = at_least}));
  }

 private:
  // With so many subscribers no server takes tens of thousands of messages a second.
  static constexpr std::size_t kSlow = 100;

  const bool is_second_limited_;
  const std::size_t subscribers_;
  const std::vector<FanOutCase> cases_;
  const Clock::duration window_;
  bool is_warm_ = false;  // after the first of the large cases
};

class OpenLoop final : public FanOutStage {
 public:
  OpenLoop(MeasuredServer& server, std::size_t subscribers, std::size_t size,
           Clock::duration interval, Clock::duration window)
      : FanOutStage(server, subscribers), size_(size), interval_(interval), window_(window) {}

  std::vector<double> measure(std::size_t) override {
    broadcasts().run_at_rate(size_, interval_, {.window = window_ / 5, .is_warm_up = true});
    return flow_values(broadcasts().run_at_rate(size_, interval_, {.window = window_}));
  }

 private:
  const std::size_t size_;
  const Clock::duration interval_;
  const Clock::duration window_;
};

bool is_wanted(const std::vector<std::size_t>& wanted, std::size_t value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

Cell cell(std::size_t number) { return static_cast<std::int64_t>(number); }

std::string key_of(std::size_t subscribers, std::size_t under_way, std::size_t size) {
  return std::to_string(subscribers) + "/" + std::to_string(under_way) + "/" +
         std::to_string(size);
}

}  // namespace

std::unique_ptr<Stage> open_fan_out(MeasuredServer& server, std::size_t subscribers,
                                    std::size_t under_way, std::size_t size,
                                    Clock::duration window) {
  const std::vector<FanOutCase> cases{{under_way, size}};
  return std::make_unique<ClosedLoop>(server, subscribers, cases, window);
}

Work fan_out(const Setting& setting) {
  constexpr std::size_t kSubscribers[] = {1, 100, 1000, 10000};
  constexpr std::size_t kUnderWay[] = {1, 16, 64};
  constexpr std::size_t kSizes[] = {64, 1024, 16384};
  constexpr std::size_t kLargeGroup = 10000;

  Work work;
  work.name = "fan-out";
  work.title = "Fan-out: one topic, closed loop";
  work.text =
      "So many subscribers of one topic, so many broadcasts under way always: one more is due "
      "when the oldest has reached everybody. Combinations with more than 256 MiB under way are "
      "left out.";
  work.labels = {{"subscribers", "subscribers", 0},
                 {"under_way", "under way", 0},
                 {"octets", "octets", 0}};
  work.is_held_to_reference = true;
  work.metrics = flow_metrics("message");
  // The short form: the cases that targets are about, and few more.
  const bool is_brief = setting.is_short && setting.sizes.empty() && setting.under_way.empty();
  const std::chrono::milliseconds window(setting.is_short ? 200 : 400);
  for (const std::size_t subscribers : kSubscribers) {
    if (!is_wanted(setting.subscribers, subscribers)) continue;
    Group group;
    group.name = std::to_string(subscribers) + " subscribers";
    std::vector<FanOutCase> cases;
    for (const std::size_t size : kSizes) {
      if (is_brief && size != 64) continue;
      for (const std::size_t under_way : kUnderWay) {
        if (!is_wanted(setting.under_way, under_way) || !is_wanted(setting.sizes, size)) continue;
        if (subscribers * under_way * size > kMostInFlight) continue;
        if (is_brief && under_way != 16 && subscribers == kLargeGroup) continue;
        if (is_brief && under_way == 16 && subscribers < 1000) continue;
        // Targets are about these two, and their bounds are near.
        const bool is_long = subscribers == 1000 && size == 64 && under_way != 16;
        cases.push_back({under_way, size, is_long ? 2 : 1});
        group.cases.push_back({key_of(subscribers, under_way, size),
                               {cell(subscribers), cell(under_way), cell(size)},
                               ""});
      }
    }
    if (subscribers == kLargeGroup) group.max_rounds = setting.is_short ? 1 : 3;
    group.open = [=](MeasuredServer& server) {
      return std::make_unique<ClosedLoop>(server, subscribers, cases, window);
    };
    group.connections = subscribers + 1;
    work.connections = std::max(work.connections, group.connections);
    if (!group.cases.empty()) work.groups.push_back(std::move(group));
  }
  return work;
}

Work fan_out_at_rate(const Setting& setting) {
  constexpr std::size_t kSubscribers = 1000;
  constexpr std::size_t kSize = 64;
  constexpr std::size_t kRates[] = {20, 50};  // broadcasts per second

  Work work;
  work.name = "fan-out-rate";
  work.title = "Fan-out at a fixed rate: open loop";
  work.text =
      "1,000 subscribers of one topic, 64 octets; broadcasts are due at fixed times, whatever the "
      "server does, and latency counts from then. Where it is long, the server does not keep up.";
  work.labels = {{"broadcasts_per_s", "broadcasts/s", 0}};
  work.is_held_to_reference = true;
  work.metrics = flow_metrics("message");
  work.connections = kSubscribers + 1;
  const std::chrono::milliseconds window(setting.is_short ? 500 : 1500);
  for (const std::size_t rate : kRates) {
    if (setting.is_short && rate != kRates[1]) continue;
    Group group;
    group.name = std::to_string(rate) + " broadcasts/s";
    group.cases.push_back({std::to_string(rate), {cell(rate)}, ""});
    group.open = [=](MeasuredServer& server) {
      return std::make_unique<OpenLoop>(server, kSubscribers, kSize,
                                        Clock::duration(std::chrono::seconds(1)) / rate, window);
    };
    work.groups.push_back(std::move(group));
  }
  return work;
}

}  // namespace jackfield::bench
