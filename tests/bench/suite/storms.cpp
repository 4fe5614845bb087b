// Many connections, and many subscriptions, that come and go at once.
#include <algorithm>

#include "tests/bench/load/load.hpp"
#include "tests/bench/suite/works.hpp"

namespace jackfield::bench {
namespace {

// CPU time in microseconds since the last look, shared by so many.
class Stopwatch {
 public:
  explicit Stopwatch(const MeasuredServer& server) : server_(server), last_(server.cpu_ns()) {}

  double each_us(std::size_t count) {
    const std::uint64_t now = server_.cpu_ns();
    const double spent = static_cast<double>(now - last_) / 1e3 / static_cast<double>(count);
    last_ = now;
    return spent;
  }

 private:
  const MeasuredServer& server_;
  std::uint64_t last_;
};

class ConnectStage final : public Stage {
 public:
  ConnectStage(MeasuredServer& server, std::size_t connections)
      : server_(server), connections_(connections) {}

  std::vector<double> measure(std::size_t) override {
    Load load(server_.kind().dialect(), server_.port());
    Stopwatch stopwatch(server_);
    const auto begin = Clock::now();
    load.open(connections_, [](std::size_t) { return topic_names(1); });
    const auto time = Clock::now() - begin;
    const double opening = stopwatch.each_us(connections_);
    load.close_all();
    const double closing = stopwatch.each_us(connections_);
    const double count = static_cast<double>(connections_);
    return {opening, count / std::chrono::duration<double>(time).count(), closing};
  }

 private:
  MeasuredServer& server_;
  const std::size_t connections_;
};

// So many connections, with so many subscriptions each.
class SubscribeStage final : public Stage {
 public:
  SubscribeStage(MeasuredServer& server, std::size_t connections, std::size_t topics)
      : server_(server), connections_(connections), names_(topic_names(topics)) {
    if (!server.kind().dialect().confirms()) {
      throw Failure("a connection subscribes when it is opened, and cannot unsubscribe");
    }
  }

  std::vector<double> measure(std::size_t) override {
    constexpr std::size_t kEnough = 2000;  // operations, for a clock with steps
    const std::size_t count = connections_ * names_.size();
    const std::size_t repetitions = std::max<std::size_t>(1, kEnough / count);
    std::vector<double> sums(3);
    for (std::size_t i = 0; i < repetitions; ++i) {
      const std::vector<double> values = measure_once(count);
      for (std::size_t metric = 0; metric < sums.size(); ++metric) sums[metric] += values[metric];
    }
    for (double& sum : sums) sum /= static_cast<double>(repetitions);
    return sums;
  }

 private:
  std::vector<double> measure_once(std::size_t count) {
    const auto topics = [this](std::size_t) { return names_; };
    Load load(server_.kind().dialect(), server_.port());
    load.open(connections_, topics);
    Stopwatch stopwatch(server_);
    load.subscribe(0, connections_, topics);
    const double subscribing = stopwatch.each_us(count);
    load.unsubscribe(0, connections_, topics);
    const double unsubscribing = stopwatch.each_us(count);
    load.subscribe(0, connections_, topics);
    stopwatch.each_us(count);
    load.close_all();
    return {subscribing, unsubscribing, stopwatch.each_us(count)};
  }

  MeasuredServer& server_;
  const std::size_t connections_;
  const std::vector<std::string> names_;
};

Cell cell(std::size_t number) { return static_cast<std::int64_t>(number); }

}  // namespace

Work connect_storm(const Setting& setting) {
  Work work;
  work.name = "connect";
  work.title = "Connect storm";
  work.text =
      "Connections opened as fast as the server takes them, at most 128 handshakes under way, and "
      "then closed all at once.";
  work.labels = {{"connections", "connections", 0}};
  work.metrics = {{"connect_us", "CPU us/connect", 2},
                  {"per_s", "connects/s", 0},
                  {"close_us", "CPU us/close", 2}};
  const std::size_t connections = setting.is_short ? 2000 : 5000;
  Group group;
  group.name = std::to_string(connections) + " connections";
  group.cases = {{std::to_string(connections), {cell(connections)}, ""}};
  group.open = [=](MeasuredServer& server) {
    return std::make_unique<ConnectStage>(server, connections);
  };
  work.groups.push_back(std::move(group));
  work.connections = connections;
  return work;
}

Work subscribe_storm(const Setting& setting) {
  constexpr std::size_t kCounts[] = {100, 1000, 10000};
  constexpr std::size_t kSmallest = kCounts[0];
  constexpr std::size_t kLargeGroup = 10000;

  Work work;
  work.name = "subscribe";
  work.title = "Subscribe storm";
  work.text =
      "One connection subscribes to so many topics, or so many connections to one topic; all "
      "unsubscribe; all subscribe again and close at once. CPU time by the number of "
      "subscriptions; growth is it by that of the smallest number: constant time stays near 1. "
      "The close of a connection is part of its subscriptions'.";
  work.labels = {{"connections", "connections", 0}, {"topics", "topics", 0}};
  work.metrics = {{"subscribe_us", "CPU us/subscribe", 2},
                  {"unsubscribe_us", "us/unsubscribe", 2},
                  {"close_us", "us/close", 2}};
  work.grown = 3;
  for (const bool is_one_connection : {true, false}) {
    for (const std::size_t count : kCounts) {
      const std::size_t connections = is_one_connection ? 1 : count;
      const std::size_t topics = is_one_connection ? count : 1;
      const std::string kind = is_one_connection ? "one-connection/" : "one-topic/";
      Group group;
      group.name = kind + std::to_string(count);
      group.cases = {{group.name,
                      {cell(connections), cell(topics)},
                      count == kSmallest ? "" : kind + std::to_string(kSmallest)}};
      group.topics = topics;
      if (count == kLargeGroup) group.max_rounds = 3;
      if (setting.is_short) group.max_rounds = 1;
      group.open = [=](MeasuredServer& server) {
        return std::make_unique<SubscribeStage>(server, connections, topics);
      };
      work.groups.push_back(std::move(group));
    }
  }
  work.connections = kLargeGroup;
  work.subscriptions = kLargeGroup;
  return work;
}

}  // namespace jackfield::bench
