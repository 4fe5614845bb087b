// Where there is no memory: at whichever allocation that is, the hub goes on, and whoever was not
// told what it is owed is closed.
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "core/hub/hub.hpp"
#include "tests/unit/hub_group.hpp"

#include <CppUTest/PlatformSpecificFunctions.h>
#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using namespace jackfield::test;
namespace base = jackfield::base;

namespace {

// The n-th allocation from now on fails, and `more` after it. CppUTest's operator new takes its
// memory there.
long left_until_failure = -1;
long failures_left = 0;
void* (*real_malloc)(std::size_t) = nullptr;

void* failing_malloc(std::size_t size) {
  if (left_until_failure > 0 && --left_until_failure == 0 && failures_left > 0) {
    --failures_left;
    if (failures_left > 0) left_until_failure = 1;
    return nullptr;
  }
  return real_malloc(size);
}

void arm(long allocation, long count) {
  left_until_failure = allocation;
  failures_left = count;
}
// Whether it has failed.
bool disarm(long count) {
  left_until_failure = -1;
  return std::exchange(failures_left, 0) < count;
}

// What a test does itself is not to fail.
class Disarmed {
 public:
  Disarmed() : left_(std::exchange(left_until_failure, -1)) {}
  ~Disarmed() { left_until_failure = left_; }
  Disarmed(const Disarmed&) = delete;
  Disarmed& operator=(const Disarmed&) = delete;

 private:
  const long left_;
};

class QuietLink : public Link {
 public:
  const ConnectionFacts& facts() const override { return facts_; }
  bool is_congested() const override { return is_stuck; }
  bool write(std::string_view frames) override {
    octets += frames.size();
    return !is_stuck;
  }
  void pause_reading() override {}
  void resume_reading() override {}
  void begin_close() override {}
  void finish_close(std::string_view) override { is_closed = true; }

  std::size_t octets = 0;
  bool is_stuck = false;
  bool is_closed = false;

 private:
  ConnectionFacts facts_{{.peer = "p", .identity = {}, .path = "/", .query = {}, .headers = {}}};
};

// Joins pend on topics that begin with "t:p". Counts joins that succeeded, and leaves.
class CountingChannel : public Channel {
 public:
  explicit CountingChannel(Hub& hub) : hub_(hub) {}

  const Pattern& pattern() const override { return pattern_; }
  bool match(const Request&) override { return true; }
  Answer join(const Request& request) override {
    hub_.push(request.call, "snapshot", "1");
    if (request.topic.starts_with("t:p")) {
      const Disarmed disarmed;
      pending.push_back(request.call);
      return Answer::pending();
    }
    const Disarmed disarmed;
    joined.push_back(request.subscription);
    return Answer::ok();
  }
  Answer event(const Request& request) override {
    if (request.event == "pend") {
      const Disarmed disarmed;
      pending.push_back(request.call);
      return Answer::pending();
    }
    hub_.push(request.call, "answer", request.payload);
    hub_.broadcast(request.topic, "all", request.payload);
    return Answer::ok();
  }
  void leave(const Request& request, LeaveReason) override {
    const Disarmed disarmed;
    ++leaves[request.subscription];
  }
  bool adopt(const Request&) override { return true; }
  std::string_view owner() const override { return "counting"; }

  std::vector<base::Id> pending;
  std::vector<base::Id> joined;
  std::map<base::Id, int> leaves;

 private:
  Hub& hub_;
  const Pattern pattern_ = Pattern::parse("t:<id>").value();
};

}  // namespace

TEST_GROUP(HubMemory) {
  void setup() override {
    real_malloc = PlatformSpecificMalloc;
    PlatformSpecificMalloc = failing_malloc;
  }
  void teardown() override {
    left_until_failure = -1;
    PlatformSpecificMalloc = real_malloc;
  }

  base::Log log{base::LogLevel::kError, [](std::string_view) {}};
  base::IdSource ids;
  Limits limits{.max_messages_per_s = 0,
                .max_bytes_per_s = 0,
                .max_subscribes_per_s = 0,
                .soft_outbox_bytes = 300,
                .max_outbox_bytes = 5000};

  struct Peer {
    QuietLink link;
    Connection* connection = nullptr;  // null: lost
  };

  // As core/net does: who brought a message for which there is no memory is cut.
  static void try_it(Hub & hub, Peer & peer, const auto& what) {
    if (peer.connection == nullptr) return;
    try {
      what(*peer.connection);
    } catch (const std::bad_alloc&) {
      hub.lost(*std::exchange(peer.connection, nullptr));
    }
  }
  static void try_it(const auto& what) {
    try {
      what();
    } catch (const std::bad_alloc&) {
    }
  }

  // Everything once, with the allocation failing; whether any did.
  bool go_through(long allocation, long count) {
    Hub hub(limits, ids, log);
    CountingChannel channel(hub);
    hub.set_channels({&channel});
    hub.set_backlog({{{"t:l", "t:pending"}, SlowPolicy::kLatest},
                     {{"t:o"}, SlowPolicy::kDropOldest}});
    std::vector<std::unique_ptr<Peer>> peers;
    for (int i = 0; i < 4; ++i) peers.push_back(std::make_unique<Peer>());
    peers[3]->link.is_stuck = true;
    channel.pending.reserve(100);
    channel.joined.reserve(100);
    const auto say = [&](Peer& peer, std::string_view text) {
      try_it(hub, peer, [&](Connection& c) { hub.receive(c, text, true, 0); });
    };
    const std::string long_text = R"(["t:a","x",")" + std::string(100, 'x') + "\"]";
    const std::string payload = "\"" + std::string(60, 'x') + "\"";

    arm(allocation, count);
    for (const auto& peer : peers) {
      try_it([&] { peer->connection = &hub.open(peer->link); });
      say(*peer, R"(["t:a","subscribe",{"id":"a rather long identification of it"}])");
      say(*peer, R"(["t:l","subscribe",{}])");
      say(*peer, R"(["t:o","subscribe",{}])");
      say(*peer, R"(["t:pending","subscribe",{"some":"payload that is kept"}])");
      say(*peer, R"(["t:pending","subscribe",{"some":"payload that is kept again"}])");
      say(*peer, R"(["t:q","pend",1])");
      try_it([&] { hub.end_turn(); });
    }
    say(*peers[0], long_text);
    for (int i = 0; i < 12; ++i) {
      for (const char* topic : {"t:l", "t:o", "t:pending"}) {
        try_it([&] { hub.broadcast(topic, i % 2 == 0 ? "even" : "odd", payload); });
      }
      try_it([&] { hub.end_turn(); });
    }
    say(*peers[1], R"(["t:o","unsubscribe",{}])");
    say(*peers[1], R"(["t:a","subscribe",{}])");
    say(*peers[2], "no json");
    say(*peers[2], R"(["nowhere","x",1])");
    for (std::size_t i = 0; i < channel.pending.size(); ++i) {
      const base::Id call = channel.pending[i];
      try_it([&] {
        const bool is_refused = i % 3 == 2;
        Answer answer = is_refused ? Answer::refused("NO", "not so") : Answer::ok();
        hub.reply(call, std::move(answer));
      });
      try_it([&] { hub.end_turn(); });
    }
    try_it([&] { hub.kick(peers[2]->connection == nullptr ? 1 : peers[2]->connection->id, "A", "b"); });
    for (std::size_t i = 0; i < channel.joined.size(); i += 5) {
      try_it([&] { hub.kick(channel.joined[i], "KICKED", "with a message of some length"); });
    }
    try_it([&] { hub.end_turn(); });
    peers[3]->link.is_stuck = false;
    try_it(hub, *peers[3], [&](Connection& c) { hub.writable(c); });
    try_it([&] { hub.end_turn(); });
    const bool has_failed = disarm(count);

    // It serves on.
    Peer fresh;
    fresh.connection = &hub.open(fresh.link);
    hub.receive(*fresh.connection, R"(["t:fresh","subscribe",{}])", true, 0);
    LONGS_EQUAL(1, hub.broadcast("t:fresh", "e", "1"));
    LONGS_EQUAL(1, hub.subscriber_count("t:fresh"));
    hub.end_turn();
    const std::size_t got = fresh.link.octets;
    CHECK(got > 60);
    LONGS_EQUAL(0, hub.broadcast("t:none", "e", "1"));

    // What joins have given up does not count as waiting for them.
    for (const base::Id call : channel.pending) hub.reply(call, Answer::ok());
    hub.end_turn();
    for (const auto& peer : peers) {
      if (peer->connection != nullptr) LONGS_EQUAL(0, peer->connection->deferred_bytes);
    }

    // All that ends leaves once what it joined, and leaves nothing behind.
    for (const auto& peer : peers) {
      if (peer->connection != nullptr) hub.lost(*peer->connection);
    }
    hub.lost(*fresh.connection);
    for (const base::Id call : channel.pending) hub.reply(call, Answer::refused("LATE", "late"));
    hub.end_turn();
    LONGS_EQUAL(0, hub.connection_count());
    LONGS_EQUAL(0, hub.subscription_count({&channel}));
    LONGS_EQUAL(0, hub.outboxes_bytes());
    LONGS_EQUAL(0, hub.asked_bytes());
    LONGS_EQUAL(0, hub.subscriber_count("t:a"));
    for (const auto& [subscription, leaves] : channel.leaves) LONGS_EQUAL(1, leaves);
    return has_failed;
  }
};

TEST(HubMemory, one_allocation_that_fails_harms_nobody_else) {
  long allocation = 1;
  while (go_through(allocation, 1)) ++allocation;
  CHECK(allocation > 150);
}

TEST(HubMemory, many_that_fail_one_after_the_other_neither) {
  for (const long count : {2L, 5L, 40L, 100'000L}) {
    long allocation = 1;
    while (go_through(allocation, count)) allocation += count > 5 ? 7 : 3;
    CHECK(allocation > 30);
  }
}

TEST(HubMemory, who_cannot_be_given_a_message_is_closed_and_the_others_get_it) {
  Hub hub(limits, ids, log);
  CountingChannel channel(hub);
  hub.set_channels({&channel});
  QuietLink first;
  QuietLink second;
  for (QuietLink* link : {&first, &second}) {
    hub.receive(hub.open(*link), R"(["t:a","subscribe",{}])", true, 0);
    hub.end_turn();
    link->octets = 0;
  }
  hub.broadcast("t:a", "e", "1");
  arm(2, 1);  // the first is that of the frame, the second that of the first one's list
  hub.broadcast("t:a", "e", "2");
  CHECK(disarm(1));
  hub.end_turn();
  CHECK(first.is_closed);
  CHECK_FALSE(second.is_closed);
  LONGS_EQUAL(0, first.octets);
  LONGS_EQUAL(2 * 15, second.octets);
  LONGS_EQUAL(1, hub.counts().connections_out_of_memory);
}
