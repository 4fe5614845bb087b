// Messages that only their sender gets back, in a closed loop and at a fixed rate.
#include <algorithm>

#include "tests/bench/load/echoes.hpp"
#include "tests/bench/suite/works.hpp"

namespace jackfield::bench {
namespace {

constexpr std::size_t kSize = 64;

// Connections that have a topic each.
class EchoStage : public Stage {
 public:
  EchoStage(MeasuredServer& server, std::size_t connections, Clock::duration window)
      : load_(server.kind().dialect(), server.port()),
        echoes_(prepared(load_, connections), topic_names(connections), meter_of(server)),
        window_(window) {}

  std::vector<double> measure(std::size_t) override {
    run({.window = window_ / 5, .is_warm_up = true});
    return flow_values(run({.window = window_}));
  }

 protected:
  virtual Flow run(const Extent& extent) { return echoes_.run(kSize, extent); }
  Echoes& echoes() { return echoes_; }

 private:
  static Load& prepared(Load& load, std::size_t connections) {
    load.open_subscribed(connections, [](std::size_t index) { return topic_names(1, index); });
    return load;
  }

  Load load_;
  Echoes echoes_;
  const Clock::duration window_;
};

class EchoAtRate final : public EchoStage {
 public:
  EchoAtRate(MeasuredServer& server, std::size_t connections, Clock::duration window,
             Clock::duration interval)
      : EchoStage(server, connections, window), interval_(interval) {}

 protected:
  Flow run(const Extent& extent) override {
    return echoes().run_at_rate(kSize, interval_, extent);
  }

 private:
  const Clock::duration interval_;
};

}  // namespace

Work echo(const Setting& setting) {
  Work work;
  work.name = "echo";
  work.title = "Echo: closed loop";
  work.text =
      "Each connection has one message of 64 octets under way, on a topic of its own, and sends "
      "the next when it has the last back.";
  work.labels = {{"connections", "connections", 0}};
  work.is_held_to_reference = true;
  work.metrics = flow_metrics("echo");
  const std::chrono::milliseconds window(setting.is_short ? 200 : 400);
  for (const std::size_t connections : {std::size_t{1}, std::size_t{64}, std::size_t{1000}}) {
    Group group;
    group.name = std::to_string(connections) + " connections";
    group.cases = {{std::to_string(connections), {static_cast<std::int64_t>(connections)}, ""}};
    group.open = [=](MeasuredServer& server) {
      return std::make_unique<EchoStage>(server, connections, window);
    };
    group.connections = connections;
    work.connections = std::max(work.connections, connections);
    work.groups.push_back(std::move(group));
  }
  return work;
}

Work echo_at_rate(const Setting& setting) {
  constexpr std::size_t kConnections = 64;

  Work work;
  work.name = "echo-rate";
  work.title = "Echo at a fixed rate: open loop";
  work.text =
      "64 connections, 64 octets; messages are due at fixed times, whatever the server does, on "
      "each connection in turn, and latency counts from then.";
  work.labels = {{"rate", "due/s", 0}};
  work.is_held_to_reference = true;
  work.metrics = flow_metrics("echo");
  work.connections = kConnections;
  const std::chrono::milliseconds window(setting.is_short ? 300 : 1000);
  for (const int rate : {2000, 10000}) {
    if (setting.is_short && rate != 10000) continue;
    Group group;
    group.name = std::to_string(rate) + " a second";
    group.cases = {{std::to_string(rate), {std::int64_t{rate}}, ""}};
    group.open = [=](MeasuredServer& server) {
      return std::make_unique<EchoAtRate>(server, kConnections, window,
                                          Clock::duration(std::chrono::seconds(1)) / rate);
    };
    work.groups.push_back(std::move(group));
  }
  return work;
}

}  // namespace jackfield::bench
