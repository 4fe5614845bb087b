#include <string>
#include <vector>

#include "core/hub/hub.hpp"
#include "tests/unit/hub_group.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using namespace jackfield::test;
namespace base = jackfield::base;

TEST_GROUP_BASE(HubChannels, HubGroup) {
  FakeChannel& old = channel;
  FakeChannel fresh;

  // As a replacement does it, from the hold on.
  Hub::HandOver replace(const std::vector<Channel*>& successors) {
    hub->hold({&old});
    hub->freeze();
    hub->set_channels(successors);
    const Hub::HandOver result = hub->hand_over(successors);
    hub->release();
    hub->end_turn();
    return result;
  }
};

TEST(HubChannels, a_successor_adopts_every_subscription_and_serves_it) {
  FakeLink other_link;
  Connection& first = subscriber(link);
  const base::Id subscription = old.subscription;
  subscriber(other_link);
  *hub->kept(subscription) = "kept";
  std::vector<base::Id> adopted;
  fresh.on_adopt = [&](const Request& request) {
    adopted.push_back(request.subscription);
    return true;
  };
  const Hub::HandOver result = replace({&fresh});
  LONGS_EQUAL(2, result.adopted);
  LONGS_EQUAL(0, result.ended);
  LONGS_EQUAL(2, adopted.size());
  LONGS_EQUAL(subscription, adopted[0]);
  STRCMP_EQUAL("kept", hub->kept(subscription)->c_str());
  check_lines({}, old.take());
  fresh.take();
  say(first, R"(["t:1","e",1])");
  LONGS_EQUAL(subscription, fresh.subscription);
  hub->broadcast("t:1", "b", "2");
  hub->end_turn();
  check_lines({R"(["t:1","b",2])"}, link.take());
  check_lines({R"(["t:1","b",2])"}, other_link.take());
  hub->lost(first);
  check_lines({"event t:1 e", "leave t:1 2"}, fresh.take());
  check_lines({}, old.take());
}

TEST(HubChannels, an_adopted_subscriber_may_get_a_fresh_snapshot) {
  subscriber(link);
  fresh.on_adopt = [&](const Request& request) {
    CHECK(hub->push(request.subscription, "snapshot", "7") == Hub::Outcome::kDone);
    return true;
  };
  replace({&fresh});
  check_lines({R"(["t:1","snapshot",7])"}, link.take());
}

TEST(HubChannels, a_topic_that_no_successor_serves_leaves_and_is_told) {
  Connection& connection = subscriber(link);
  FakeChannel elsewhere("u:<id>");
  const Hub::HandOver result = replace({&elsewhere});
  LONGS_EQUAL(1, result.ended);
  check_lines({"leave t:1 4"}, old.take());
  check_lines({R"(["t:1","error",{"code":"CHANNEL_UNLOADED","message":"The channel of this topic was unloaded"}])"},
              link.take());
  LONGS_EQUAL(0, hub->subscriber_count("t:1"));
  hub->lost(connection);
  check_lines({}, old.take());
}

TEST(HubChannels, a_subscription_that_is_not_adopted_leaves_the_old_channel) {
  subscriber(link);
  fresh.on_adopt = [](const Request&) { return false; };
  LONGS_EQUAL(1, replace({&fresh}).ended);
  check_lines({"leave t:1 4"}, old.take());
  LONGS_EQUAL(1, link.take().size());
}

TEST(HubChannels, a_successor_that_does_not_take_the_topic_leaves_it_to_the_next) {
  subscriber(link);
  FakeChannel next("<kind>:<id>");
  fresh.on_match = [](const Request&) { return false; };
  LONGS_EQUAL(1, replace({&fresh, &next}).adopted);
  check_lines({}, fresh.take());
  check_lines({"adopt t:1"}, next.take());
}

TEST(HubChannels, messages_for_a_held_channel_wait_in_their_order) {
  FakeChannel elsewhere("u:<id>");
  hub->set_channels({&old, &elsewhere});
  Connection& connection = subscriber(link);
  hub->hold({&old});
  say(connection, R"(["t:1","first",1])");
  CHECK(link.is_paused);
  // What was received before it could be paused waits too, whatever it is for.
  say(connection, R"(["u:1","second",2])");
  say(connection, "no message");
  say(connection, R"(["t:2","subscribe",{}])");
  say(connection, R"(["t:1","unsubscribe",{}])");
  check_lines({}, old.take());
  check_lines({}, elsewhere.take());
  check_lines({}, link.take());
  hub->release();
  hub->end_turn();
  CHECK_FALSE(link.is_paused);
  check_lines({"event t:1 first", "join t:2", "leave t:1 1"}, old.take());
  check_lines({"event u:1 second"}, elsewhere.take());
  check_lines({R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])",
               R"(["t:2","subscribed",{}])", R"(["t:1","unsubscribed",{}])"},
              link.take());
}

TEST(HubChannels, connections_that_need_no_held_channel_are_served_meanwhile) {
  FakeChannel elsewhere("u:<id>");
  hub->set_channels({&old, &elsewhere});
  Connection& connection = hub->open(link);
  hub->hold({&old});
  say(connection, R"(["u:1","subscribe",{}])");
  say(connection, R"(["v:1","e",1])");
  CHECK_FALSE(link.is_paused);
  LONGS_EQUAL(2, link.take().size());
  hub->release();
}

TEST(HubChannels, what_waited_goes_to_the_successor) {
  Connection& connection = subscriber(link);
  hub->hold({&old});
  say(connection, R"(["t:1","e",1])");
  hub->freeze();
  hub->set_channels({&fresh});
  hub->hand_over({&fresh});
  hub->release();
  check_lines({"adopt t:1", "event t:1 e"}, fresh.take());
  check_lines({}, old.take());
}

TEST(HubChannels, what_waited_goes_to_the_old_channel_where_the_change_is_called_off) {
  Connection& connection = subscriber(link);
  hub->hold({&old});
  say(connection, R"(["t:1","e",1])");
  hub->freeze();
  hub->release();
  check_lines({"event t:1 e"}, old.take());
}

TEST(HubChannels, a_frozen_channel_gets_its_leaves_later) {
  Connection& connection = subscriber(link);
  hub->hold({&old});
  hub->freeze();
  hub->lost(connection);
  check_lines({}, old.take());
  hub->release();
  check_lines({"leave t:1 2"}, old.take());
}

TEST(HubChannels, a_subscription_that_ended_meanwhile_is_adopted_and_leaves) {
  Connection& connection = subscriber(link);
  const base::Id subscription = old.subscription;
  hub->hold({&old});
  hub->freeze();
  hub->lost(connection);
  hub->set_channels({&fresh});
  LONGS_EQUAL(1, hub->hand_over({&fresh}).adopted);
  hub->release();
  check_lines({}, old.take());
  check_lines({"adopt t:1", "leave t:1 2"}, fresh.take());
  POINTERS_EQUAL(nullptr, hub->kept(subscription));
}

TEST(HubChannels, a_pending_join_is_asked_again_and_answered_once) {
  old.on_join = [](const Request&) { return Answer::pending(); };
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{"id":"x"}])");
  say(connection, R"(["t:1","subscribe",{"id":"y"}])");
  const base::Id call = old.call;
  hub->push(call, "old snapshot", "1");
  hub->hold({&old});
  LONGS_EQUAL(1, hub->pending_of_held());
  hub->freeze();
  hub->set_channels({&fresh});
  hub->hand_over({&fresh});
  hub->release();
  hub->end_turn();
  CHECK(hub->reply(call, Answer::ok()) == Hub::Outcome::kGone);
  hub->end_turn();
  check_lines({"join t:1", "join t:1"}, fresh.take());
  check_lines({R"(["t:1","subscribed",{"id":"x"}])", R"(["t:1","subscribed",{"id":"y"}])"}, link.take());
  LONGS_EQUAL(1, hub->subscriber_count("t:1"));
}

TEST(HubChannels, a_pending_event_is_answered_by_an_error) {
  old.on_event = [](const Request&) { return Answer::pending(); };
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","e",1])");
  const base::Id call = old.call;
  replace({&fresh});
  check_lines({R"(["t:1","error",{"code":"INTERNAL_ERROR","message":"The channel was replaced before it answered"}])"},
              link.take());
  CHECK(hub->reply(call, Answer::refused("C", "m")) == Hub::Outcome::kGone);
  hub->end_turn();
  check_lines({}, link.take());
}

TEST(HubChannels, a_pending_join_whose_client_has_left_is_forgotten) {
  old.on_join = [](const Request&) { return Answer::pending(); };
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  hub->lost(connection);
  LONGS_EQUAL(0, replace({&fresh}).adopted);
  check_lines({}, fresh.take());
}

TEST(HubChannels, too_much_that_waits_is_answered) {
  limits.max_message_bytes = 1 << 30;
  Connection& connection = hub->open(link);
  FakeLink other_link;
  Connection& other = hub->open(other_link);
  hub->hold({&old});
  const std::string large = R"(["t:1","e",")" + std::string(Hub::kMaxHeldBytes - 100, 'x') + "\"]";
  say(connection, large);
  say(other, R"(["t:1","e",")" + std::string(200, 'x') + "\"]");
  check_lines({}, link.take());
  check_lines({R"(["t:1","error",{"code":"LIMIT_EXCEEDED","message":"Too much waits for a channel being replaced"}])"},
              other_link.take());
  CHECK_FALSE(other_link.is_paused);
  hub->release();
  check_lines({"event t:1 e"}, old.take());
}

// What one connection left behind when it was lost, or closed, is nobody's any more.
TEST(HubChannels, what_waited_for_a_connection_that_is_gone_takes_no_room) {
  Connection& lost = hub->open(link);
  FakeLink closed_link;
  Connection& closed = hub->open(closed_link);
  FakeLink last_link;
  Connection& last = hub->open(last_link);
  hub->hold({&old});
  const std::string large = R"(["t:1","e",")" + std::string(Hub::kMaxHeldBytes - 100, 'x') + "\"]";
  say(lost, large);
  hub->lost(lost);
  say(closed, large);
  check_lines({}, closed_link.take());
  hub->close(closed, CloseCode::kPolicy, "go");
  hub->end_turn();
  say(last, large);
  check_lines({}, last_link.take());
  CHECK(last_link.is_paused);
  hub->release();
  check_lines({"event t:1 e"}, old.take());
}

TEST(HubChannels, a_connection_that_is_closed_while_it_waits_is_read_from_again) {
  Connection& connection = subscriber(link);
  hub->hold({&old});
  say(connection, R"(["t:1","e",1])");
  hub->close(connection, CloseCode::kPolicy, "go");
  hub->end_turn();
  CHECK_FALSE(link.is_paused);
  LONGS_EQUAL(1008, link.close_code);
  old.take();
  hub->release();
  check_lines({}, old.take());
}

TEST(HubChannels, a_retired_channel_leaves_nothing_behind) {
  Connection& connection = subscriber(link);
  old.on_join = [](const Request&) { return Answer::pending(); };
  old.on_event = [](const Request&) { return Answer::pending(); };
  say(connection, R"(["t:2","subscribe",{}])");
  const base::Id call = old.call;
  say(connection, R"(["t:1","e",1])");
  hub->set_channels({});
  hub->retire({&old}, LeaveReason::kUnloaded);
  check_lines({"join t:2", "event t:1 e", "leave t:1 4"}, old.take());
  CHECK(hub->reply(call, Answer::ok()) == Hub::Outcome::kGone);
  hub->end_turn();
  const std::string told =
      R"(","error",{"code":"CHANNEL_UNLOADED","message":"The channel of this topic was unloaded"}])";
  check_lines({R"(["t:1)" + told, R"(["t:2)" + told, R"(["t:1)" + told}, link.take());
  say(connection, R"(["t:1","e",1])");
  check_lines({R"(["t:1","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: t:1"}])"},
              link.take());
  check_lines({}, old.take());
}

TEST(HubChannels, nobody_is_told_where_the_server_ends) {
  subscriber(link);
  hub->set_channels({});
  hub->retire({&old}, LeaveReason::kShutdown);
  hub->end_turn();
  check_lines({"leave t:1 5"}, old.take());
  check_lines({}, link.take());
}

TEST(HubChannels, an_event_knows_the_subscription_of_its_own_channel_only) {
  FakeChannel earlier("t:<id>");
  Connection& connection = subscriber(link);
  hub->set_channels({&earlier, &old});
  say(connection, R"(["t:1","e",1])");
  check_lines({"event t:1 e"}, earlier.take());
  LONGS_EQUAL(0, earlier.subscription);
}

TEST(HubChannels, a_leave_may_answer_other_calls_while_its_channel_is_retired) {
  Connection& connection = hub->open(link);
  std::vector<base::Id> calls;
  old.on_join = [&](const Request& request) {
    if (request.topic == "t:0") return Answer::ok();
    calls.push_back(request.call);
    return Answer::pending();
  };
  say(connection, R"(["t:0","subscribe",{}])");
  say(connection, R"(["t:1","subscribe",{}])");
  say(connection, R"(["t:1","subscribe",{"id":"again"}])");
  say(connection, R"(["t:2","subscribe",{}])");
  old.on_leave = [&](const Request& request, LeaveReason) {
    if (request.topic != "t:0") return;
    hub->reply(calls[0], Answer::ok());
    hub->reply(calls[1], Answer::refused("C", "m"));
  };
  hub->set_channels({});
  hub->retire({&old}, LeaveReason::kShutdown);
  std::size_t joins = 0;
  std::size_t leaves = 0;
  for (const std::string& call : old.take()) (call[0] == 'j' ? joins : leaves) += 1;
  LONGS_EQUAL(3, joins);  // the waiting subscribe joined nothing
  LONGS_EQUAL(2, leaves);
  hub->end_turn();
  hub->lost(connection);
}

TEST(HubChannels, who_subscribes_again_is_joined_with_the_params_of_the_channel_that_serves_it) {
  Connection& connection = subscriber(link);
  FakeChannel before("<kind>:<rest>");
  hub->set_channels({&before, &old});
  say(connection, R"(["t:1","subscribe",{}])");
  check_lines({}, before.take());
  check_lines({"join t:1"}, old.take());
  check_lines({"id=1"}, old.params);
  check_lines({kSubscribedT}, link.take());
  say(connection, R"(["t:1","e",1])");
  check_lines({"kind=t", "rest=1"}, before.params);
}
