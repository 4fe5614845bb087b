#include "core/hub/topic_pattern.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::hub::TopicPattern;

TEST_GROUP(HubTopicPattern) {
  static bool match(std::string_view pattern, std::string_view topic) {
    return TopicPattern::parse(pattern).value().match(topic);
  }
};

TEST(HubTopicPattern, without_a_star_it_is_as_channels_have_it) {
  CHECK(match("room:<id>", "room:1"));
  CHECK(match("room:<id>", "room:"));
  CHECK_FALSE(match("room:<id>", "room:1:2"));
  CHECK(match("a", "a"));
}

TEST(HubTopicPattern, a_last_star_takes_one_segment_or_more) {
  CHECK(match("a:*", "a:1"));
  CHECK(match("a:*", "a:"));
  CHECK(match("a:*", "a:1:2:3"));
  CHECK_FALSE(match("a:*", "a"));
  CHECK_FALSE(match("a:*", "ab:1"));
  CHECK_FALSE(match("a:*", "b:1"));
  CHECK(match("<x>:b:*", "1:b:2"));
  CHECK_FALSE(match("<x>:b:*", "1:c:2"));
  CHECK_FALSE(match("<x>:b:*", "1:b"));
  CHECK(match("*", ""));
  CHECK(match("*", "a:b"));
}

TEST(HubTopicPattern, what_is_malformed_is_refused) {
  for (const char* text : {"", "a:*:b", "a*", "**", "a:**", ":*", "a::*", "<x", "<x>:<x>"}) {
    CHECK_FALSE(TopicPattern::parse(text).is_ok());
  }
}
