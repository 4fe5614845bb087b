// What the number of topics adds to the cost of a delivery.
#include "tests/bench/load/broadcasts.hpp"
#include "tests/bench/suite/works.hpp"

namespace jackfield::bench {
namespace {

constexpr std::size_t kReach = 3;  // subscribers of each topic
constexpr std::size_t kUnderWay = 16;
constexpr std::size_t kSize = 64;
constexpr std::size_t kTopics = 10000;
constexpr std::size_t kEach = 20;  // topics that a connection has where there are many of both

// Connections that share topics: topic T has connections 3 * (T % sets) to 3 * (T % sets) + 2. So
// each message meets the same connections in the same order, however many topics there are.
class Subscribers {
 public:
  Subscribers(MeasuredServer& server, std::size_t sets, std::size_t topics)
      : load_(server.kind().dialect(), server.port()),
        broadcasts_(prepared(load_, sets, topics),
                    {.publisher = sets * kReach,
                     .topics = topic_names(topics),
                     .reach = kReach,
                     .stride = sets,
                     .is_ordered = topics == 1},
                    meter_of(server)) {}

  Flow run(Clock::duration window, bool is_warm_up) {
    return broadcasts_.run(
        kSize, kUnderWay,
        {.window = window, .at_least = 2 * kUnderWay, .is_warm_up = is_warm_up});
  }

 private:
  static Load& prepared(Load& load, std::size_t sets, std::size_t topics) {
    load.open_subscribed(sets * kReach, [=](std::size_t index) {
      std::vector<std::string> names;
      for (std::size_t topic = index / kReach; topic < topics; topic += sets) {
        names.push_back(topic_name(topic));
      }
      return names;
    });
    load.open_publisher(topic_names(topics));
    return load;
  }

  Load load_;
  Broadcasts broadcasts_;
};

// As many connections with few topics, then with many, and with few again.
class TopicsStage final : public Stage {
 public:
  TopicsStage(MeasuredServer& server, std::size_t sets, std::size_t few, std::size_t many,
              Clock::duration window)
      : server_(server), sets_(sets), topics_{few, many, few}, window_(window) {}

  std::vector<double> measure(std::size_t number) override {
    Subscribers subscribers(server_, sets_, topics_[number]);
    subscribers.run(window_ / 5, true);
    return flow_values(subscribers.run(window_, false));
  }

 private:
  MeasuredServer& server_;
  const std::size_t sets_;
  const std::size_t topics_[3];
  const Clock::duration window_;
};

}  // namespace

Work many_topics(const Setting& setting) {
  Work work;
  work.name = "topics";
  work.title = "Many topics: three subscribers each, round robin";
  work.text =
      "16 broadcasts of 64 octets under way, each to the next topic and so to three connections; "
      "once with few topics and once with 10,000, on as many connections; and once with few, on a "
      "server that has four plugins instead of one. Growth is the cost per message with many by "
      "that with few.";
  work.labels = {{"connections", "connections", 0},
                 {"topics", "topics", 0},
                 {"plugins", "Jackfield's plugins", 0}};
  work.is_held_to_reference = true;
  work.metrics = flow_metrics("message");
  work.grown = 1;
  const std::chrono::milliseconds window(setting.is_short ? 200 : 400);
  const std::size_t many_sets = kTopics / kEach;
  for (const std::size_t sets : {std::size_t{1}, many_sets}) {
    const std::string connections = std::to_string(sets * kReach);
    const std::string few = connections + "/" + std::to_string(sets);
    const std::string many = connections + "/" + std::to_string(kTopics);
    const auto cell = [](std::size_t number) { return Cell(static_cast<std::int64_t>(number)); };
    Group group;
    group.name = connections + " connections";
    group.cases = {{few, {cell(sets * kReach), cell(sets), "one"}},
                   {many, {cell(sets * kReach), cell(kTopics), "one"}, few}};
    if (sets == 1) {
      group.cases.push_back({few + "/all", {cell(sets * kReach), cell(sets), "four"}, few, true});
    }
    group.topics = kTopics;  // of the publisher, or of all
    group.open = [=](MeasuredServer& server) {
      return std::make_unique<TopicsStage>(server, sets, sets, kTopics, window);
    };
    work.groups.push_back(std::move(group));
  }
  work.connections = many_sets * kReach + 1;
  work.subscriptions = kTopics;
  return work;
}

}  // namespace jackfield::bench
