// Limits that change while connections are open: for what comes next, and against nobody.
#include <string>
#include <string_view>
#include <vector>

#include "core/hub/hub.hpp"
#include "tests/unit/hub_group.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using namespace jackfield::test;
namespace base = jackfield::base;

TEST_GROUP_BASE(HubLimits, HubGroup) {
  // The code of the error that this message brings; empty where it brings none.
  std::string error_of(Connection& connection, std::string_view message) {
    link.take();
    say(connection, message);
    for (const std::string& answer : link.take()) {
      const std::size_t begin = answer.find("\"code\":\"");
      if (begin != std::string::npos) {
        return answer.substr(begin + 8, answer.find('"', begin + 8) - begin - 8);
      }
    }
    return {};
  }
};

TEST(HubLimits, fewer_connections_close_nobody_and_refuse_the_next) {
  FakeLink a;
  FakeLink b;
  FakeLink c;
  hub->open(a);
  hub->open(b);
  limits.max_connections = 1;
  hub->set_limits(limits);
  hub->end_turn();
  LONGS_EQUAL(2, hub->connection_count());
  hub->open(c);
  hub->end_turn();
  LONGS_EQUAL(0, a.close_code);
  LONGS_EQUAL(0, b.close_code);
  LONGS_EQUAL(1008, c.close_code);
  limits.max_connections = 3;
  hub->set_limits(limits);
  FakeLink d;
  hub->open(d);
  hub->end_turn();
  LONGS_EQUAL(0, d.close_code);
}

TEST(HubLimits, fewer_subscriptions_end_none_and_refuse_the_next) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  say(connection, R"(["t:2","subscribe",{}])");
  limits.max_subscriptions = 1;
  hub->set_limits(limits);
  STRCMP_EQUAL("LIMIT_EXCEEDED", error_of(connection, R"(["t:3","subscribe",{}])").c_str());
  STRCMP_EQUAL("", error_of(connection, R"(["t:2","subscribe",{}])").c_str());
  LONGS_EQUAL(1, hub->subscriber_count("t:1"));
  LONGS_EQUAL(1, hub->subscriber_count("t:2"));
}

TEST(HubLimits, shorter_names_count_from_the_next_message_on) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:123","subscribe",{}])");
  limits.max_topic_bytes = 4;
  hub->set_limits(limits);
  LONGS_EQUAL(1, hub->subscriber_count("t:123"));
  STRCMP_EQUAL("INVALID_PAYLOAD", error_of(connection, R"(["t:123","x",1])").c_str());
  STRCMP_EQUAL("", error_of(connection, R"(["t:12","x",1])").c_str());
  limits.max_event_bytes = 1;
  hub->set_limits(limits);
  STRCMP_EQUAL("INVALID_PAYLOAD", error_of(connection, R"(["t:12","xy",1])").c_str());
}

TEST(HubLimits, a_lower_outbox_bound_counts_from_the_next_frame_on) {
  subscriber(link);
  link.is_stuck = true;
  hub->broadcast("t:1", "news", "\"" + std::string(2000, 'x') + "\"");
  hub->end_turn();
  limits.max_outbox_bytes = 1000;
  hub->set_limits(limits);
  hub->end_turn();
  CHECK_FALSE(link.is_closing);
  LONGS_EQUAL(1, hub->connection_count());
  hub->broadcast("t:1", "news", "1");
  hub->end_turn();
  CHECK(link.is_closing);
  LONGS_EQUAL(0, hub->connection_count());
}

TEST(HubLimits, a_higher_outbox_bound_takes_more) {
  limits.max_outbox_bytes = 1000;
  hub->set_limits(limits);
  Connection& connection = subscriber(link);
  link.is_stuck = true;
  const std::string payload = "\"" + std::string(600, 'x') + "\"";
  hub->broadcast("t:1", "news", payload);
  limits.max_outbox_bytes = 2000;
  hub->set_limits(limits);
  hub->broadcast("t:1", "news", payload);
  hub->end_turn();
  CHECK_FALSE(link.is_closing);
  link.is_stuck = false;
  hub->writable(connection);
  LONGS_EQUAL(2, link.take().size());
}

TEST(HubLimits, the_payloads_of_joins_that_are_not_answered_are_bounded) {
  limits.max_outbox_bytes = 1024;
  hub->set_limits(limits);
  std::vector<base::Id> calls;
  channel.on_join = [&](const Request& request) {
    calls.push_back(request.call);
    return Answer::pending();
  };
  Connection& connection = hub->open(link);
  const auto subscribe = [](const char* topic, std::size_t size) {
    return std::string("[\"") + topic + R"(","subscribe",")" + std::string(size, 'x') + "\"]";
  };
  // One alone may be as large as a message may be; being told of it makes no slow consumer.
  STRCMP_EQUAL("", error_of(connection, subscribe("t:1", 5000)).c_str());
  STRCMP_EQUAL("LIMIT_EXCEEDED", error_of(connection, subscribe("t:2", 5000)).c_str());
  STRCMP_EQUAL("LIMIT_EXCEEDED", error_of(connection, subscribe("t:1", 5000)).c_str());
  LONGS_EQUAL(1, calls.size());
  CHECK_FALSE(link.is_closing);
  hub->reply(calls[0], Answer::ok());
  hub->end_turn();
  check_lines({kSubscribedT}, link.take());
  // It has its room back, and many small ones share it.
  STRCMP_EQUAL("", error_of(connection, subscribe("t:2", 500)).c_str());
  STRCMP_EQUAL("", error_of(connection, subscribe("t:3", 500)).c_str());
  STRCMP_EQUAL("LIMIT_EXCEEDED", error_of(connection, subscribe("t:4", 500)).c_str());
  say(connection, R"(["t:3","unsubscribe",{}])");
  STRCMP_EQUAL("", error_of(connection, subscribe("t:4", 500)).c_str());
  CHECK_FALSE(link.is_closing);
}

// Joins that are not answered, and what waits for them: bounded over all connections.
TEST_GROUP_BASE(HubAsked, HubGroup) {
  static constexpr std::size_t kLarge = 40'000;  // octets of a payload, about

  void setup() override {
    limits.max_incoming_bytes = 100'000;
    HubGroup::setup();
    pend(channel);
  }

  void pend(FakeChannel & its) {
    its.on_join = [this](const Request& request) {
      calls.push_back(request.call);
      return Answer::pending();
    };
  }

  // A subscribe; whether it waits now. Its payload is a string, or has so large an id.
  bool waits(FakeLink & its_link, Connection & connection, std::string_view topic,
             std::size_t size = kLarge, bool is_id = false) {
    its_link.take();
    const std::string text = "\"" + std::string(size, 'x') + "\"";
    say(connection, "[\"" + std::string(topic) + "\",\"subscribe\"," +
                        (is_id ? "{\"id\":" + text + "}" : text) + "]");
    const std::vector<std::string> answers = its_link.take();
    if (answers.empty()) return true;
    STRCMP_CONTAINS("LIMIT_EXCEEDED", answers[0].c_str());
    return false;
  }

  FakeLink links[3];
  std::vector<base::Id> calls;
};

TEST(HubAsked, payloads_are_bounded_over_all_connections) {
  Connection* connections[3];
  for (int i = 0; i < 3; ++i) connections[i] = &hub->open(links[i]);
  CHECK(waits(links[0], *connections[0], "t:1"));
  CHECK(waits(links[1], *connections[1], "t:1"));
  CHECK_FALSE(waits(links[2], *connections[2], "t:1"));
  LONGS_EQUAL(1, hub->counts().joins_over_budget);
  LONGS_EQUAL(1, hub->counts().limits_exceeded);
  LONGS_EQUAL(2, calls.size());
  LONGS_EQUAL(2 * (kLarge + 2), hub->asked_bytes());
  // Those who send large ones keep nobody from small ones.
  CHECK(waits(links[2], *connections[2], "t:2", Hub::kLeastShare - 2));
  CHECK_FALSE(waits(links[2], *connections[2], "t:3", 8000));
  LONGS_EQUAL(2, hub->counts().joins_over_budget);
  // An answer gives the room back.
  hub->reply(calls[0], Answer::ok());
  hub->end_turn();
  CHECK(waits(links[2], *connections[2], "t:1"));
  for (int i = 0; i < 3; ++i) hub->lost(*connections[i]);
  LONGS_EQUAL(0, hub->asked_bytes());
}

TEST(HubAsked, one_alone_waits_whatever_its_size) {
  Connection& connection = hub->open(links[0]);
  CHECK(waits(links[0], connection, "t:1", 200'000));
  CHECK_FALSE(waits(links[0], connection, "t:2", 10));
}

TEST(HubAsked, ids_count_beside_the_payloads_that_they_are_in) {
  Connection& first = hub->open(links[0]);
  Connection& second = hub->open(links[1]);
  CHECK(waits(links[0], first, "t:1", kLarge, true));
  LONGS_EQUAL((kLarge + 9) + (kLarge + 2), hub->asked_bytes());
  CHECK_FALSE(waits(links[1], second, "t:1", kLarge, true));
  CHECK_FALSE(waits(links[1], second, "t:1"));
  hub->reply(calls[0], Answer::refused("NO", "not so"));
  LONGS_EQUAL(0, hub->asked_bytes());
  CHECK(waits(links[1], second, "t:1"));
}

// It may be as large as max_outbox_bytes says, the id included.
TEST(HubAsked, ids_count_for_their_connection) {
  limits.max_outbox_bytes = 3 * kLarge;
  limits.max_incoming_bytes = 64 << 20;
  hub->set_limits(limits);
  Connection& connection = hub->open(links[0]);
  CHECK(waits(links[0], connection, "t:1", kLarge, true));
  CHECK_FALSE(waits(links[0], connection, "t:2"));
  LONGS_EQUAL(0, hub->counts().joins_over_budget);
}

TEST(HubAsked, further_subscribes_of_a_topic_count_until_each_is_answered) {
  Connection& first = hub->open(links[0]);
  Connection& second = hub->open(links[1]);
  CHECK(waits(links[0], first, "t:1", 10));
  CHECK(waits(links[0], first, "t:1"));
  CHECK(waits(links[0], first, "t:1"));
  CHECK_FALSE(waits(links[0], first, "t:1"));
  CHECK_FALSE(waits(links[1], second, "t:1"));
  LONGS_EQUAL(2, hub->counts().joins_over_budget);
  hub->reply(calls[0], Answer::ok());
  hub->end_turn();
  LONGS_EQUAL(2, calls.size());  // the second is asked now, the third waits for it
  LONGS_EQUAL(2 * (kLarge + 2), hub->asked_bytes());
  hub->reply(calls[1], Answer::ok());
  hub->end_turn();
  LONGS_EQUAL(kLarge + 2, hub->asked_bytes());
  hub->reply(calls[2], Answer::ok());
  LONGS_EQUAL(0, hub->asked_bytes());
}

// The call stays pending: what became of the join is known by its answer only.
TEST(HubAsked, what_has_ended_keeps_no_payload_while_its_answer_is_due) {
  Connection& first = hub->open(links[0]);
  Connection& second = hub->open(links[1]);
  CHECK(waits(links[0], first, "t:1", kLarge, true));
  CHECK(waits(links[0], first, "t:1", 100));
  hub->lost(first);
  LONGS_EQUAL(0, hub->asked_bytes());
  CHECK(waits(links[1], second, "t:1"));
  CHECK(waits(links[1], second, "t:2"));
  say(second, R"(["t:2","unsubscribe",{}])");
  LONGS_EQUAL(kLarge + 2, hub->asked_bytes());
  hub->reply(calls[0], Answer::ok());
  LONGS_EQUAL(kLarge + 2, hub->asked_bytes());
}

TEST(HubAsked, what_is_to_be_asked_again_counts_until_it_is) {
  FakeChannel fresh;
  pend(fresh);
  Connection& first = hub->open(links[0]);
  Connection& second = hub->open(links[1]);
  CHECK(waits(links[0], first, "t:1"));
  CHECK(waits(links[0], first, "t:1"));
  hub->hold({&channel});
  hub->freeze();
  hub->set_channels({&fresh});
  hub->hand_over({&fresh});
  LONGS_EQUAL(2 * (kLarge + 2), hub->asked_bytes());
  hub->release();
  hub->end_turn();
  LONGS_EQUAL(2, calls.size());
  LONGS_EQUAL(2 * (kLarge + 2), hub->asked_bytes());
  CHECK_FALSE(waits(links[1], second, "t:1"));
  hub->lost(first);
  LONGS_EQUAL(0, hub->asked_bytes());
}

// Of a connection that is gone by then, it counts as long as it is kept.
TEST(HubAsked, what_is_to_be_asked_again_for_nobody_is_forgotten_in_the_end) {
  Connection& first = hub->open(links[0]);
  CHECK(waits(links[0], first, "t:1"));
  hub->hold({&channel});
  hub->freeze();
  hub->hand_over({});
  hub->lost(first);
  LONGS_EQUAL(kLarge + 2, hub->asked_bytes());
  hub->release();
  LONGS_EQUAL(0, hub->asked_bytes());
}

TEST(HubLimits, a_flush_writes_also_what_has_waited_for_long) {
  Connection& connection = subscriber(link);
  link.is_stuck = true;
  hub->broadcast("t:1", "news", "1");
  hub->end_turn();
  LONGS_EQUAL(0, link.take().size());
  link.is_stuck = false;  // and nobody has said so yet
  hub->flush(connection);
  LONGS_EQUAL(1, link.take().size());
}

TEST(HubLimits, so_many_frames_of_broadcasts_are_enough_for_a_turn) {
  FakeLink other;
  subscriber(link);
  subscriber(other);
  const std::size_t broadcasts = Hub::kMuchToWrite / 2;
  for (std::size_t i = 1; i < broadcasts; ++i) hub->broadcast("t:1", "e", "1");
  CHECK_FALSE(hub->has_much_to_write());
  hub->broadcast("t:1", "e", "1");
  CHECK_TRUE(hub->has_much_to_write());
  hub->end_turn();
  CHECK_FALSE(hub->has_much_to_write());
}
