// Who may do what with which topics.
#include "core/access/rules.hpp"

#include <string>

#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::access;
using jackfield::hub::Action;
using jackfield::hub::ConnectionFacts;
using jackfield::test::check;

ConnectionFacts facts(std::string identity, std::string groups = "") {
  ConnectionFacts::Parts parts;
  parts.peer = "192.0.2.1";
  parts.identity = std::move(identity);
  parts.groups = std::move(groups);
  return ConnectionFacts(std::move(parts));
}

bool may_send(const Rules& rules, const ConnectionFacts& who, std::string_view topic) {
  return rules.may(who, Action::kSend, topic);
}

}  // namespace

TEST_GROUP(AccessRules) {
  const ConnectionFacts nobody = facts("");
  const ConnectionFacts alice = facts("jwt:alice", "ops,staff");
  const ConnectionFacts bob = facts("token:bob");
};

TEST(AccessRules, without_any_everyone_may_subscribe_and_send_and_nobody_publish) {
  const Rules rules;
  CHECK(rules.may(nobody, Action::kSubscribe, "a"));
  CHECK(rules.may(nobody, Action::kSend, ""));
  CHECK_FALSE(rules.may(alice, Action::kPublish, "a"));
}

TEST(AccessRules, what_none_allows_is_refused) {
  const Rules rules({{{"room:<room>"}, {"anyone"}, {"subscribe"}}});
  CHECK(rules.may(nobody, Action::kSubscribe, "room:1"));
  CHECK_FALSE(rules.may(nobody, Action::kSend, "room:1"));
  CHECK_FALSE(rules.may(nobody, Action::kPublish, "room:1"));
  CHECK_FALSE(rules.may(nobody, Action::kSubscribe, "other:1"));
}

TEST(AccessRules, several_add_up) {
  const Rules rules({{{"a:*"}, {"known"}, {"subscribe", "send"}},
                     {{"a:b", "c"}, {"anyone"}, {"send"}},
                     {{"*"}, {"group:ops"}, {"publish"}}});
  CHECK(may_send(rules, nobody, "a:b"));
  CHECK(may_send(rules, nobody, "c"));
  CHECK_FALSE(may_send(rules, nobody, "a:x"));
  CHECK(may_send(rules, bob, "a:x"));
  CHECK(rules.may(alice, Action::kPublish, "whatever:there:is"));
  CHECK_FALSE(rules.may(bob, Action::kPublish, "whatever:there:is"));
}

TEST(AccessRules, who_is_an_identity_a_kind_or_a_group) {
  const auto rules = [](const char* who) { return Rules({{{"*"}, {who}, {"send"}}}); };
  struct Row {
    const char* who;
    bool nobody, alice, bob;
  };
  for (const Row& row : {Row{"anyone", true, true, true}, Row{"known", false, true, true},
                         Row{"jwt:alice", false, true, false}, Row{"jwt:alic", false, false, false},
                         Row{"token:alice", false, false, false}, Row{"token:*", false, false, true},
                         Row{"jwt:*", false, true, false}, Row{"group:ops", false, true, false},
                         Row{"group:staff", false, true, false}, Row{"group:op", false, false, false},
                         Row{"group:ops,staff", false, false, false}}) {
    check(may_send(rules(row.who), nobody, "t") == row.nobody, row.who);
    check(may_send(rules(row.who), alice, "t") == row.alice, row.who);
    check(may_send(rules(row.who), bob, "t") == row.bob, row.who);
  }
}

TEST(AccessRules, topics_match_segment_by_segment) {
  struct Row {
    const char* pattern;
    const char* topic;
    bool matches;
  };
  for (const Row& row : {
           Row{"room", "room", true}, Row{"room", "room:", false}, Row{"room", "", false},
           Row{"room:lab", "room:lab", true}, Row{"room:lab", "room:la", false},
           Row{"room:lab", "room:labs", false}, Row{"room:lab", "room:lab:x", false},
           Row{"room:<r>", "room:", true}, Row{"room:<r>", "room", false},
           Row{"room:<r>", "room:a", true}, Row{"room:<r>", "room:a:b", false},
           Row{"<a>:x", "b:x", true}, Row{"<a>:x", ":x", true}, Row{"<a>:x", "x", false},
           Row{"room:*", "room:", true}, Row{"room:*", "room:a:b:c", true},
           Row{"room:*", "room", false}, Row{"room:*", "rooms:a", false}, Row{"*", "", true},
           Row{"*", "a:b", true},
       }) {
    const Rules rules({{{row.pattern}, {"anyone"}, {"send"}}});
    check(may_send(rules, nobody, row.topic) == row.matches,
          std::string(row.pattern) + " " + row.topic);
  }
}

TEST(AccessRules, identity_in_a_topic_is_the_clients_own_name) {
  const Rules rules({{{"user:<identity>", "user:<identity>:*"}, {"known"}, {"send"}}});
  CHECK(may_send(rules, alice, "user:alice"));
  CHECK(may_send(rules, alice, "user:alice:inbox"));
  CHECK(may_send(rules, bob, "user:bob"));
  for (const char* topic : {"user:bob", "user:", "user:alic", "user:alicee", "user:jwt", "user:jwt:alice",
                            "user:Alice", "user"}) {
    check(!may_send(rules, alice, topic), topic);
  }
  CHECK_FALSE(may_send(rules, nobody, "user:"));
  CHECK_FALSE(may_send(rules, nobody, "user:anyone"));
  // Where anyone may, nobody has no name of his own.
  const Rules open({{{"user:<identity>"}, {"anyone"}, {"send"}}});
  CHECK_FALSE(may_send(open, nobody, "user:"));
}

TEST(AccessRules, a_star_alone_does_not_ask_for_the_name_that_the_rule_before_it_did) {
  const Rules rules({{{"user:<identity>"}, {"known"}, {"send"}}, {{"*"}, {"known"}, {"send"}}});
  CHECK(may_send(rules, alice, "user:bob"));
  const Rules row({{{"user:<identity>", "*"}, {"known"}, {"send"}}});
  CHECK(may_send(row, alice, "user:bob"));
}

TEST(AccessRules, a_name_with_a_colon_is_no_segment) {
  const Rules rules({{{"user:<identity>"}, {"known"}, {"send"}}});
  CHECK_FALSE(may_send(rules, facts("jwt:a:b"), "user:a:b"));
  CHECK_FALSE(may_send(rules, facts("jwt:a:b"), "user:a"));
}

TEST(AccessRules, texts_have_their_forms) {
  for (const char* topic : {"a", "a:b", "<x>:b", "a:*", "*", "<identity>:*"}) {
    check(check_rule_topic(topic).is_ok(), topic);
  }
  for (const char* topic : {"", "a:", ":a", "a::b", "a*", "a:*:b", "*:a", "<>", "<1>", "<a", "a:b*", "<x>:<x>"}) {
    check(!check_rule_topic(topic).is_ok(), topic);
  }
  for (const char* who : {"anyone", "known", "jwt:alice", "token:*", "cert:x", "unix:root",
                          "group:ops"}) {
    check(check_rule_who(who).is_ok(), who);
  }
  for (const char* who : {"", "alice", "everyone", "jwt:", "jwt:a b", "group:", "group:a,b", "x:y"}) {
    check(!check_rule_who(who).is_ok(), who);
  }
  for (const char* action : {"subscribe", "send", "publish"}) CHECK(check_rule_action(action).is_ok());
  for (const char* action : {"", "join", "Send", "*"}) CHECK_FALSE(check_rule_action(action).is_ok());
}
