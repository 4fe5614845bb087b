#include "core/wire/message.hpp"

#include <string>
#include <string_view>

#include <CppUTest/TestHarness.h>

using jackfield::wire::Message;
using jackfield::wire::MessageReader;
using jackfield::wire::MessageLimits;
using Outcome = jackfield::wire::MessageReader::Outcome;

TEST_GROUP(WireMessage) {
  MessageReader reader;
  Message message;

  Outcome read(std::string_view text) { return reader.read(text, MessageLimits{8, 5, 4}, message); }
};

TEST(WireMessage, the_payload_is_a_view_of_the_very_bytes) {
  const std::string text = " [ \"t\" , \"e\" , {\"n\": 12345678901234567890.10} ] ";
  CHECK(read(text) == Outcome::kMessage);
  CHECK(message.topic == "t");
  CHECK(message.event == "e");
  CHECK(message.payload == "{\"n\": 12345678901234567890.10}");
  CHECK(message.payload.data() > text.data());
  CHECK(message.payload.data() < text.data() + text.size());
}

TEST(WireMessage, names_are_decoded) {
  CHECK(read("[\"a\\u003ab\",\"\\ne\",null]") == Outcome::kMessage);
  CHECK(message.topic == "a:b");
  CHECK(message.event == "\ne");
}

TEST(WireMessage, both_names_may_have_escapes) {
  CHECK(read("[\"\\u0041\",\"\\u0042\",0]") == Outcome::kMessage);
  CHECK(message.topic == "A");
  CHECK(message.event == "B");
}

TEST(WireMessage, what_is_no_json_is_told_from_what_is_no_message) {
  for (const char* text : {"", " ", "[", "[1,2", "{\"a\"}", "nul", "[\"t\",\"e\",1],", "[\"t\",\"e\",01]",
                           "[\"t\",\"e\",1]x", "[\"t\",\"e\",]", "[,]"}) {
    CHECK_TEXT(read(text) == Outcome::kNotJson, text);
  }
  for (const char* text : {"{}", "5", "\"x\"", "null", "[]", "[1]", "[\"t\",\"e\"]",
                           "[\"t\",\"e\",1,2]", "[1,\"e\",1]", "[\"t\",null,1]", "[[],\"e\",1]",
                           "[1,2,3,4,5,6,7,8]"}) {
    CHECK_TEXT(read(text) == Outcome::kNotMessage, text);
  }
}

TEST(WireMessage, a_mistake_behind_the_third_element_is_still_invalid_json) {
  CHECK(read("[\"t\",\"e\",1,01]") == Outcome::kNotJson);
}

TEST(WireMessage, names_have_limits_and_hold_no_nul) {
  CHECK(read("[\"12345678\",\"12345\",1]") == Outcome::kMessage);
  CHECK(read("[\"123456789\",\"e\",1]") == Outcome::kBadName);
  CHECK(read("[\"t\",\"123456\",1]") == Outcome::kBadName);
  CHECK(read("[\"t\\u0000\",\"e\",1]") == Outcome::kBadName);
  CHECK(read("[\"t\",\"\\u0000\",1]") == Outcome::kBadName);
  CHECK(read("[\"\",\"\",1]") == Outcome::kMessage);
}

TEST(WireMessage, explains_as_the_reference_does) {
  CHECK(MessageReader::explain(Outcome::kNotJson) == "Invalid JSON");
  CHECK(MessageReader::explain(Outcome::kNotMessage) == "Message must be [topic, event, payload]");
}

TEST(WireMessage, a_payload_has_a_depth) {
  CHECK(read("[\"t\",\"e\",[[{\"a\":[]}]]]") == Outcome::kMessage);
  CHECK(read("[\"t\",\"e\",[[{\"a\":[[]]}]]]") == Outcome::kTooDeep);
  CHECK(read("[\"t\",\"e\",[[[[]]],[[[]]],1]]") == Outcome::kMessage);
  CHECK(read("[\"t\",\"e\",\"[[[[[[[[\"]") == Outcome::kMessage);
  CHECK(read("[[[[[[[]]]]]]]") == Outcome::kNotMessage);
}

TEST(WireMessage, a_depth_that_no_stack_has_is_told_of) {
  const std::string deep(1'000'000, '[');
  CHECK(read("[\"t\",\"e\"," + deep) == Outcome::kTooDeep);
  CHECK(read(deep) == Outcome::kNotJson);
}

TEST(WireMessage, a_topic_alone_may_be_read) {
  const MessageLimits limits{8, 5, 4};
  CHECK(reader.read_topic("[\"t\\u003a1\",", limits) == "t:1");
  CHECK(reader.read_topic(" [ \"t\" nothing", limits) == "t");
  for (const char* text : {"", "{}", "[1]", "[\"t", "[\"123456789\"", "[\"a\\u0000\"", "[\"\xff\""}) {
    CHECK_TEXT(reader.read_topic(text, limits).empty(), text);
  }
}
