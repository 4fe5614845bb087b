// The system plugin: how this machine fares, over `system:<metric>`. A subscriber gets a `snapshot`
// at once and an `update` each interval. Nothing is read while nobody listens: a metric's timer
// runs only while the metric has subscribers. The payloads are described in this folder's
// README.md.
#include <jackfield.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "plugins/system/metrics.hpp"

namespace system_metrics {
namespace {

struct Settings {
  std::uint64_t interval_ms = 1000;
  Roots roots;
};

Settings read_settings(const jf::Json& config) {
  jf::Plugin::require(config,
                      jf::want::object({{"interval_ms", jf::want::integer(50, 86400000).optional()},
                                        {"proc", jf::want::string().optional()},
                                        {"sys", jf::want::string().optional()}})
                          .closed());
  Settings settings;
  settings.interval_ms = static_cast<std::uint64_t>(config["interval_ms"].integer().value_or(1000));
  settings.roots.proc = config["proc"].string().value_or(settings.roots.proc);
  settings.roots.sys = config["sys"].string().value_or(settings.roots.sys);
  return settings;
}

// A metric, and who listens to it.
struct Watched {
  std::string topic;
  std::unique_ptr<Metric> metric;
  std::set<jf::Id> subscriptions;
  std::string latest;  // the payload that was sent last; empty where none holds
  bool failing = false;
  jf::Timer timer;  // runs while there are subscriptions
};

class System : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    settings_ = read_settings(start.config);
    for (const std::string& name : metric_names()) {
      watched_[name].topic = "system:" + name;
      watched_[name].metric = make_metric(name, settings_.roots);
    }
    channel("system:<metric>")
        .on_match([this](const jf::Request& request) {
          return watched_.find(request.param("metric")) != watched_.end();
        })
        .on_join([this](jf::Join& join) {
          Watched& watched = of(join);
          if (watched.latest.empty()) read(watched);
          join.push("snapshot", watched.latest);
          watch(watched, join.subscription());
        })
        .on_leave([this](const jf::Leave& leave) {
          Watched& watched = of(leave);
          watched.subscriptions.erase(leave.subscription());
          if (!watched.subscriptions.empty()) return;
          watched.timer.cancel();
          watched.latest.clear();
          watched.metric->forget();
        })
        .on_adopt(
            [this](const jf::Request& request) { watch(of(request), request.subscription()); });
  }

  void configure(const jf::Json& config) override {
    settings_ = read_settings(config);
    for (auto& [name, watched] : watched_) {
      watched.metric = make_metric(name, settings_.roots);
      watched.latest.clear();
      watched.timer.cancel();
      if (!watched.subscriptions.empty()) run(watched);
    }
  }

 private:
  Watched& of(const jf::Request& request) { return watched_.find(request.param("metric"))->second; }

  void watch(Watched& watched, jf::Id subscription) {
    if (!watched.timer) run(watched);
    watched.subscriptions.insert(subscription);
  }

  void run(Watched& watched) {
    watched.timer = every(settings_.interval_ms, [this, &watched] { update(watched); });
  }

  void read(Watched& watched) {
    watched.latest.clear();
    watched.latest = watched.metric->read(now());
  }

  void update(Watched& watched) {
    try {
      read(watched);
    } catch (const ReadingError& error) {
      // Said once, not each interval.
      if (!watched.failing) {
        log_warning("a metric cannot be read", {{"topic", watched.topic}, {"error", error.what()}});
      }
      watched.failing = true;
      return;
    }
    watched.failing = false;
    broadcast(watched.topic, "update", watched.latest);
  }

  Settings settings_;
  std::map<std::string, Watched, std::less<>> watched_;
};

}  // namespace
}  // namespace system_metrics

JACKFIELD_PLUGIN(system_metrics::System, "system", "1.0.0",
                 "How this machine fares: cpu, memory, load, network, temperature, uptime", "MIT")
