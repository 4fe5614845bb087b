// A payload reaches the channel, and every subscriber, as the bytes that were sent.
#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"
#include "tests/unit/wire_json_table.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using json_table::repeated;

TEST_GROUP_BASE(Payload, ServerGroup) {
  void setup() override { start({.plugins = {"echo"}}); }

  void expect_echo(WsClient& client, const std::string& payload, Where where = Where::here()) {
    client.send_text(R"(["echo:p","echo",)" + payload + "]", where);
    const std::string answer = client.receive(where);
    check(payload_of(answer, "echo:p", "echoed", where) == payload,
          "not the same payload: " + payload.substr(0, 100), where);
  }
};

TEST(Payload, numbers_keep_their_digits) {
  WsClient a = connect();
  for (const char* number :
       {"18446744073709551615", "-9223372036854775808", "9007199254740993", "1.0", "1e2", "1E+02",
        "-0", "-0.0", "0.1000000000000000000000000000000000001", "1e999",
        "3.14159265358979323846264338327950288419716939937510582097494459"}) {
    expect_echo(a, number);
  }
}

TEST(Payload, objects_keep_their_form) {
  WsClient a = connect();
  expect_echo(a, R"({"a":1,"a":2})");
  expect_echo(a, "{ \"b\" :\t1 ,\n\"a\": [ ] }");
  expect_echo(a, R"({"\u0061":"\/\u00fc\u0000\ud800"})");
  expect_echo(a, R"({"text":"ü 😀"})");
}

TEST(Payload, nested_as_deep_as_may_be_and_no_deeper) {
  WsClient a = connect();
  expect_echo(a, repeated("[", 128) + repeated("]", 128));
  expect_echo(a, repeated("{\"a\":", 128) + "1" + repeated("}", 128));
  a.send_text(R"(["echo:p","echo",)" + repeated("[", 129) + repeated("]", 129) + "]");
  a.expect(
      R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Payload is nested too deep"}])");
}

TEST(Payload, one_mebibyte_both_ways) {
  WsClient a = connect();
  std::string letters(1 << 20, 'x');
  for (std::size_t i = 0; i < letters.size(); ++i) {
    letters[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  }
  expect_echo(a, "\"" + letters + "\"");
  expect_echo(a, "[" + repeated("12345678,", (1 << 20) / 9) + "0]");
}

TEST(Payload, one_mebibyte_to_every_subscriber) {
  std::vector<WsClient> subscribers;
  for (int i = 0; i < 5; ++i) {
    subscribers.push_back(connect());
    subscribers.back().send_text(R"(["echo:p","subscribe",null])");
    subscribers.back().expect(R"(["echo:p","subscribed",{}])");
    subscribers.back().receive();
  }
  const std::string payload = R"({"text":")" + repeated("0123456789abcdef", 1 << 16) + "\"}";
  subscribers[0].send_text(R"(["echo:p","say",)" + payload + "]");
  for (WsClient& each : subscribers) each.expect_bytes(R"(["echo:p","said",)" + payload + "]");
}

TEST(Payload, a_binary_message_is_read_as_text_and_answered_as_text) {
  WsClient a = connect();
  a.send_binary(R"(["echo:p","echo",{"a":"ü"}])");
  const Frame frame = a.receive_frame();
  CHECK_TRUE(frame.opcode == Opcode::kText);
  STRCMP_EQUAL(R"(["echo:p","echoed",{"a":"ü"}])", frame.payload.c_str());
}

TEST(Payload, a_binary_message_that_is_no_utf8_is_no_json) {
  WsClient a = connect();
  a.send_binary("[\"echo:p\",\"echo\",\"\xff\"]");
  a.expect(R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])");
  a.send_binary("\x01\x02\x03");
  a.expect(R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])");
  a.expect_nothing();
}

// The table of JSON texts, through the running server: as a payload, and as a whole frame.
TEST_GROUP_BASE(JsonTable, ServerGroup) {
  void setup() override { start({.plugins = {"echo"}, .server = "max_json_depth = 100000"}); }
};

constexpr std::string_view kInvalidJson =
    R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])";
constexpr std::string_view kNoMessage =
    R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Message must be [topic, event, payload]"}])";

TEST(JsonTable, as_payload) {
  WsClient a = connect();
  for (const JsonRow& row : json_rows()) {
    a.send_text(R"(["echo:j","echo",)" + row.text + "]");
    const std::string answer = a.receive();
    if (!row.taken) {
      check(answer == kInvalidJson, std::string(row.about) + ": got " + answer.substr(0, 200));
      continue;
    }
    check(answer.starts_with(R"(["echo:j","echoed",)"),
          std::string(row.about) + ": got " + answer.substr(0, 200));
    check(payload_of(answer, "echo:j", "echoed") == trimmed(row.text),
          std::string(row.about) + ": the bytes changed: " + answer.substr(0, 200));
  }
  a.expect_nothing();
}

TEST(JsonTable, as_whole_frame) {
  WsClient a = connect();
  for (const JsonRow& row : json_rows()) {
    a.send_text(row.text);
    const std::string answer = a.receive();
    check(answer == (row.taken ? kNoMessage : kInvalidJson),
          std::string(row.about) + ": got " + answer.substr(0, 200));
  }
  a.expect_nothing();
}

TEST(JsonTable, in_a_member_that_is_passed_to_subscribers) {
  WsClient a = connect();
  a.send_text(R"(["echo:j","subscribe",null])");
  a.receive();
  a.receive();
  for (const JsonRow& row : json_rows()) {
    const std::string payload = R"({"text":"","j":)" + row.text + "}";
    a.send_text(R"(["echo:j","say",)" + payload + "]");
    const std::string wanted =
        row.taken ? R"(["echo:j","said",)" + payload + "]" : std::string(kInvalidJson);
    const std::string answer = a.receive();
    check(answer == wanted, std::string(row.about) + ": got " + answer.substr(0, 200));
  }
}

}  // namespace
