// What becomes of messages for those who do not read: by the policy of their topic, within the
// bounds of their outbox and of all outboxes together.
#include <memory>
#include <string>
#include <vector>

#include "core/hub/hub.hpp"
#include "tests/unit/hub_group.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using namespace jackfield::test;
namespace base = jackfield::base;

TEST_GROUP_BASE(HubSlow, HubGroup) {
  void setup() override {
    limits.soft_outbox_bytes = 1000;
    limits.max_outbox_bytes = 3000;
    HubGroup::setup();
    policy(SlowPolicy::kClose);
  }

  void policy(SlowPolicy of_t, SlowPolicy of_s = SlowPolicy::kClose) {
    hub->set_backlog({{{"t:<id>"}, of_t}, {{"s:*"}, of_s}});
  }

  // For all outboxes; each alone may have much.
  void budget(std::size_t octets, std::size_t max_connections = 100) {
    limits.soft_outbox_bytes = 1 << 20;
    limits.max_outbox_bytes = 8 << 20;
    limits.max_outboxes_bytes = octets;
    limits.max_connections = max_connections;
    hub->set_limits(limits);
  }

  // A subscriber that reads nothing.
  Connection& stuck(FakeLink & its_link, std::string_view topic = "t:1") {
    Connection& connection = subscriber(its_link, topic);
    its_link.is_stuck = true;
    return connection;
  }

  // A message of about so many octets, that says `number`.
  void say_all(std::string_view topic, std::string_view event, int number,
               std::size_t size = 100) {
    hub->broadcast(topic, event, payload(number, size));
    hub->end_turn();
  }
  static std::string payload(int number, std::size_t size = 100) {
    return "[" + std::to_string(number) + ",\"" + std::string(size, 'x') + "\"]";
  }

  // Lets it read: what it gets, "topic event number" each.
  Lines read(Connection & connection, FakeLink & its_link) {
    its_link.is_stuck = false;
    hub->writable(connection);
    hub->end_turn();
    Lines lines;
    for (const std::string& message : its_link.take()) {
      const std::size_t names = message.find(",[");
      const std::size_t end = message.find_first_of(",", names + 2);
      lines.push_back(names == std::string::npos
                          ? message
                          : message.substr(1, names - 1) + " " +
                                message.substr(names + 2, end - names - 2));
    }
    return lines;
  }
  static std::string line(std::string_view topic, std::string_view event, int number) {
    return "\"" + std::string(topic) + "\",\"" + std::string(event) + "\" " +
           std::to_string(number);
  }
  static Lines lines(int first, int last) {
    Lines all;
    for (int i = first; i <= last; ++i) all.push_back(line("t:1", "e", i));
    return all;
  }
};

TEST(HubSlow, close_takes_up_to_the_hard_bound_and_then_closes) {
  Connection& connection = stuck(link);
  for (int i = 0; i < 20; ++i) say_all("t:1", "e", i);
  CHECK_FALSE(link.is_closing);
  LONGS_EQUAL(1, hub->counts().slow_consumers);
  LONGS_EQUAL(0, hub->counts().slow_consumers_closed);
  for (int i = 0; i < 20; ++i) say_all("t:1", "e", i);
  CHECK(link.is_closing);
  LONGS_EQUAL(1, hub->counts().slow_consumers_closed);
  LONGS_EQUAL(0, connection.outbox.bytes());
}

TEST(HubSlow, drop_new_keeps_what_came_first) {
  policy(SlowPolicy::kDropNew);
  Connection& connection = stuck(link);
  for (int i = 0; i < 50; ++i) say_all("t:1", "e", i);
  CHECK_FALSE(link.is_closing);
  CHECK(connection.outbox.bytes() <= 1000);
  const std::size_t kept = 8;
  LONGS_EQUAL(50 - kept, hub->counts().dropped.messages[2]);
  CHECK(hub->counts().dropped.octets[2] > (50 - kept) * 100);
  check_lines(lines(0, 7), read(connection, link));
  say_all("t:1", "e", 99);
  check_lines({line("t:1", "e", 99)}, read(connection, link));
}

TEST(HubSlow, drop_oldest_keeps_what_came_last) {
  policy(SlowPolicy::kDropOldest);
  Connection& connection = stuck(link);
  for (int i = 0; i < 50; ++i) say_all("t:1", "e", i);
  CHECK_FALSE(link.is_closing);
  CHECK(connection.outbox.bytes() <= 1000);
  LONGS_EQUAL(42, hub->counts().dropped.messages[1]);
  check_lines(lines(42, 49), read(connection, link));
}

TEST(HubSlow, latest_keeps_the_newest_of_each_topic_and_event_in_its_order) {
  policy(SlowPolicy::kLatest);
  Connection& connection = stuck(link);
  say(connection, R"(["t:2","subscribe",{}])");
  for (int i = 0; i < 50; ++i) {
    say_all("t:1", "e", i);
    say_all("t:1", "f", i);
    if (i % 10 == 0) say_all("t:2", "e", i);
  }
  CHECK_FALSE(link.is_closing);
  CHECK(connection.outbox.bytes() <= 1000);
  LONGS_EQUAL(105 - 3, hub->counts().dropped.messages[3]);
  check_lines({R"(["t:2","subscribed",{}])", line("t:2", "e", 40), line("t:1", "e", 49),
               line("t:1", "f", 49)},
              read(connection, link));
}

TEST(HubSlow, latest_of_many_topics_fills_the_outbox_and_then_drops_the_oldest) {
  policy(SlowPolicy::kLatest);
  Connection& connection = stuck(link);
  for (int i = 0; i < 100; ++i) say_all("t:1", "e" + std::to_string(i), i);
  CHECK_FALSE(link.is_closing);
  CHECK(connection.outbox.bytes() <= 3000);
  CHECK(connection.outbox.bytes() > 2700);
  const Lines got = read(connection, link);
  STRCMP_EQUAL(line("t:1", "e99", 99).c_str(), got.back().c_str());
  STRCMP_EQUAL(line("t:1", "e" + std::to_string(100 - got.size()), 100 - static_cast<int>(got.size())).c_str(),
               got.front().c_str());
}

TEST(HubSlow, below_the_soft_bound_nothing_is_dropped) {
  policy(SlowPolicy::kLatest);
  Connection& connection = stuck(link);
  for (int i = 0; i < 8; ++i) say_all("t:1", "e", i);
  check_lines(lines(0, 7), read(connection, link));
  LONGS_EQUAL(0, hub->counts().dropped.messages[3]);
  LONGS_EQUAL(0, hub->counts().slow_consumers);
}

TEST(HubSlow, what_may_be_dropped_makes_room_for_what_may_not) {
  policy(SlowPolicy::kLatest, SlowPolicy::kClose);
  FakeChannel other("s:<id>");
  hub->set_channels({&channel, &other});
  Connection& connection = stuck(link);
  say(connection, R"(["s:1","subscribe",{}])");
  for (int i = 0; i < 100; ++i) say_all("t:1", "e" + std::to_string(i), i);
  for (int i = 0; i < 20; ++i) say_all("s:1", "e", i);
  CHECK_FALSE(link.is_closing);
  for (int i = 0; i < 3; ++i) say(connection, R"(["s:1","no",1])");
  const Lines got = read(connection, link);
  STRCMP_EQUAL(R"(["s:1","subscribed",{}])", got.front().c_str());
  STRCMP_EQUAL(line("s:1", "e", 19).c_str(), got.back().c_str());
  stuck(link);
  for (int i = 0; i < 30; ++i) say_all("s:1", "e", i);
  CHECK(link.is_closing);
}

TEST(HubSlow, what_may_not_be_dropped_keeps_others_out) {
  policy(SlowPolicy::kDropOldest, SlowPolicy::kClose);
  FakeChannel other("s:<id>");
  hub->set_channels({&channel, &other});
  Connection& connection = subscriber(link);
  say(connection, R"(["s:1","subscribe",{}])");
  link.take();
  link.is_stuck = true;
  for (int i = 0; i < 12; ++i) say_all("s:1", "e", i);
  for (int i = 0; i < 12; ++i) say_all("t:1", "e", i);
  LONGS_EQUAL(12, hub->counts().dropped.messages[1]);
  LONGS_EQUAL(12, read(connection, link).size());
}

TEST(HubSlow, pushes_have_their_topics_policy) {
  policy(SlowPolicy::kDropOldest);
  Connection& connection = hub->open(link);
  base::Id event_call = 0;
  channel.on_event = [&](const Request& request) {
    event_call = request.call;
    for (int i = 0; i < 50; ++i) hub->push(request.call, "e", payload(i));
    return Answer::pending();
  };
  link.is_stuck = true;
  say(connection, R"(["t:1","x",1])");
  for (int i = 50; i < 60; ++i) hub->push(event_call, "e", payload(i));
  check_lines(lines(52, 59), read(connection, link));
  say(connection, R"(["t:1","subscribe",{}])");
  link.take();
  link.is_stuck = true;
  for (int i = 0; i < 50; ++i) hub->push(channel.subscription, "e", payload(i));
  check_lines(lines(42, 49), read(connection, link));
}

TEST(HubSlow, a_join_that_is_not_answered_drops_likewise) {
  for (const SlowPolicy policy_now :
       {SlowPolicy::kDropOldest, SlowPolicy::kDropNew, SlowPolicy::kLatest}) {
    policy(policy_now);
    FakeLink its_link;
    channel.on_join = [&](const Request& request) {
      for (int i = 0; i < 20; ++i) hub->push(request.call, "e", payload(i));
      return Answer::pending();
    };
    Connection& connection = hub->open(its_link);
    say(connection, R"(["t:1","subscribe",{}])");
    for (int i = 20; i < 50; ++i) say_all("t:1", "e", i);
    CHECK(connection.deferred_bytes <= 1000);
    hub->reply(channel.call, Answer::ok());
    LONGS_EQUAL(0, connection.deferred_bytes);
    Lines expected = policy_now == SlowPolicy::kDropOldest ? lines(42, 49)
                     : policy_now == SlowPolicy::kDropNew  ? lines(0, 7)
                                                           : lines(49, 49);
    expected.insert(expected.begin(), kSubscribedT);
    check_lines(expected, read(connection, its_link));
    hub->lost(connection);
  }
}

TEST(HubSlow, a_refused_join_drops_what_was_pushed_for_it_whatever_the_policy) {
  policy(SlowPolicy::kLatest);
  Connection& connection = hub->open(link);
  channel.on_join = [&](const Request& request) {
    hub->push(request.call, "e", payload(1));
    return Answer::refused("NO", "no");
  };
  say(connection, R"(["t:1","subscribe",{}])");
  check_lines({R"(["t:1","error",{"code":"NO","message":"no"}])"}, link.take());
}

TEST(HubSlow, a_change_of_policy_counts_for_topics_that_there_are) {
  Connection& connection = stuck(link);
  for (int i = 0; i < 5; ++i) say_all("t:1", "e", i);
  policy(SlowPolicy::kDropOldest);
  for (int i = 5; i < 50; ++i) say_all("t:1", "e", i);
  CHECK_FALSE(link.is_closing);
  const Lines got = read(connection, link);
  STRCMP_EQUAL(line("t:1", "e", 0).c_str(), got.front().c_str());  // when it came it was owed
  STRCMP_EQUAL(line("t:1", "e", 49).c_str(), got.back().c_str());
  LONGS_EQUAL(8, got.size());
}

TEST(HubSlow, the_first_row_that_has_a_topic_says_its_policy) {
  hub->set_backlog({{{"x", "t:1"}, SlowPolicy::kDropNew}, {{"*"}, SlowPolicy::kDropOldest}});
  FakeLink other;
  Connection& first = stuck(link, "t:1");
  Connection& second = stuck(other, "t:2");
  for (int i = 0; i < 50; ++i) {
    say_all("t:1", "e", i);
    say_all("t:2", "e", i);
  }
  STRCMP_EQUAL(line("t:1", "e", 0).c_str(), read(first, link).front().c_str());
  STRCMP_EQUAL(line("t:2", "e", 49).c_str(), read(second, other).back().c_str());
}

TEST(HubSlow, who_reads_again_is_slow_no_more_and_may_begin_again) {
  policy(SlowPolicy::kDropOldest);
  Connection& connection = stuck(link);
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 50; ++i) say_all("t:1", "e", i);
    LONGS_EQUAL(round, hub->counts().slow_consumers);
    LONGS_EQUAL(8, read(connection, link).size());
    link.is_stuck = true;
  }
}

// ---- the budget for all

TEST(HubSlow, frames_that_many_wait_for_count_once) {
  std::vector<std::unique_ptr<FakeLink>> links;
  for (int i = 0; i < 50; ++i) stuck(*links.emplace_back(std::make_unique<FakeLink>()));
  for (int i = 0; i < 10; ++i) say_all("t:1", "e", i, 200);
  CHECK(hub->outboxes_bytes() > 2000);
  CHECK(hub->outboxes_bytes() < 2000 + 10 * 100 + 50 * 10 * 24);
}

TEST(HubSlow, nothing_is_held_when_all_is_written_or_gone) {
  FakeLink other;
  Connection& connection = stuck(link);
  Connection& second = stuck(other);
  for (int i = 0; i < 20; ++i) say_all("t:1", "e", i);
  read(connection, link);
  hub->lost(second);
  LONGS_EQUAL(0, hub->outboxes_bytes());
  for (int i = 0; i < 20; ++i) say_all("t:1", "e", i);
  LONGS_EQUAL(0, hub->outboxes_bytes());
}

TEST(HubSlow, over_the_budget_who_has_more_than_its_share_pays_and_nobody_else) {
  budget(400'000);
  FakeLink greedy_link;
  FakeLink modest_link;
  FakeLink fast_link;
  stuck(greedy_link, "t:1");
  Connection& modest = stuck(modest_link, "t:2");
  Connection& fast = subscriber(fast_link, "t:3");
  for (int i = 0; i < 10; ++i) say_all("t:1", "e", i, 35'000);
  say_all("t:2", "e", 0, 35'000);
  CHECK_FALSE(greedy_link.is_closing);
  say_all("t:1", "e", 10, 35'000);
  CHECK(greedy_link.is_closing);
  say_all("t:2", "e", 1, 35'000);
  say_all("t:3", "e", 0, 500'000);
  CHECK_FALSE(modest_link.is_closing);
  LONGS_EQUAL(2, read(modest, modest_link).size());
  LONGS_EQUAL(1, read(fast, fast_link).size());
  LONGS_EQUAL(1, hub->counts().outboxes_over_budget);
  LONGS_EQUAL(1, hub->counts().slow_consumers_closed);
}

TEST(HubSlow, over_the_budget_a_large_message_is_not_kept_for_who_does_not_take_it) {
  budget(1'000'000);
  std::vector<std::unique_ptr<FakeLink>> links;
  for (int i = 0; i < 20; ++i) {
    const std::string topic = "t:" + std::to_string(i);
    FakeLink& its_link = *links.emplace_back(std::make_unique<FakeLink>());
    Connection& connection = subscriber(its_link, topic);
    its_link.is_stuck_after = its_link.writes + 1;
    say_all(topic, "e", 0, 300'000);
    if (its_link.is_closing) hub->lost(connection);  // with what its link kept
    CHECK(hub->outboxes_bytes() < limits.max_outboxes_bytes + 400'000);
  }
  CHECK_FALSE(links[0]->is_closing);
  CHECK_TRUE(links[19]->is_closing);
  CHECK(hub->counts().outboxes_over_budget >= 16);
  LONGS_EQUAL(hub->counts().outboxes_over_budget, hub->counts().slow_consumers_closed);
  // Who reads gets it all the same.
  Connection& fast = subscriber(link, "t:0");
  say_all("t:0", "e", 1, 500'000);
  LONGS_EQUAL(1, read(fast, link).size());
}

// Its link keeps the end of what went before, and nothing waits: it has not taken that either.
TEST(HubSlow, over_the_budget_a_large_message_is_not_kept_behind_a_link_that_is_full) {
  budget(1'000'000);
  for (const SlowPolicy its : {SlowPolicy::kClose, SlowPolicy::kDropNew, SlowPolicy::kDropOldest,
                               SlowPolicy::kLatest}) {
    policy(its);
    std::vector<std::unique_ptr<FakeLink>> links;
    std::vector<Connection*> connections;
    for (int i = 0; i < 20; ++i) {
      const std::string topic = "t:" + std::to_string(i);
      FakeLink& its_link = *links.emplace_back(std::make_unique<FakeLink>());
      connections.push_back(&subscriber(its_link, topic));
      its_link.is_stuck_after = its_link.writes + 1;
      say_all(topic, "e", 0, 1000);
      CHECK_TRUE(its_link.is_stuck);
      say_all(topic, "e", 1, 300'000);
      CHECK(hub->outboxes_bytes() < limits.max_outboxes_bytes + 400'000);
    }
    CHECK_FALSE(links[0]->is_closing);
    LONGS_EQUAL(its == SlowPolicy::kClose, links[19]->is_closing);
    // Who reads on gets the next one.
    if (its != SlowPolicy::kClose) {
      read(*connections[19], *links[19]);
      say_all("t:19", "e", 2, 300'000);
      LONGS_EQUAL(1, read(*connections[19], *links[19]).size());
    }
    for (Connection* connection : connections) hub->lost(*connection);
    LONGS_EQUAL(0, hub->outboxes_bytes());
  }
}

TEST(HubSlow, large_messages_of_one_turn_do_not_wait_for_its_end_where_they_would_not_fit) {
  budget(1'000'000);
  std::vector<std::unique_ptr<FakeLink>> links;
  for (int i = 0; i < 20; ++i) {
    subscriber(*links.emplace_back(std::make_unique<FakeLink>()), "t:" + std::to_string(i));
  }
  for (int i = 0; i < 20; ++i) {
    hub->broadcast("t:" + std::to_string(i), "e", payload(i, 300'000));
    CHECK(hub->outboxes_bytes() < limits.max_outboxes_bytes + 400'000);
  }
  hub->end_turn();
  LONGS_EQUAL(0, hub->outboxes_bytes());
  for (const auto& its_link : links) {
    CHECK_FALSE(its_link->is_closing);
    LONGS_EQUAL(1, its_link->take().size());
  }
}

// It waits for its Close, and what a leave broadcasts has all written that waits.
TEST(HubSlow, who_closes_while_all_is_written_closes_in_order) {
  budget(1'000'000);
  FakeLink other_link;
  FakeLink stuck_link;
  subscriber(other_link, "t:2");
  stuck(stuck_link, "t:3");
  Connection& connection = subscriber(link, "t:1");
  channel.on_leave = [&](const Request&, LeaveReason) {
    hub->broadcast("t:3", "e", payload(0, 900'000));
    hub->broadcast("t:2", "e", payload(0, 300'000));
  };
  hub->broadcast("t:1", "e", payload(0));
  hub->close(connection, CloseCode::kNormal, "Bye");
  hub->end_turn();
  check_lines(lines(0, 0), read(connection, link));
  LONGS_EQUAL(1000, link.close_code);
  LONGS_EQUAL(1, other_link.take().size());
}

// Nothing waits before it there either, but no link will take it.
TEST(HubSlow, over_the_budget_a_large_message_is_not_kept_behind_a_join_that_is_not_answered) {
  budget(1'000'000);
  std::vector<std::unique_ptr<FakeLink>> links;
  channel.on_join = [](const Request&) { return Answer::pending(); };
  for (int i = 0; i < 20; ++i) {
    const std::string topic = "t:" + std::to_string(i);
    subscriber(*links.emplace_back(std::make_unique<FakeLink>()), topic);
    say_all(topic, "e", 0, 300'000);
    CHECK(hub->outboxes_bytes() < limits.max_outboxes_bytes + 400'000);
  }
  CHECK_FALSE(links[0]->is_closing);
  CHECK_TRUE(links[19]->is_closing);
  LONGS_EQUAL(hub->counts().outboxes_over_budget, hub->counts().slow_consumers_closed);
  say_all("t:2", "e", 1, 15'000);  // no more than a share
  CHECK_FALSE(links[2]->is_closing);
  // The snapshot of a join that is answered gets there, also in several messages.
  channel.on_join = [&](const Request& request) {
    for (int i = 0; i < 3; ++i) hub->push(request.call, "e", payload(i, 300'000));
    return Answer::ok();
  };
  CHECK(hub->outboxes_bytes() > 900'000);
  Connection& fast = hub->open(link);
  say(fast, R"(["t:1","subscribe",{}])");
  Lines expected = lines(0, 2);
  expected.insert(expected.begin(), kSubscribedT);
  check_lines(expected, read(fast, link));
}

// It is no snapshot any more that is written when the join returns.
TEST(HubSlow, over_the_budget_what_a_join_has_pushed_is_not_kept_where_it_is_not_answered_then) {
  budget(1'000'000);
  for (const SlowPolicy its : {SlowPolicy::kClose, SlowPolicy::kDropOldest}) {
    policy(its);
    channel.on_join = [&](const Request& request) {
      for (int i = 0; i < 3; ++i) hub->push(request.call, "e", payload(i, 300'000));
      return Answer::pending();
    };
    std::vector<std::unique_ptr<FakeLink>> links;
    std::vector<Connection*> connections;
    for (int i = 0; i < 10; ++i) {
      connections.push_back(&subscriber(*links.emplace_back(std::make_unique<FakeLink>()),
                                        "t:" + std::to_string(i)));
      CHECK(hub->outboxes_bytes() < limits.max_outboxes_bytes + 400'000);
    }
    CHECK_FALSE(links[0]->is_closing);
    LONGS_EQUAL(its == SlowPolicy::kClose, links[9]->is_closing);
    for (Connection* connection : connections) hub->lost(*connection);
    LONGS_EQUAL(0, hub->outboxes_bytes());
  }
}

// Such as a pong that its peer does not read: nothing of the hub's is in the link.
TEST(HubSlow, over_the_budget_a_large_message_is_not_kept_for_a_link_that_others_have_filled) {
  budget(1'000'000);
  std::vector<std::unique_ptr<FakeLink>> links;
  for (int i = 0; i < 20; ++i) {
    const std::string topic = "t:" + std::to_string(i);
    stuck(*links.emplace_back(std::make_unique<FakeLink>()), topic);
    say_all(topic, "e", 0, 300'000);
    CHECK(hub->outboxes_bytes() < limits.max_outboxes_bytes + 400'000);
  }
  CHECK_FALSE(links[0]->is_closing);
  CHECK_TRUE(links[19]->is_closing);
}

// Those who are closed make room for others among the connections.
TEST(HubSlow, over_the_budget_nothing_is_kept_for_who_is_closed_and_does_not_read) {
  budget(1'000'000, 10);
  std::vector<std::unique_ptr<FakeLink>> links;
  std::vector<Connection*> connections;
  for (int i = 0; i < 100; ++i) {
    const std::string topic = "t:" + std::to_string(i);
    FakeLink& its_link = *links.emplace_back(std::make_unique<FakeLink>());
    connections.push_back(&stuck(its_link, topic));
    say_all(topic, "e", 0, 90'000);
    hub->close(*connections.back(), CloseCode::kPolicy, "Too many messages");
    hub->end_turn();
    CHECK(hub->outboxes_bytes() < 2 * limits.max_outboxes_bytes);
  }
  // Who reads after all has his Close, and what waited where there was room for it.
  LONGS_EQUAL(1, read(*connections[0], *links[0]).size());
  LONGS_EQUAL(0, read(*connections[99], *links[99]).size());
  LONGS_EQUAL(1008, links[0]->close_code);
  LONGS_EQUAL(1008, links[99]->close_code);
}

// What small messages take is mostly beside their octets.
TEST(HubSlow, small_messages_behind_joins_that_are_not_answered_take_at_most_twice_the_budget) {
  budget(2'000'000, 100);
  policy(SlowPolicy::kDropNew);
  channel.on_join = [](const Request&) { return Answer::pending(); };
  std::vector<std::unique_ptr<FakeLink>> links;
  for (int i = 0; i < 100; ++i) {
    subscriber(*links.emplace_back(std::make_unique<FakeLink>()), "t:" + std::to_string(i));
  }
  for (int k = 0; k < 2000; ++k) {
    for (int i = 0; i < 100; ++i) hub->broadcast("t:" + std::to_string(i), "e", "1");
  }
  CHECK(hub->outboxes_bytes() > limits.max_outboxes_bytes);
  CHECK(hub->outboxes_bytes() < 2 * limits.max_outboxes_bytes);
}

// Each on a topic of its own that falls silent: nobody looks at those who came early any more.
TEST(HubSlow, those_who_got_stuck_one_after_the_other_take_at_most_twice_the_budget) {
  budget(10'000'000, 100);
  std::vector<std::unique_ptr<FakeLink>> links;
  for (int i = 0; i < 100; ++i) {
    const std::string topic = "t:" + std::to_string(i);
    FakeLink& its_link = *links.emplace_back(std::make_unique<FakeLink>());
    Connection& connection = stuck(its_link, topic);
    const auto may_have = [&](std::size_t octets) {
      return octets <= 4'000'000 && (hub->outboxes_bytes() + 51'000 <= limits.max_outboxes_bytes ||
                                     octets <= limits.max_outboxes_bytes / 100);
    };
    for (int k = 0; may_have(connection.outbox.bytes() + 51'000); ++k) {
      say_all(topic, "e", k, 50'000);
    }
    CHECK_FALSE(its_link.is_closing);
  }
  CHECK(hub->outboxes_bytes() > limits.max_outboxes_bytes);
  CHECK(hub->outboxes_bytes() < 2 * limits.max_outboxes_bytes + 50'000);
}

TEST(HubSlow, who_is_closed_with_a_message_begun_gets_no_other_one_within_it) {
  budget(200'000);
  Connection& connection = subscriber(link, "t:1");
  link.is_stuck_after = link.writes + 1;
  hub->broadcast("t:1", "e", payload(0, 300'000));
  hub->broadcast("t:1", "e", payload(1));  // is first asked for what the link takes of the other
  hub->end_turn();
  CHECK_TRUE(link.is_closing);
  CHECK(read(connection, link).empty());
  LONGS_EQUAL(1013, link.close_code);
  LONGS_EQUAL(1, hub->counts().slow_consumers_closed);
  LONGS_EQUAL(0, connection.outbox.bytes());
}

TEST(HubSlow, the_memory_of_all_is_bounded_whatever_their_policies) {
  budget(1'000'000);
  FakeChannel other("s:<id>");
  hub->set_channels({&channel, &other});
  for (const SlowPolicy each : {SlowPolicy::kClose, SlowPolicy::kDropOldest, SlowPolicy::kDropNew,
                                SlowPolicy::kLatest}) {
    hub->set_backlog({{{"s:*"}, each}});
    std::vector<std::unique_ptr<FakeLink>> links;
    std::vector<Connection*> all;
    for (int i = 0; i < 20; ++i) {
      all.push_back(&stuck(*links.emplace_back(std::make_unique<FakeLink>()),
                           "s:" + std::to_string(i)));
    }
    for (int n = 0; n < 300; ++n) {
      for (int i = 0; i < 20; ++i) {
        say_all("s:" + std::to_string(i), "e" + std::to_string(n), n, 1000);
      }
      CHECK(hub->outboxes_bytes() < 2 * limits.max_outboxes_bytes);
    }
    for (Connection* connection : all) hub->lost(*connection);
    LONGS_EQUAL(0, hub->outboxes_bytes());
  }
}

TEST_GROUP(HubOutboxDrops) {
  Outbox outbox;
  Batch batch;
  Drops drops;
  const KeyedHash hash{1, 2};
  jackfield::wire::FrameLedger ledger;

  jackfield::wire::FrameRef frame(std::string_view event, SlowPolicy policy, int number) {
    auto made = jackfield::wire::make_message_frame("t", event, std::to_string(number), &ledger);
    made.mark(static_cast<std::uint8_t>(policy));
    return made;
  }

  void add_latest(std::string_view event, int number) {
    const auto made = frame(event, SlowPolicy::kLatest, number);
    outbox.drop_same(*made, hash, drops);
    outbox.push(made);
  }

  std::string all() {
    std::string text;
    while (!outbox.is_empty()) {
      std::string_view run = outbox.front(batch);
      const std::size_t size = run.size();
      while (!run.empty()) {
        const std::size_t length = static_cast<std::size_t>(run[1]);
        text += std::string(run.substr(2, length)) + " ";
        run.remove_prefix(2 + length);
      }
      outbox.pop(size);
    }
    return text;
  }
};

// The same random operations on an outbox and on a list.
TEST(HubOutboxDrops, drops_and_writes_as_a_list_would) {
  struct Entry {
    std::string event;
    SlowPolicy policy;
    int number;
  };
  std::uint64_t random = 88172645463325252U;
  const auto next = [&random](std::uint64_t bound) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % bound;
  };
  std::vector<Entry> model;
  for (int step = 0; step < 200'000; ++step) {
    const std::string event = "e" + std::to_string(next(20));
    switch (next(8)) {
      case 0:
        if (next(40) == 0) {
          outbox.clear();
          model.clear();
        }
        break;
      case 1: {
        const unsigned policies = next(2) == 0 ? 1U << 1 : 14U;
        const auto found =
            std::find_if(model.begin(), model.end(), [policies](const Entry& entry) {
              return (policies >> static_cast<unsigned>(entry.policy) & 1U) != 0;
            });
        CHECK_EQUAL(found != model.end(), outbox.drop_oldest(policies, drops));
        if (found != model.end()) model.erase(found);
        break;
      }
      case 2:
      case 3: {
        // The first drops also what came twice before anything was noted.
        const auto is_same = [](const std::string& of) {
          return [&of](const Entry& entry) {
            return entry.policy == SlowPolicy::kLatest && entry.event == of;
          };
        };
        if (!model.empty()) {
          for (std::size_t i = model.size(); i-- > 0;) {
            const Entry entry = model[i];
            if (entry.policy != SlowPolicy::kLatest) continue;
            const auto end = model.begin() + static_cast<std::ptrdiff_t>(i);
            const auto kept = std::remove_if(model.begin(), end, is_same(entry.event));
            const auto dropped = static_cast<std::size_t>(end - kept);
            model.erase(kept, end);
            i -= dropped;
          }
          std::erase_if(model, is_same(event));
        }
        add_latest(event, step);
        model.push_back({event, SlowPolicy::kLatest, step});
        break;
      }
      case 4: {
        if (model.empty()) break;
        const auto taken = outbox.take();
        STRCMP_CONTAINS(("," + std::to_string(model.front().number) + "]").c_str(),
                        std::string(taken.bytes()).c_str());
        model.erase(model.begin());
        break;
      }
      default: {
        const auto policy = static_cast<SlowPolicy>(next(4));
        outbox.push(frame(event, policy, step));
        model.push_back({event, policy, step});
      }
    }
    CHECK_EQUAL(model.empty(), outbox.is_empty());
    if (model.size() > 300) {
      std::string expected;
      for (const Entry& entry : model) {
        expected += "[\"t\",\"" + entry.event + "\"," + std::to_string(entry.number) + "] ";
      }
      STRCMP_EQUAL(expected.c_str(), all().c_str());
      model.clear();
    }
  }
  outbox.clear();
  LONGS_EQUAL(0, outbox.bytes());
  batch.clear();
  LONGS_EQUAL(0, ledger.octets);
}

TEST(HubOutboxDrops, what_was_written_is_not_dropped_later) {
  for (int i = 0; i < 5; ++i) add_latest("e" + std::to_string(i), i);
  for (int i = 0; i < 3; ++i) outbox.take();
  add_latest("e1", 5);
  add_latest("e4", 6);
  LONGS_EQUAL(1, drops.messages[3]);
  STRCMP_EQUAL(R"(["t","e3",3] ["t","e1",5] ["t","e4",6] )", all().c_str());
}

TEST(HubOutboxDrops, what_is_forgotten_is_noted_again) {
  add_latest("a", 1);
  add_latest("b", 2);
  outbox.forget_notes();
  add_latest("a", 3);
  STRCMP_EQUAL(R"(["t","b",2] ["t","a",3] )", all().c_str());
}
