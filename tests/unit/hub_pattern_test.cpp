#include "core/hub/pattern.hpp"

#include <string>
#include <string_view>

#include <CppUTest/TestHarness.h>

using jackfield::hub::Params;
using jackfield::hub::Pattern;
using namespace std::string_view_literals;

namespace {

bool matches(std::string_view text, std::string_view topic) {
  const auto pattern = Pattern::parse(text);
  CHECK(pattern.is_ok());
  Params params;
  return pattern.value().match(topic, params);
}

}  // namespace

TEST_GROUP(HubPattern) {};

TEST(HubPattern, a_literal_matches_itself) {
  CHECK(matches("observatory", "observatory"));
  CHECK_FALSE(matches("observatory", "Observatory"));
  CHECK_FALSE(matches("observatory", ""));
  CHECK_FALSE(matches("observatory", "observatory:"));
  CHECK(matches("a:b:c", "a:b:c"));
  CHECK_FALSE(matches("a:b:c", "a:b"));
}

TEST(HubPattern, a_parameter_takes_any_segment_the_empty_one_too) {
  CHECK(matches("reasoning:<sessionId>", "reasoning:abc"));
  CHECK(matches("reasoning:<sessionId>", "reasoning:"));
  CHECK_FALSE(matches("reasoning:<sessionId>", "reasoning"));
  CHECK_FALSE(matches("reasoning:<sessionId>", "reasoning:a:b"));
  CHECK(matches("<all>", ""));
  CHECK(matches("<all>", "x"));
  CHECK(matches("<a>:<b>", ":"));
  CHECK(matches("<a>:x:<b>", ":x:"));
}

TEST(HubPattern, params_have_names_and_values_in_order) {
  const auto pattern = Pattern::parse("room:<room>:seat:<seat_2>");
  const std::string_view topic = "room:r 1:seat:";
  Params params;
  CHECK(pattern.value().match(topic, params));
  LONGS_EQUAL(2, params.count);
  CHECK(params.items[0].name == "room");
  CHECK(params.items[0].value == "r 1");
  CHECK(params.items[1].name == "seat_2");
  CHECK(params.items[1].value == "");
}

TEST(HubPattern, a_malformed_pattern_is_refused_with_its_reason) {
  for (const std::string_view text :
       {""sv, ":"sv, "a:"sv, ":a"sv, "a::b"sv, "<>"sv, "<1a>"sv, "<a-b>"sv, "<a"sv, "a>"sv,
        "x<a>"sv, "<a>x"sv, "<a>:<a>"sv, "<<a>>"sv, "<a b>"sv, "a\0b"sv}) {
    const auto pattern = Pattern::parse(text);
    CHECK_FALSE(pattern.is_ok());
    CHECK(pattern.message().starts_with("malformed pattern"));
  }
  STRCMP_EQUAL("malformed pattern \"<a>:<a>\": the name \"a\" is used twice",
               Pattern::parse("<a>:<a>").message().c_str());
}

TEST(HubPattern, at_most_sixteen_parameters) {
  std::string text = "<p0>";
  for (int i = 1; i < 16; ++i) text += ":<p" + std::to_string(i) + ">";
  CHECK(Pattern::parse(text).is_ok());
  CHECK(matches(text, std::string(15, ':')));
  CHECK_FALSE(Pattern::parse(text + ":<p16>").is_ok());
}
