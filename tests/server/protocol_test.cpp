// The wire protocol, version 1: every row of its table as a recorded conversation.
#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Protocol, ServerGroup) {
  void setup() override { start({.plugins = {"echo"}}); }
};

constexpr std::string_view kInvalidJson =
    R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])";
constexpr std::string_view kNoMessage =
    R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Message must be [topic, event, payload]"}])";

TEST(Protocol, what_is_not_json_is_answered_and_the_connection_goes_on) {
  WsClient a = connect();
  for (const char* text : {"hello", "", "{", "[\"echo:a\",\"echo\",1", "[\"a\",\"b\",undefined]"}) {
    a.send_text(text);
    a.expect_bytes(kInvalidJson);
  }
  a.expect_nothing();
}

TEST(Protocol, json_that_is_no_message_is_answered_and_the_connection_goes_on) {
  WsClient a = connect();
  for (const char* text :
       {"{}", R"({"topic":"echo:a","event":"echo","payload":1})", "1", "\"text\"", "null", "true",
        "[]", R"(["echo:a"])", R"(["echo:a","echo"])", R"(["echo:a","echo",1,2])",
        R"([1,"echo",1])", R"(["echo:a",1,1])", R"([null,null,null])", R"([["echo:a"],"echo",1])",
        R"(["echo:a",{},1])", R"([["echo:a","echo",1]])"}) {
    a.send_text(text);
    a.expect_bytes(kNoMessage);
  }
  a.expect_nothing();
}

TEST(Protocol, subscribe_is_confirmed_with_its_id_and_then_the_snapshot_comes) {
  converse(R"(
    A > ["echo:a","subscribe",{"id":"x"}]
    A = ["echo:a","subscribed",{"id":"x"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    B > ["echo:a","subscribe",{"id":"y"}]
    B = ["echo:a","subscribed",{"id":"y"}]
    B < ["echo:a","snapshot",{"name":"a","subscribers":2}]
  )");
}

TEST(Protocol, a_subscribe_without_a_string_id_is_confirmed_without_one) {
  for (const char* payload : {"null", "5", "{}", R"({"id":5})", R"({"id":null})", "[]", "\"x\"",
                              R"({"ID":"x"})", R"([{"id":"x"}])", R"({"a":{"id":"x"}})"}) {
    WsClient a = connect();
    a.send_text(R"(["echo:a","subscribe",)" + std::string(payload) + "]");
    a.expect_bytes(R"(["echo:a","subscribed",{}])");
    a.expect(R"(["echo:a","snapshot",{"name":"a","subscribers":1}])");
    a.send_text(R"(["echo:a","unsubscribe",null])");
    a.expect(R"(["echo:a","unsubscribed",{}])");
    a.expect_nothing();
  }
}

TEST(Protocol, the_id_of_a_subscribe_comes_back_whatever_characters_it_has) {
  converse(R"(
    A > ["echo:a","subscribe",{"id":""}]
    A < ["echo:a","subscribed",{"id":""}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    A > ["echo:a","subscribe",{"id":"\u0022 \\ \n ü \ud83d\ude00","more":[1]}]
    A < ["echo:a","subscribed",{"id":"\" \\ \n ü 😀"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    A > ["echo:a","subscribe",{"id":"first","id":"second"}]
    A < ["echo:a","subscribed",{"id":"second"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    A > ["echo:a","subscribe",{"\u0069d":"escaped name"}]
    A < ["echo:a","subscribed",{"id":"escaped name"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
  )");
}

TEST(Protocol, a_second_subscribe_is_confirmed_again_and_the_subscription_stands_once) {
  converse(R"(
    A > ["echo:a","subscribe",{"id":"x"}]
    A < ["echo:a","subscribed",{"id":"x"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    A > ["echo:a","subscribe",{"id":"y"}]
    A < ["echo:a","subscribed",{"id":"y"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    A > ["echo:a","say",{"text":"once"}]
    A < ["echo:a","said",{"text":"once"}]
    A > ["echo:a","unsubscribe",null]
    A < ["echo:a","unsubscribed",{}]
    A > ["echo:a","say",{"text":"nobody"}]
  )");
}

TEST(Protocol, subscribe_where_no_channel_matches_is_an_error) {
  converse(R"(
    A > ["nowhere","subscribe",{"id":"x"}]
    A = ["nowhere","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: nowhere"}]
    A > ["echo:a:b","subscribe",null]
    A < ["echo:a:b","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: echo:a:b"}]
    A > ["","subscribe",null]
    A < ["","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: "}]
    A > ["\"\n ü","subscribe",null]
    A < ["\"\n ü","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: \"\n ü"}]
  )");
}

TEST(Protocol, unsubscribe_is_always_confirmed) {
  converse(R"(
    A > ["echo:a","unsubscribe",null]
    A = ["echo:a","unsubscribed",{}]
    A > ["nowhere","unsubscribe",{"id":"x"}]
    A = ["nowhere","unsubscribed",{}]
    A > ["echo:a","subscribe",{"id":"x"}]
    A < ["echo:a","subscribed",{"id":"x"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    A > ["echo:a","unsubscribe",{"id":"x"}]
    A < ["echo:a","unsubscribed",{}]
    A > ["echo:a","unsubscribe",{"id":"x"}]
    A < ["echo:a","unsubscribed",{}]
  )");
}

TEST(Protocol, an_event_needs_no_subscription) {
  converse(R"(
    A > ["echo:a","echo",{"n":1}]
    A = ["echo:a","echoed",{"n":1}]
    A > ["echo:a","echo",null]
    A = ["echo:a","echoed",null]
  )");
}

TEST(Protocol, a_payload_that_the_channel_refuses_is_an_error) {
  WsClient a = connect();
  for (const char* payload : {"{}", "null", R"({"text":5})", R"(["text"])", "\"text\""}) {
    const std::string answer = a.request(R"(["echo:a","say",)" + std::string(payload) + "]");
    const std::string error = payload_of(answer, "echo:a", "error");
    STRCMP_EQUAL("INVALID_PAYLOAD", string_member(error, "code").c_str());
    CHECK_TRUE(!string_member(error, "message").empty());
  }
  a.expect_nothing();
}

TEST(Protocol, a_handler_that_fails_is_an_error) {
  converse(R"(
    A > ["echo:a","fail",null]
    A < ["echo:a","error",{"code":"INTERNAL_ERROR","message":"boom failed"}]
    A > ["echo:a","echo",1]
    A < ["echo:a","echoed",1]
  )");
}

TEST(Protocol, an_unknown_event_gets_no_answer_and_a_line_in_the_log) {
  converse(R"(
    A > ["echo:a","never:heard",{"x":1}]
    A > ["echo:a","",null]
    A > ["echo:a","Echo",null]
    A > ["echo:a","echo",2]
    A < ["echo:a","echoed",2]
  )");
  server().wait_for_log({"level=warning", "never:heard", "echo:a"});
}

TEST(Protocol, an_event_where_no_channel_matches_is_an_error) {
  converse(R"(
    A > ["nowhere","echo",1]
    A = ["nowhere","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: nowhere"}]
    A > ["echo","echo",1]
    A < ["echo","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: echo"}]
    A > ["Echo:a","echo",1]
    A < ["Echo:a","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: Echo:a"}]
  )");
}

TEST(Protocol, a_broadcast_reaches_each_subscriber_of_that_topic_once) {
  converse(R"(
    A > ["echo:a","subscribe",{"id":"1"}]
    A < ["echo:a","subscribed",{"id":"1"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    B > ["echo:a","subscribe",{"id":"2"}]
    B < ["echo:a","subscribed",{"id":"2"}]
    B < ["echo:a","snapshot",{"name":"a","subscribers":2}]
    B > ["echo:b","subscribe",{"id":"3"}]
    B < ["echo:b","subscribed",{"id":"3"}]
    B < ["echo:b","snapshot",{"name":"b","subscribers":1}]
    C > ["echo:ab","subscribe",{"id":"4"}]
    C < ["echo:ab","subscribed",{"id":"4"}]
    C < ["echo:ab","snapshot",{"name":"ab","subscribers":1}]
    A > ["echo:a","say",{"text":"hello","n":12345678901234567890}]
    A = ["echo:a","said",{"text":"hello","n":12345678901234567890}]
    B = ["echo:a","said",{"text":"hello","n":12345678901234567890}]
    D > ["echo:b","say",{"text":"from outside"}]
    B = ["echo:b","said",{"text":"from outside"}]
    B > ["echo:a","unsubscribe",null]
    B < ["echo:a","unsubscribed",{}]
    B > ["echo:a","say",{"text":"after"}]
    A = ["echo:a","said",{"text":"after"}]
  )");
}

TEST(Protocol, a_topic_is_the_same_however_its_name_is_escaped) {
  converse(R"(
    A > ["echo:\u00fc","subscribe",null]
    A < ["echo:ü","subscribed",{}]
    A < ["echo:ü","snapshot",{"name":"ü","subscribers":1}]
    B > ["\u0065cho:ü","s\u0061y",{"text":"x"}]
    A < ["echo:ü","said",{"text":"x"}]
  )");
}

TEST(Protocol, built_in_events_are_known_by_their_exact_name) {
  converse(R"(
    A > ["echo:a","Subscribe",null]
    A > ["echo:a"," subscribe",null]
    A > ["echo:a","subscribed",null]
    A > ["echo:a","say",{"text":"nobody is subscribed"}]
    A > ["echo:a","\u0073ubscribe",null]
    A < ["echo:a","subscribed",{}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
  )");
}

TEST(Protocol, white_space_around_the_parts_of_a_message_means_nothing) {
  WsClient a = connect();
  a.send_text(" \t\r\n[ \"echo:a\" ,\n\"echo\"\t, {\"a\" : 1} ]\r\n");
  a.expect(R"(["echo:a","echoed",{"a":1}])");
}

TEST(Protocol, a_thousand_messages_in_one_write_are_answered_in_their_order) {
  WsClient a = connect();
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    all += frame_bytes(Opcode::kText, R"(["echo:a","echo",)" + std::to_string(i) + "]");
  }
  a.send_bytes(all);
  for (int i = 0; i < 1000; ++i) {
    a.expect_bytes(R"(["echo:a","echoed",)" + std::to_string(i) + "]");
  }
  a.expect_nothing();
}

TEST(Protocol, what_is_sent_to_one_connection_arrives_in_order_over_all_its_topics) {
  WsClient a = connect();
  a.send_text(R"(["echo:a","subscribe",null])");
  a.expect(R"(["echo:a","subscribed",{}])");
  a.expect(R"(["echo:a","snapshot",{"name":"a","subscribers":1}])");
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    all += frame_bytes(Opcode::kText, R"(["echo:a","say",{"text":")" + n + "\"}]");
    all += frame_bytes(Opcode::kText, R"(["echo:b","echo",)" + n + "]");
    all += frame_bytes(Opcode::kText, "no json");
  }
  a.send_bytes(all);
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    a.expect_bytes(R"(["echo:a","said",{"text":")" + n + "\"}]");
    a.expect_bytes(R"(["echo:b","echoed",)" + n + "]");
    a.expect_bytes(kInvalidJson);
  }
}

}  // namespace
