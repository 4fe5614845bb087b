// Clients that keep a server busy and watch what reaches them: subscribers of many topics, one of
// which speaks to all others at times, and a probe, which sends an event every so often whether or
// not the one before was answered ("open loop"), so that a pause of the server is seen by all that
// should have been answered in it. All of them on one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/reload/ws_connection.hpp"

namespace jackfield::bench {

// A plugin that can be spoken to: who subscribes and then sends `probe` with {"text":TEXT} gets
// `probe_answer` with a payload that holds it, and `say` likewise reaches all who subscribed, as
// `said`.
struct Subject {
  std::string plugin;  // its file without ".so"
  std::string prefix;  // of its topics: "echo:"
  std::string probe;
  std::string probe_answer;
};

class Traffic {
 public:
  struct Shape {
    std::size_t subscribers = 20;  // connections
    std::size_t topics = 1;        // that each of them subscribes to, the same for all
    std::chrono::microseconds probe_interval{0};      // 0: no probe
    std::chrono::milliseconds broadcast_interval{0};  // 0: nobody speaks
    // Never sleeps, so that what is measured is not how fast the load wakes up.
    bool spins = false;
    std::vector<int> cores;  // to stay on
  };

  // One event of the probe. `received` is 0 where it was not answered.
  struct Sample {
    Clock::time_point due;  // when it should have been sent
    Clock::time_point sent;
    Clock::time_point received;
  };

  // What was said to all subscribers of the first topic. Each of the numbers is over all of them.
  struct Messages {
    std::int64_t expected = 0;
    std::int64_t lost = 0;
    std::int64_t misplaced = 0;  // twice, or out of order; the probe's answers too
    std::int64_t errors = 0;     // the server sent, to whomever
    std::string error;           // the first of them
  };

  // Connects all and subscribes. Throws Failure.
  Traffic(std::uint16_t port, Subject subject, const Shape& shape);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  void start();
  // Ends it, when all that is on its way has come, or does not come. Throws Failure where a client
  // failed since. Once, after start().
  void stop();
  // Throws Failure where a client has failed.
  void check() const;

  // After stop().
  const std::deque<Sample>& samples() const { return samples_; }
  const Messages& messages() const { return messages_; }
  std::size_t subscriptions() const;

 private:
  struct Client {
    WsConnection connection;
    bool is_probe = false;
    std::int64_t last = 0;  // number of what it was told last
  };

  void subscribe(Client& client, std::size_t topics) const;
  std::string topic(std::size_t number) const;
  void run();
  void turn(int poll, Clock::time_point now);
  void send_what_is_due(Clock::time_point now);
  void take(Client& client);
  void take_message(Client& client, std::string_view message, Clock::time_point now);
  bool is_all_here() const;

  const Subject subject_;
  const Shape shape_;
  std::vector<Client> clients_;  // the probe last
  std::string probe_head_;
  std::string probe_answer_;
  std::string say_head_;
  std::string said_;
  std::deque<Sample> samples_;  // growing never moves them, which would take its time
  std::size_t answered_ = 0;
  std::int64_t said_count_ = 0;
  Messages messages_;
  Clock::time_point next_probe_;
  Clock::time_point next_broadcast_;
  std::atomic<bool> is_ending_{false};
  std::atomic<bool> has_failed_{false};
  std::string failure_;  // read when has_failed_ is set
  std::thread thread_;
};

}  // namespace jackfield::bench
