// Clients that never read among subscribers that do: what the others, and the server's memory, notice
// of them.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/bench/load/body.hpp"
#include "tests/bench/load/broadcasts.hpp"
#include "tests/bench/suite/works.hpp"

namespace jackfield::bench {
namespace {

constexpr std::size_t kReaders = 1000;
constexpr std::size_t kStuck = 50;
constexpr std::size_t kSize = 64;  // octets of what is measured
// What fills the kernel's buffers of those who do not read, some 4 MiB, and their outboxes: more
// than may wait for any of them.
constexpr std::size_t kFillerSize = 16 << 10;
constexpr std::size_t kFillers = 1536;
constexpr const char* kPolicies[] = {"close", "drop_oldest", "drop_new", "latest"};

class SlowStage final : public Stage {
 public:
  SlowStage(MeasuredServer& server, std::size_t stuck, Clock::duration window)
      : server_(server),
        stuck_count_(stuck),
        window_(window),
        load_(server.kind().dialect(), server.port()),
        stuck_(server.kind().dialect(), server.port()) {
    load_.open_subscribed(kReaders, [](std::size_t) { return topic_names(1); });
    load_.open_publisher(topic_names(2));
  }

  std::vector<double> measure(std::size_t) override {
    Broadcasts broadcasts(
        load_, {.publisher = kReaders, .topics = {topic_name(0)}, .reach = kReaders},
        meter_of(server_));
    const auto run = [&](Clock::duration window, bool is_warm_up) {
      return broadcasts.run_at_rate(kSize, std::chrono::milliseconds(20),
                                    {.window = window, .is_warm_up = is_warm_up});
    };
    run(window_ / 5, true);
    const double before = rss();
    if (stuck_count_ > 0) {
      stuck_.open_subscribed(stuck_count_, [](std::size_t) { return topic_names(2); });
    }
    fill();
    run(window_ / 5, true);  // behind all of it
    const Flow flow = run(window_, false);
    const double after = rss();
    return {flow.latency.quantile_us(0.5),
            flow.latency.quantile_us(0.99),
            flow.latency.max_us(),
            flow.cpu_us_each(),
            before / 1024,
            (after - before) / 1024};
  }

 private:
  double rss() const {
    server_.cpu_ns();  // when it has nothing to do
    return static_cast<double>(server_.footprint().rss_octets);
  }

  // To those who do not read alone.
  void fill() {
    const std::string body = make_body(kFillerSize);
    for (std::size_t i = 0; i < kFillers; ++i) {
      load_[kReaders].publish(topic_name(1), body);
      load_.turn(Clock::duration::zero());
    }
  }

  MeasuredServer& server_;
  const std::size_t stuck_count_;
  const Clock::duration window_;
  Load load_;
  Load stuck_;  // which takes no turn once it is subscribed
};

}  // namespace

Work slow_clients(const Setting& setting) {
  Work work;
  work.name = "slow";
  work.title = "Clients that never read";
  work.text =
      "50 broadcasts a second of 64 octets to 1,000 subscribers that read, alone and among 50 that "
      "never do, under each policy for them. Those have had 24 MiB to read before, each, of which "
      "the kernel takes some. Jackfield's usual bounds; latencies of those who read, from when a "
      "broadcast was due; what the server's RSS has grown by since before.";
  work.labels = {{"stuck", "that never read", 0}, {"policy", "policy", 0}};
  work.metrics = {{"p50_us", "p50 us", 0},       {"p99_us", "p99 us", 0},
                  {"max_us", "", 0},             {"cpu_us", "CPU us/message", 3},
                  {"rss_kib", "RSS KiB before", 0}, {"growth_kib", "KiB more", 0}};
  work.connections = kReaders + kStuck + 1;
  work.subscriptions = 2;
  work.is_compared = false;
  const std::chrono::milliseconds window(setting.is_short ? 1000 : 5000);
  const auto add = [&](const std::string& key, std::size_t stuck, const std::string& policy) {
    Group group;
    group.name = key;
    group.policy = policy;
    group.needs_fresh_server = true;
    group.topics = 2;
    group.cases = {{key, {static_cast<std::int64_t>(stuck), policy}}};
    group.open = [=](MeasuredServer& server) {
      return std::make_unique<SlowStage>(server, stuck, window);
    };
    work.groups.push_back(std::move(group));
  };
  add("none", 0, kPolicies[0]);
  for (const char* policy : kPolicies) add(policy, kStuck, policy);
  return work;
}

}  // namespace jackfield::bench
