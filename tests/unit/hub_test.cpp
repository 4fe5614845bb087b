#include "core/hub/hub.hpp"

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/hub_group.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using namespace jackfield::test;
namespace base = jackfield::base;

TEST_GROUP_BASE(Hub, HubGroup) {
  void setup() override {
    limits = {.max_connections = 4,
              .max_message_bytes = 1 << 20,
              .max_topic_bytes = 64,
              .max_event_bytes = 16,
              .max_subscriptions = 3,
              .max_messages_per_s = 0,
              .max_bytes_per_s = 0,
              .max_subscribes_per_s = 0,
              .max_outbox_bytes = 1000};
    HubGroup::setup();
  }
};

TEST(Hub, confirms_before_what_the_join_pushes) {
  Connection& connection = hub->open(link);
  channel.on_join = [&](const Request& request) {
    CHECK(hub->push(request.subscription, "snapshot", "1") == Hub::Outcome::kDone);
    CHECK(hub->push(request.call, "snapshot", "2") == Hub::Outcome::kDone);
    LONGS_EQUAL(1, hub->broadcast("t:1", "joined", "3"));
    return Answer::ok();
  };
  say(connection, R"(["t:1","subscribe",{"id":"x"}])");
  check_lines({R"(["t:1","subscribed",{"id":"x"}])", R"(["t:1","snapshot",1])",
               R"(["t:1","snapshot",2])", R"(["t:1","joined",3])"},
              link.take());
  LONGS_EQUAL(1, hub->subscriber_count("t:1"));
  LONGS_EQUAL(1, link.writes);
}

TEST(Hub, a_refused_join_drops_what_it_pushed) {
  Connection& connection = hub->open(link);
  channel.on_join = [&](const Request& request) {
    hub->push(request.subscription, "snapshot", "1");
    return Answer::refused("FORBIDDEN", "not you");
  };
  say(connection, R"(["t:1","subscribe",{}])");
  check_lines({R"(["t:1","error",{"code":"FORBIDDEN","message":"not you"}])"}, link.take());
  LONGS_EQUAL(0, hub->subscriber_count("t:1"));
  LONGS_EQUAL(0, hub->broadcast("t:1", "e", "1"));
  hub->lost(connection);
  check_lines({"join t:1"}, channel.take());
}

TEST(Hub, subscribing_again_confirms_again_and_stands_once) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  const base::Id first = channel.subscription;
  say(connection, R"(["t:1","subscribe",{"id":"2"}])");
  CHECK(first == channel.subscription);
  check_lines({kSubscribedT, R"(["t:1","subscribed",{"id":"2"}])"}, link.take());
  LONGS_EQUAL(1, hub->subscriber_count("t:1"));
  LONGS_EQUAL(1, hub->broadcast("t:1", "e", "1"));
  hub->lost(connection);
  check_lines({"join t:1", "join t:1", "leave t:1 2"}, channel.take());
}

TEST(Hub, subscribing_again_and_being_refused_leaves_the_subscription) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  channel.on_join = [&](const Request& request) {
    hub->push(request.call, "snapshot", "1");
    hub->broadcast("t:1", "news", "2");
    return Answer::refused("C", "m");
  };
  say(connection, R"(["t:1","subscribe",{}])");
  check_lines({kSubscribedT, R"(["t:1","error",{"code":"C","message":"m"}])",
               R"(["t:1","news",2])"},
              link.take());
  LONGS_EQUAL(1, hub->subscriber_count("t:1"));
}

TEST(Hub, a_pending_join_holds_everything_until_it_is_answered) {
  Connection& connection = hub->open(link);
  channel.on_join = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","subscribe",{"id":"a"}])");
  hub->push(channel.subscription, "snapshot", "1");
  hub->broadcast("t:1", "news", "2");
  hub->end_turn();
  check_lines({}, link.take());
  LONGS_EQUAL(0, hub->subscriber_count("t:1"));
  CHECK(hub->reply(channel.call, Answer::ok()) == Hub::Outcome::kDone);
  CHECK(hub->reply(channel.call, Answer::ok()) == Hub::Outcome::kGone);
  hub->end_turn();
  check_lines({R"(["t:1","subscribed",{"id":"a"}])", R"(["t:1","snapshot",1])",
               R"(["t:1","news",2])"},
              link.take());
  LONGS_EQUAL(1, hub->subscriber_count("t:1"));
}

TEST(Hub, a_join_answered_before_it_returns_pending_is_answered) {
  Connection& connection = hub->open(link);
  channel.on_join = [&](const Request& request) {
    CHECK(hub->reply(request.call, Answer::refused("C", "m")) == Hub::Outcome::kDone);
    CHECK(hub->reply(request.call, Answer::ok()) == Hub::Outcome::kGone);
    return Answer::pending();
  };
  say(connection, R"(["t:1","subscribe",{}])");
  check_lines({R"(["t:1","error",{"code":"C","message":"m"}])"}, link.take());
  CHECK(hub->reply(channel.call, Answer::ok()) == Hub::Outcome::kGone);
}

TEST(Hub, a_join_that_succeeds_after_the_client_left_gets_its_leave) {
  Connection& connection = hub->open(link);
  channel.on_join = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","subscribe",{}])");
  say(connection, R"(["t:1","unsubscribe",{}])");
  check_lines({R"(["t:1","unsubscribed",{}])"}, link.take());
  check_lines({"join t:1"}, channel.take());
  CHECK(hub->push(channel.call, "e", "1") == Hub::Outcome::kGone);
  CHECK(hub->reply(channel.call, Answer::ok()) == Hub::Outcome::kGone);
  check_lines({}, channel.take());  // not from within the reply
  hub->end_turn();
  check_lines({"leave t:1 1"}, channel.take());
  check_lines({}, link.take());
}

TEST(Hub, a_join_that_is_refused_after_the_connection_was_lost_gets_no_leave) {
  Connection& connection = hub->open(link);
  channel.on_join = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","subscribe",{}])");
  hub->lost(connection);
  CHECK(hub->reply(channel.call, Answer::refused("C", "m")) == Hub::Outcome::kGone);
  hub->end_turn();
  check_lines({"join t:1"}, channel.take());
}

TEST(Hub, a_join_that_succeeds_after_the_connection_was_lost_gets_its_leave) {
  Connection& connection = hub->open(link);
  channel.on_join = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","subscribe",{}])");
  hub->lost(connection);
  CHECK(hub->reply(channel.call, Answer::ok()) == Hub::Outcome::kGone);
  hub->end_turn();
  check_lines({"join t:1", "leave t:1 2"}, channel.take());
}

TEST(Hub, subscribes_during_a_pending_join_are_served_after_it) {
  Connection& connection = hub->open(link);
  channel.on_join = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","subscribe",{"id":"1"}])");
  const base::Id first = channel.call;
  say(connection, R"(["t:1","subscribe",{"id":"2"}])");
  check_lines({"join t:1"}, channel.take());
  channel.on_join = nullptr;
  hub->reply(first, Answer::ok());
  hub->end_turn();
  check_lines({"join t:1"}, channel.take());
  check_lines({R"(["t:1","subscribed",{"id":"1"}])", R"(["t:1","subscribed",{"id":"2"}])"},
              link.take());
}

TEST(Hub, a_bad_subscribe_payload_never_fails_a_subscribe) {
  Connection& connection = hub->open(link);
  for (const char* payload : {"null", "5", "{}", R"({"id":5})", "[]", R"("id")"}) {
    say(connection, std::string(R"(["t:1","subscribe",)") + payload + "]");
    check_lines({kSubscribedT}, link.take());
  }
}

TEST(Hub, too_many_subscriptions_are_refused) {
  Connection& connection = hub->open(link);
  for (const char* topic : {"t:1", "t:2", "t:3", "t:4"}) {
    say(connection, std::string("[\"") + topic + R"(","subscribe",{}])");
  }
  STRCMP_EQUAL(
      R"(["t:4","error",{"code":"LIMIT_EXCEEDED","message":"At most 3 subscriptions per connection"}])",
      link.messages.back().c_str());
  say(connection, R"(["t:1","unsubscribe",0])");
  link.take();
  say(connection, R"(["t:4","subscribe",{}])");
  check_lines({R"(["t:4","subscribed",{}])"}, link.take());
}

TEST(Hub, unsubscribed_is_said_whatever_there_was) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","unsubscribe",null])");
  say(connection, R"(["nobody","unsubscribe",{}])");
  check_lines({R"(["t:1","unsubscribed",{}])", R"(["nobody","unsubscribed",{}])"}, link.take());
  check_lines({}, channel.take());
}

TEST(Hub, what_no_channel_matches_is_an_error) {
  Connection& connection = hub->open(link);
  say(connection, R"(["x","subscribe",{}])");
  say(connection, R"(["x","e",1])");
  const std::string error =
      R"(["x","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: x"}])";
  check_lines({error, error}, link.take());
}

TEST(Hub, an_event_needs_no_subscription_and_may_push_to_its_sender) {
  Connection& connection = hub->open(link);
  channel.on_event = [&](const Request& request) {
    CHECK(request.subscription == 0);
    CHECK(request.payload == "{ }");
    CHECK(request.params.items[0].value == "1");
    hub->push(request.call, "echoed", request.payload);
    return Answer::ok();
  };
  say(connection, R"(["t:1","echo",{ }])");
  check_lines({R"(["t:1","echoed",{ }])"}, link.take());
  CHECK(hub->push(channel.call, "late", "1") == Hub::Outcome::kGone);
}

TEST(Hub, an_unknown_event_is_answered_by_nothing) {
  Connection& connection = hub->open(link);
  channel.on_event = [](const Request&) { return Answer::no_event(); };
  say(connection, R"(["t:1","zzz",1])");
  check_lines({}, link.take());
}

TEST(Hub, a_pending_event_is_answered_later_and_once) {
  Connection& connection = hub->open(link);
  channel.on_event = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","work",1])");
  const base::Id call = channel.call;
  say(connection, R"(["t:1","work",2])");
  CHECK(hub->push(call, "progress", "50") == Hub::Outcome::kDone);
  CHECK(hub->reply(call, Answer::refused("BUSY", "later")) == Hub::Outcome::kDone);
  CHECK(hub->reply(call, Answer::ok()) == Hub::Outcome::kGone);
  CHECK(hub->push(call, "progress", "60") == Hub::Outcome::kGone);
  hub->end_turn();
  check_lines({R"(["t:1","progress",50])", R"(["t:1","error",{"code":"BUSY","message":"later"}])"},
              link.take());
}

TEST(Hub, a_pending_event_of_a_lost_connection_is_gone) {
  Connection& connection = hub->open(link);
  channel.on_event = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","work",1])");
  hub->lost(connection);
  CHECK(hub->push(channel.call, "e", "1") == Hub::Outcome::kGone);
  CHECK(hub->reply(channel.call, Answer::ok()) == Hub::Outcome::kGone);
}

TEST(Hub, pending_calls_of_a_connection_are_bounded) {
  Connection& connection = hub->open(link);
  channel.on_event = [](const Request&) { return Answer::pending(); };
  for (std::uint32_t i = 0; i <= Hub::kMaxPendingCalls; ++i) {
    hub->receive(connection, R"(["t:1","work",1])", true, now);
  }
  hub->end_turn();
  check_lines({R"(["t:1","error",{"code":"LIMIT_EXCEEDED","message":)"
               R"("Too many requests wait for an answer"}])"},
              link.take());
}

TEST(Hub, a_broadcast_reaches_each_subscriber_of_exactly_that_topic_once) {
  std::vector<std::unique_ptr<FakeLink>> links;
  std::vector<base::Id> subscriptions;
  for (int i = 0; i < 3; ++i) {
    links.push_back(std::make_unique<FakeLink>());
    subscriber(*links.back());
    subscriptions.push_back(channel.subscription);
  }
  FakeLink other;
  subscriber(other, "t:12");
  LONGS_EQUAL(3, hub->broadcast("t:1", "e", "1"));
  LONGS_EQUAL(2, hub->broadcast("t:1", "e", "2", subscriptions[1]));
  LONGS_EQUAL(0, hub->broadcast("t:", "e", "3"));
  hub->end_turn();
  check_lines({R"(["t:1","e",1])", R"(["t:1","e",2])"}, links[0]->take());
  check_lines({R"(["t:1","e",1])"}, links[1]->take());
  check_lines({R"(["t:1","e",1])", R"(["t:1","e",2])"}, links[2]->take());
  check_lines({}, other.take());
}

TEST(Hub, what_waits_is_written_in_one_go_at_the_end_of_the_turn) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  link.writes = 0;
  for (int i = 0; i < 20; ++i) hub->broadcast("t:1", "e", std::to_string(i));
  LONGS_EQUAL(0, link.writes);
  hub->end_turn();
  LONGS_EQUAL(1, link.writes);
  hub->end_turn();
  LONGS_EQUAL(1, link.writes);
  LONGS_EQUAL(21, link.messages.size());
}

TEST(Hub, a_congested_link_is_not_written_to_until_it_is_writable) {
  Connection& connection = subscriber(link);
  link.is_stuck = true;
  hub->broadcast("t:1", "e", "1");
  hub->end_turn();
  check_lines({}, link.take());
  link.is_stuck = false;
  hub->writable(connection);
  hub->end_turn();
  check_lines({R"(["t:1","e",1])"}, link.take());
}

TEST(Hub, a_slow_consumer_is_closed_and_the_others_are_not) {
  FakeLink slow;
  FakeLink quick;
  say(hub->open(slow), R"(["t:1","subscribe",{}])");
  say(hub->open(quick), R"(["t:1","subscribe",{}])");
  quick.take();
  slow.is_stuck = true;
  const std::string payload(100, '1');
  for (int i = 0; i < 20; ++i) {
    hub->broadcast("t:1", "e", payload);
    hub->end_turn();
  }
  LONGS_EQUAL(20, quick.take().size());
  CHECK(slow.is_closing);
  LONGS_EQUAL(0, slow.close_code);  // nothing can be written yet
  LONGS_EQUAL(1, hub->subscriber_count("t:1"));
  slow.is_stuck = false;
  for (const auto& call : channel.take()) CHECK(call != "leave t:1 5");
}

TEST(Hub, a_slow_consumers_close_follows_when_it_reads_again) {
  FakeLink slow;
  Connection& connection = subscriber(slow);
  slow.is_stuck = true;
  for (int i = 0; i < 20; ++i) hub->broadcast("t:1", "e", std::string(100, '1'));
  hub->end_turn();
  slow.is_stuck = false;
  hub->writable(connection);
  hub->end_turn();
  LONGS_EQUAL(1013, slow.close_code);
  check_lines({}, slow.take());  // what waited was given up
}

TEST(Hub, a_message_over_the_outbox_bound_goes_where_nothing_waits) {
  subscriber(link);
  hub->broadcast("t:1", "e", std::string(5000, '1'));
  hub->end_turn();
  LONGS_EQUAL(1, link.take().size());
  CHECK_FALSE(link.is_closing);
}

TEST(Hub, what_a_pending_join_holds_counts_against_the_bound) {
  Connection& connection = hub->open(link);
  channel.on_join = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","subscribe",{}])");
  for (int i = 0; i < 20; ++i) hub->push(channel.subscription, "e", std::string(100, '1'));
  hub->end_turn();
  LONGS_EQUAL(1013, link.close_code);
}

TEST(Hub, a_kick_ends_a_subscription_with_an_error_and_a_leave) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  channel.on_event = [&](const Request& request) {
    CHECK(hub->kick(request.subscription, "BANNED", "out") == Hub::Outcome::kDone);
    LONGS_EQUAL(1, hub->subscriber_count("t:1"));  // not from within
    return Answer::ok();
  };
  say(connection, R"(["t:1","e",1])");
  check_lines({kSubscribedT, R"(["t:1","error",{"code":"BANNED","message":"out"}])"}, link.take());
  check_lines({"join t:1", "event t:1 e", "leave t:1 3"}, channel.take());
  CHECK(hub->kick(channel.subscription, "BANNED", "out") == Hub::Outcome::kGone);
  LONGS_EQUAL(0, link.close_code);
}

TEST(Hub, a_kick_of_a_connection_closes_it_with_1008) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  CHECK(hub->kick(channel.connection, "BANNED", "out") == Hub::Outcome::kDone);
  hub->end_turn();
  LONGS_EQUAL(1008, link.close_code);
  STRCMP_EQUAL("out", link.close_reason.c_str());
  check_lines({"join t:1", "leave t:1 3"}, channel.take());
  say(connection, R"(["t:1","e",1])");  // not heard any more
  check_lines({}, channel.take());
  hub->lost(connection);
  check_lines({}, channel.take());  // one leave for one join
}

TEST(Hub, a_leave_may_broadcast_and_the_leaver_hears_nothing) {
  FakeLink first;
  FakeLink second;
  Connection& leaver = subscriber(first);
  subscriber(second);
  channel.on_leave = [&](const Request& request, LeaveReason) {
    CHECK(hub->push(request.subscription, "e", "1") == Hub::Outcome::kGone);
    CHECK(hub->kept(request.subscription) != nullptr);
    LONGS_EQUAL(1, hub->broadcast("t:1", "left", "1"));
  };
  say(leaver, R"(["t:1","unsubscribe",{}])");
  check_lines({R"(["t:1","unsubscribed",{}])"}, first.take());
  check_lines({R"(["t:1","left",1])"}, second.take());
}

TEST(Hub, bytes_are_kept_with_a_subscription_until_it_ends) {
  Connection& connection = hub->open(link);
  channel.on_join = [&](const Request& request) {
    *hub->kept(request.subscription) = "mine";
    return Answer::ok();
  };
  say(connection, R"(["t:1","subscribe",{}])");
  STRCMP_EQUAL("mine", hub->kept(channel.subscription)->c_str());
  say(connection, R"(["t:1","unsubscribe",{}])");
  POINTERS_EQUAL(nullptr, hub->kept(channel.subscription));
}

TEST(Hub, one_connection_too_many_is_closed_with_1008) {
  std::vector<std::unique_ptr<FakeLink>> links;
  Connection* first = nullptr;
  for (int i = 0; i < 5; ++i) {
    links.push_back(std::make_unique<FakeLink>());
    Connection& connection = hub->open(*links.back());
    if (first == nullptr) first = &connection;
    hub->end_turn();
  }
  LONGS_EQUAL(0, links[3]->close_code);
  LONGS_EQUAL(1008, links[4]->close_code);
  STRCMP_EQUAL("Server at maximum capacity", links[4]->close_reason.c_str());
}

TEST(Hub, a_shutdown_delivers_what_waits_and_closes_everyone_with_1000) {
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  hub->broadcast("t:1", "last", "1");
  hub->shut_down();
  LONGS_EQUAL(0, link.close_code);
  hub->end_turn();
  check_lines({kSubscribedT, R"(["t:1","last",1])"}, link.take());
  LONGS_EQUAL(1000, link.close_code);
  STRCMP_EQUAL("Server shutting down", link.close_reason.c_str());
  check_lines({"join t:1", "leave t:1 5"}, channel.take());
}

TEST(Hub, kept_bytes_live_until_the_running_function_returns) {
  Connection& connection = hub->open(link);
  channel.on_join = [&](const Request& request) {
    *hub->kept(request.subscription) = "kept";
    return Answer::pending();
  };
  say(connection, R"(["t:1","subscribe",{}])");
  const std::string* kept = hub->kept(channel.subscription);
  hub->reply(channel.call, Answer::refused("C", "m"));  // ends the subscription
  STRCMP_EQUAL("kept", kept->c_str());
  hub->end_turn();
  POINTERS_EQUAL(nullptr, hub->kept(channel.subscription));
}

TEST(Hub, subscribes_that_wait_count_against_the_outbox_bound) {
  Connection& connection = hub->open(link);
  channel.on_join = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:1","subscribe",{}])");
  const std::string large = R"(["t:1","subscribe",")" + std::string(600, 'x') + "\"]";
  say(connection, large);
  check_lines({}, link.take());
  say(connection, large);
  check_lines({R"(["t:1","error",{"code":"LIMIT_EXCEEDED","message":"This topic is being joined"}])"},
              link.take());
  channel.on_join = nullptr;
  hub->reply(channel.call, Answer::ok());
  hub->end_turn();
  check_lines({kSubscribedT, kSubscribedT}, link.take());
  say(connection, R"(["t:2","subscribe",")" + std::string(600, 'x') + "\"]");
  check_lines({R"(["t:2","subscribed",{}])"}, link.take());
}

TEST(Hub, what_a_link_takes_at_once_is_no_backlog) {
  subscriber(link);
  for (int i = 0; i < 50; ++i) hub->broadcast("t:1", "e", std::string(400, '1'));
  hub->end_turn();
  LONGS_EQUAL(50, link.take().size());
  CHECK_FALSE(link.is_closing);
}

TEST(Hub, who_is_refused_or_closing_takes_nobodys_place) {
  std::vector<std::unique_ptr<FakeLink>> links;
  std::vector<Connection*> open;
  for (int i = 0; i < 6; ++i) {  // four are served
    links.push_back(std::make_unique<FakeLink>());
    open.push_back(&hub->open(*links.back()));
    hub->end_turn();
  }
  LONGS_EQUAL(4, hub->connection_count());
  hub->lost(*open[0]);
  hub->close(*open[1], CloseCode::kTooBig, "");
  hub->end_turn();
  LONGS_EQUAL(2, hub->connection_count());
  for (int i = 0; i < 2; ++i) {
    links.push_back(std::make_unique<FakeLink>());
    hub->open(*links.back());
    hub->end_turn();
    LONGS_EQUAL(0, links.back()->close_code);
  }
  hub->lost(*open[5]);  // one that was refused
  LONGS_EQUAL(4, hub->connection_count());
}

TEST(Hub, what_is_no_message_is_answered_on_the_error_topic) {
  Connection& connection = hub->open(link);
  say(connection, "{");
  say(connection, "{}");
  say(connection, R"([")" + std::string(65, 't') + R"(","e",1])");
  hub->receive(connection, "[\"t:1\",\"e\",\"\xff\"]", false, now);
  hub->end_turn();
  const std::string invalid =
      R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])";
  check_lines({invalid,
               R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Message must be [topic, event, payload]"}])",
               R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Topic or event name is too long or holds a NUL"}])",
               invalid},
              link.take());
}

TEST(Hub, many_subscriptions_end_in_any_order) {
  limits.max_subscriptions = 10'000;
  Hub large(limits, ids, log);
  large.set_channels({&channel});
  FakeLink first;
  FakeLink second;
  Connection& a = large.open(first);
  Connection& b = large.open(second);
  for (int i = 0; i < 2000; ++i) {
    const std::string message = "[\"t:" + std::to_string(i) + "\",\"subscribe\",{}]";
    large.receive(a, message, true, 0);
    large.receive(b, message, true, 0);
    large.end_turn();
  }
  for (int i = 1999; i >= 0; i -= 3) {
    large.receive(a, "[\"t:" + std::to_string(i) + "\",\"unsubscribe\",{}]", true, 0);
    large.end_turn();
    LONGS_EQUAL(1, large.subscriber_count("t:" + std::to_string(i)));
  }
  large.lost(b);
  std::size_t left = 0;
  for (int i = 0; i < 2000; ++i) left += large.subscriber_count("t:" + std::to_string(i));
  LONGS_EQUAL(2000 - 667, left);
  large.lost(a);
  std::size_t joins = 0;
  std::size_t leaves = 0;
  for (const std::string& call : channel.take()) (call[0] == 'j' ? joins : leaves) += 1;
  LONGS_EQUAL(4000, joins);
  LONGS_EQUAL(4000, leaves);
}
