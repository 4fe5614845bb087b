#include "core/hub/connection_facts.hpp"

#include <string>

#include <CppUTest/TestHarness.h>

using jackfield::hub::ConnectionFacts;

TEST_GROUP(HubConnectionFacts) {};

TEST(HubConnectionFacts, say_what_they_were_made_of) {
  const ConnectionFacts facts({.peer = "2001:db8::17",
                               .identity = "ann",
                               .path = "/a/long/path/that/fits/no/small/string",
                               .query = "q=1&r=2",
                               .headers = {{"origin", "http://a"}, {"x-team", "blue"}},
                               .is_local = true});
  CHECK(facts.peer() == "2001:db8::17");
  CHECK(facts.identity() == "ann");
  CHECK(facts.path() == "/a/long/path/that/fits/no/small/string");
  CHECK(facts.query() == "q=1&r=2");
  CHECK(facts.header("origin") == "http://a");
  CHECK(facts.header("x-team") == "blue");
  CHECK(facts.header("x") == "");
  CHECK(facts.is_local());
}

TEST(HubConnectionFacts, what_is_not_known_is_empty) {
  const ConnectionFacts facts({.peer = {}, .identity = {}, .path = {}, .query = {}, .headers = {}});
  CHECK(facts.peer() == "");
  CHECK(facts.identity() == "");
  CHECK(facts.path() == "");
  CHECK(facts.query() == "");
  CHECK(facts.header("origin") == "");
  CHECK(!facts.is_local());
}
