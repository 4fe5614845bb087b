// The system plugin: how this machine fares, over `system:<metric>`. A subscriber gets a `snapshot`
// at once and an `update` each interval. Nothing is read while nobody listens: a metric's timer
// runs only while the metric has subscribers. The payloads are described in this folder's
// README.md.
#include <jackfield.hpp>

#include <algorithm>
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

constexpr std::uint32_t kStateVersion = 1;

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
  jf::Timer timer;            // runs while there are subscriptions
  std::uint64_t next_us = 0;  // when it will read again, while it runs
};

// What of each metric goes over to the next generation: what was sent last, when the next update is
// due, and the reading that it will be compared with.
jf::Want state_shape() {
  namespace want = jf::want;
  return want::object({{"next", want::at_least(0)},
                       {"failing", want::boolean()},
                       {"latest", want::object().or_null()},
                       {"before", want::object().optional()}});
}

class System : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    settings_ = read_settings(start.config);
    for (const std::string& name : metric_names()) {
      watched_[name].topic = "system:" + name;
      watched_[name].metric = make_metric(name, settings_.roots);
    }
    restore(start);
    channel("system:<metric>")
        .on_match([this](const jf::Request& request) {
          return watched_.find(request.param("metric")) != watched_.end();
        })
        .on_join([this](jf::Join& join) {
          Watched& watched = of(join);
          if (!watched.timer) forget(watched);
          if (watched.latest.empty()) read(watched);
          join.push("snapshot", watched.latest);
          if (!watched.timer) run(watched, settings_.interval_ms);
          watched.subscriptions.insert(join.subscription());
        })
        .on_leave([this](const jf::Leave& leave) {
          Watched& watched = of(leave);
          watched.subscriptions.erase(leave.subscription());
          if (!watched.subscriptions.empty()) return;
          watched.timer.cancel();
          forget(watched);
        })
        .on_adopt([this](jf::Adopt& adopt) {
          Watched& watched = of(adopt);
          watched.subscriptions.insert(adopt.subscription());
          if (watched.timer) return;
          const std::uint64_t now_us = now();
          const std::uint64_t due_us = std::max(watched.next_us, now_us) - now_us;
          run(watched, std::min(due_us / 1000, settings_.interval_ms));
        });
  }

  void configure(const jf::Json& config) override {
    const Settings before = std::exchange(settings_, read_settings(config));
    for (auto& [name, watched] : watched_) {
      if (!(settings_.roots == before.roots)) {
        watched.metric = make_metric(name, settings_.roots);
        watched.latest.clear();
      }
      if (settings_.interval_ms != before.interval_ms && watched.timer) {
        run(watched, settings_.interval_ms);
      }
    }
  }

  std::uint32_t save(std::string& state) override {
    jf::JsonWriter writer;
    writer.object().key("metrics").object();
    for (const auto& [name, watched] : watched_) {
      if (!watched.timer) continue;
      writer.key(name)
          .object()
          .field("next", watched.next_us)
          .field("failing", watched.failing)
          .raw_field("latest", watched.latest);  // null where it is empty
      const std::string before = watched.metric->before();
      if (!before.empty()) writer.raw_field("before", before);
      writer.end();
    }
    state = writer.end().end().take();
    return kStateVersion;
  }

 private:
  Watched& of(const jf::Request& request) { return watched_.find(request.param("metric"))->second; }

  // Metrics that this version does not have are left out: nobody can listen to them.
  void restore(const jf::Start& start) {
    const jf::Want shape = jf::want::object({{"metrics", jf::want::object()}});
    for (const jf::Member& member :
         start.json_state_of(kStateVersion, shape)["metrics"].members()) {
      const auto found = watched_.find(member.key());
      if (found == watched_.end()) continue;
      Watched& watched = found->second;
      const std::string mistake = state_shape().check(member.value, "state." + member.key());
      if (!mistake.empty()) start.refuse(mistake);
      const jf::Json latest = member.value["latest"];
      watched.latest = latest.is_null() ? std::string() : std::string(latest.raw());
      watched.failing = member.value["failing"].boolean().value_or(false);
      watched.next_us = static_cast<std::uint64_t>(member.value["next"].integer().value_or(0));
      if (!watched.metric->restore(member.value["before"], now())) {
        start.refuse("state." + member.key() + ".before: is no reading");
      }
    }
  }

  // Its first update comes after `delay_ms`.
  void run(Watched& watched, std::uint64_t delay_ms) {
    watched.next_us = now() + delay_ms * 1000;
    watched.timer = timer(delay_ms, settings_.interval_ms, [this, &watched] { update(watched); });
  }

  static void forget(Watched& watched) {
    watched.latest.clear();
    watched.failing = false;
    watched.metric->forget();
  }

  void read(Watched& watched) {
    watched.latest.clear();
    watched.latest = watched.metric->read(now());
  }

  void update(Watched& watched) {
    watched.next_us = now() + settings_.interval_ms * 1000;
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
