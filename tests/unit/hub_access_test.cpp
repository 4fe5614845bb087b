// Who may do what: asked of a policy, before any channel is.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hub/hub.hpp"
#include "tests/unit/hub_group.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;
using namespace jackfield::test;
namespace base = jackfield::base;

namespace {

class FakePolicy : public AccessPolicy {
 public:
  bool may(const ConnectionFacts& facts, Action action, std::string_view topic) const override {
    STRCMP_EQUAL("192.0.2.1", std::string(facts.peer()).c_str());
    asked.push_back((action == Action::kSubscribe ? "subscribe " : "send ") + std::string(topic));
    return !forbids(action, topic);
  }

  std::function<bool(Action, std::string_view)> forbids = [](Action, std::string_view) {
    return true;
  };
  mutable std::vector<std::string> asked;
};

const std::string kRefused =
    R"(["t:1","error",{"code":"FORBIDDEN","message":"Not allowed on this topic"}])";
const std::string kRefusedNow =
    R"(["t:1","error",{"code":"FORBIDDEN","message":"Not allowed on this topic any more"}])";

}  // namespace

TEST_GROUP_BASE(HubAccess, HubGroup) {
  FakePolicy policy;

  void forbid(Action action) {
    policy.forbids = [action](Action asked, std::string_view topic) {
      return asked == action && topic == "t:1";
    };
    hub->set_access(&policy);
  }
};

TEST(HubAccess, without_a_policy_all_may_everything) {
  Connection& connection = subscriber(link);
  hub->recheck_access();
  say(connection, R"(["t:1","x",1])");
  check_lines({"event t:1 x"}, channel.take());
}

TEST(HubAccess, a_subscribe_that_is_not_allowed_reaches_no_channel) {
  forbid(Action::kSubscribe);
  channel.on_match = [](const Request&) -> bool { FAIL("asked for its channel"); return true; };
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  check_lines({kRefused}, link.take());
  LONGS_EQUAL(1, hub->counts().accesses_refused);
  channel.on_match = nullptr;
  say(connection, R"(["t:2","subscribe",{}])");
  say(connection, R"(["t:1","x",1])");
  check_lines({R"(["t:2","subscribed",{}])"}, link.take());
  check_lines({"join t:2", "event t:1 x"}, channel.take());
  LONGS_EQUAL(1, hub->counts().accesses_refused);
}

TEST(HubAccess, an_event_that_is_not_allowed_reaches_no_channel) {
  forbid(Action::kSend);
  Connection& connection = subscriber(link);
  say(connection, R"(["t:1","x",1])");
  check_lines({kRefused}, link.take());
  check_lines({}, channel.take());
}

TEST(HubAccess, a_further_subscribe_is_asked_about_and_the_subscription_stands) {
  Connection& connection = subscriber(link);
  forbid(Action::kSubscribe);
  say(connection, R"(["t:1","subscribe",{}])");
  check_lines({kRefused}, link.take());
  LONGS_EQUAL(1, hub->subscriber_count("t:1"));
}

TEST(HubAccess, an_unsubscribe_is_never_asked_about) {
  Connection& connection = subscriber(link);
  hub->set_access(&policy);
  say(connection, R"(["t:1","unsubscribe",{}])");
  check_lines({R"(["t:1","unsubscribed",{}])"}, link.take());
  check_lines({}, policy.asked);
}

TEST(HubAccess, a_subscribe_that_waited_for_a_join_is_asked_about_again) {
  base::Id call = 0;
  channel.on_join = [&](const Request& request) {
    call = request.call;
    return Answer::pending();
  };
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  say(connection, R"(["t:1","subscribe",{}])");
  forbid(Action::kSubscribe);
  hub->reply(call, Answer::ok());
  hub->end_turn();
  check_lines({kSubscribedT, kRefused}, link.take());
}

TEST(HubAccess, a_recheck_ends_what_is_not_allowed_any_more) {
  FakeLink other;
  subscriber(link);
  say(subscriber(other), R"(["t:2","subscribe",{}])");
  other.take();
  channel.take();
  forbid(Action::kSubscribe);
  hub->recheck_access();
  hub->end_turn();
  check_lines({kRefusedNow}, link.take());
  check_lines({kRefusedNow}, other.take());
  check_lines({"leave t:1 3", "leave t:1 3"}, channel.take());
  LONGS_EQUAL(0, hub->subscriber_count("t:1"));
  LONGS_EQUAL(1, hub->subscriber_count("t:2"));
  LONGS_EQUAL(2, hub->counts().accesses_refused);
}

TEST(HubAccess, a_recheck_ends_joins_that_are_not_answered) {
  base::Id call = 0;
  channel.on_join = [&](const Request& request) {
    call = request.call;
    return Answer::pending();
  };
  Connection& connection = hub->open(link);
  say(connection, R"(["t:1","subscribe",{}])");
  forbid(Action::kSubscribe);
  hub->recheck_access();
  hub->end_turn();
  check_lines({kRefusedNow}, link.take());
  check_lines({"join t:1"}, channel.take());
  LONGS_EQUAL(1, static_cast<int>(hub->reply(call, Answer::ok())));
  hub->end_turn();
  check_lines({"leave t:1 3"}, channel.take());  // that of the join which succeeded after all
}

TEST(HubAccess, what_waits_for_a_held_channel_is_asked_about_when_it_is_handled) {
  Connection& connection = hub->open(link);
  hub->set_access(&policy);
  policy.forbids = [](Action, std::string_view) { return false; };
  hub->hold({&channel});
  say(connection, R"(["t:1","subscribe",{}])");
  forbid(Action::kSubscribe);
  hub->recheck_access();
  hub->end_turn();
  check_lines({}, link.take());
  hub->release();
  hub->end_turn();
  check_lines({kRefused}, link.take());
  check_lines({}, channel.take());
}
