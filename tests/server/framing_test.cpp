// Frames as RFC 6455, 5 has them: fragments, control frames, lengths, masks, and what breaks them.
//
// Known gaps, both libwebsockets 4.1.6's and without a cure in its public API, so without a test:
// - of several pings that arrive in one read only the oldest is answered (5.5.2 allows to answer
//   only the most recent one);
// - a client's frame without a mask is taken (5.1 wants the connection closed).
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

const std::string kMessage = R"(["echo:f","echo",{"a":1}])";
const std::string kAnswer = R"(["echo:f","echoed",{"a":1}])";

TEST_GROUP_BASE(Framing, ServerGroup) {
  void setup() override { start({.plugins = {"echo"}, .server = kDoesNotWaitForCloses}); }

  // The server closes with 1002 after these bytes, and goes on with others.
  void expect_protocol_error(const std::string& bytes, Where where = Where::here()) {
    WsClient broken = connect({}, where);
    broken.send_bytes(bytes, where);
    const Frame frame = broken.receive_frame(where);
    check(frame.opcode == Opcode::kClose && frame.payload.starts_with(close_payload(1002)),
          "another frame than a Close of 1002", where);
    // (Not waited for is the end: after some errors libwebsockets has lost its place in the stream,
    // does not see the answer to its Close, and ends the connection after 5 s.)
    broken.stream().drop();
    WsClient other = connect({}, where);
    other.send_text(kMessage, where);
    other.expect_bytes(kAnswer, where);
  }

  // The connection ends after these bytes, with a Close of 1002 or 1009 or without one (the latter
  // is what libwebsockets does; RFC 6455, 7.1.7 only says that a Close should be sent).
  void expect_end(const std::string& bytes, Where where = Where::here()) {
    WsClient broken = connect({}, where);
    broken.send_bytes(bytes, where);
    const std::optional<Frame> frame = broken.receive_frame_or_end(where);
    if (frame) {
      check(frame->opcode == Opcode::kClose && (frame->payload.starts_with(close_payload(1002)) ||
                                                frame->payload.starts_with(close_payload(1009))),
            "another frame than a Close of 1002 or 1009", where);
      check(!broken.receive_frame_or_end(where).has_value(), "more after the Close", where);
    }
    WsClient other = connect({}, where);
    other.send_text(kMessage, where);
    other.expect_bytes(kAnswer, where);
  }
};

TEST(Framing, a_message_in_fragments_is_one_message) {
  WsClient a = connect();
  for (std::size_t piece : {1u, 2u, 5u, 11u}) {
    for (std::size_t at = 0; at < kMessage.size(); at += piece) {
      a.send_frame(at == 0 ? Opcode::kText : Opcode::kContinuation, kMessage.substr(at, piece),
                   {.final = at + piece >= kMessage.size()});
    }
    a.expect_bytes(kAnswer);
  }
  a.expect_nothing();
}

TEST(Framing, fragments_may_be_empty) {
  WsClient a = connect();
  a.send_frame(Opcode::kText, "", {.final = false});
  a.send_frame(Opcode::kContinuation, kMessage, {.final = false});
  a.send_frame(Opcode::kContinuation, "", {.final = false});
  a.send_frame(Opcode::kContinuation, "");
  a.expect_bytes(kAnswer);
  a.expect_nothing();
}

TEST(Framing, binary_messages_may_be_fragmented) {
  WsClient a = connect();
  a.send_frame(Opcode::kBinary, kMessage.substr(0, 9), {.final = false});
  a.send_frame(Opcode::kContinuation, kMessage.substr(9));
  a.expect_bytes(kAnswer);
}

TEST(Framing, a_ping_between_fragments_is_answered_at_once) {
  WsClient a = connect();
  a.send_frame(Opcode::kText, kMessage.substr(0, 9), {.final = false});
  a.send_frame(Opcode::kPing, "between");
  const Frame pong = a.receive_frame();
  CHECK_TRUE(pong.opcode == Opcode::kPong);
  STRCMP_EQUAL("between", pong.payload.c_str());
  a.send_frame(Opcode::kContinuation, kMessage.substr(9));
  a.expect_bytes(kAnswer);
}

TEST(Framing, a_ping_and_fragments_in_one_write) {
  WsClient a = connect();
  a.send_bytes(frame_bytes(Opcode::kText, kMessage.substr(0, 9), {.final = false}) +
               frame_bytes(Opcode::kPing, "between") +
               frame_bytes(Opcode::kContinuation, kMessage.substr(9)));
  bool is_ponged = false;
  bool is_answered = false;
  while (!is_ponged || !is_answered) {
    const Frame frame = a.receive_frame();
    if (frame.opcode == Opcode::kPong) {
      STRCMP_EQUAL("between", frame.payload.c_str());
      is_ponged = true;
    } else {
      STRCMP_EQUAL(kAnswer.c_str(), frame.payload.c_str());
      is_answered = true;
    }
  }
}

TEST(Framing, a_pong_carries_the_pings_payload) {
  WsClient a = connect();
  for (const std::string& payload :
       {std::string(), std::string("x"), std::string("\0\xff\x80 any octets", 14),
        std::string(125, 'p')}) {
    a.send_frame(Opcode::kPing, payload);
    const Frame pong = a.receive_frame();
    CHECK_TRUE(pong.opcode == Opcode::kPong);
    CHECK_TRUE(pong.payload == payload);
  }
}

TEST(Framing, a_pong_that_nobody_asked_for_means_nothing) {
  WsClient a = connect();
  a.send_frame(Opcode::kPong, "");
  a.send_frame(Opcode::kPong, "\xff\xfe");
  a.send_frame(Opcode::kPong, std::string(125, 'p'));
  a.expect_nothing();
}

TEST(Framing, a_frame_may_arrive_octet_by_octet) {
  WsClient a = connect();
  for (const char octet : frame_bytes(Opcode::kText, kMessage)) {
    a.send_bytes(std::string(1, octet));
  }
  a.expect_bytes(kAnswer);
}

TEST(Framing, every_length_form_is_read) {
  WsClient a = connect();
  for (const std::size_t size : {125u, 126u, 127u, 128u, 1024u, 4096u, 65535u, 65536u, 65537u}) {
    // The whole message has exactly this size.
    const std::string head = R"(["echo:f","echo",")";
    const std::string payload(size - head.size() - 2, 'x');
    a.send_text(head + payload + "\"]");
    a.expect_bytes(R"(["echo:f","echoed",")" + payload + "\"]");
  }
}

TEST(Framing, any_mask_will_do) {
  WsClient a = connect();
  for (const std::uint32_t mask : {0u, 0xffffffffu, 0x01020304u, 0x80000000u}) {
    a.send_frame(Opcode::kText, kMessage, {.mask = mask});
    a.expect_bytes(kAnswer);
  }
}

TEST(Framing, reserved_bits_close_with_1002) {
  for (const std::uint8_t bits : std::initializer_list<std::uint8_t>{4, 2, 1, 7}) {
    expect_protocol_error(frame_bytes(Opcode::kText, kMessage, {.reserved = bits}));
    expect_protocol_error(frame_bytes(Opcode::kPing, "x", {.reserved = bits}));
  }
}

TEST(Framing, a_reserved_bit_on_a_continuation_closes_with_1002) {
  expect_protocol_error(frame_bytes(Opcode::kText, "[", {.final = false}) +
                        frame_bytes(Opcode::kContinuation, "]", {.reserved = 4}));
}

TEST(Framing, reserved_opcodes_close_with_1002) {
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    expect_protocol_error(frame_bytes(static_cast<Opcode>(opcode), ""));
    expect_protocol_error(frame_bytes(static_cast<Opcode>(opcode), "x"));
  }
}

TEST(Framing, a_continuation_of_nothing_closes_with_1002) {
  expect_protocol_error(frame_bytes(Opcode::kContinuation, kMessage));
  expect_protocol_error(frame_bytes(Opcode::kContinuation, kMessage, {.final = false}));
}

TEST(Framing, a_new_message_within_another_closes_with_1002) {
  expect_protocol_error(frame_bytes(Opcode::kText, "[", {.final = false}) +
                        frame_bytes(Opcode::kText, "]"));
  expect_protocol_error(frame_bytes(Opcode::kText, "[", {.final = false}) +
                        frame_bytes(Opcode::kBinary, "]"));
}

TEST(Framing, a_control_frame_in_fragments_closes_with_1002) {
  expect_protocol_error(frame_bytes(Opcode::kPing, "x", {.final = false}));
  expect_protocol_error(frame_bytes(Opcode::kPong, "x", {.final = false}));
}

TEST(Framing, a_control_frame_over_125_octets_ends_the_connection) {
  expect_end(frame_bytes(Opcode::kPing, std::string(126, 'x')));
  expect_end(frame_bytes(Opcode::kPong, std::string(126, 'x')));
  expect_end(frame_bytes(Opcode::kClose, close_payload(1000, std::string(124, 'x'))));
}

// RFC 6455, 5.2: the most significant bit must be 0.
TEST(Framing, a_length_of_64_bits_ends_the_connection) {
  expect_end(
      frame_bytes(Opcode::kText, "x", {.length_bytes = 8, .length = std::uint64_t{1} << 63 | 1}));
}

TEST(Framing, what_came_before_an_error_is_answered) {
  WsClient a = connect();
  a.send_text(kMessage);
  a.expect_bytes(kAnswer);
  a.send_frame(static_cast<Opcode>(3), "");
  a.expect_closed(1002);
}

TEST(Framing, what_comes_behind_an_error_is_not_handled) {
  WsClient watcher = connect();
  watcher.send_text(R"(["echo:w","subscribe",null])");
  watcher.receive();
  watcher.receive();
  WsClient a = connect();
  a.send_bytes(frame_bytes(static_cast<Opcode>(3), "") +
               frame_bytes(Opcode::kText, R"(["echo:w","say",{"text":"late"}])"));
  a.expect_closed(1002);
  watcher.expect_nothing();
}

// The closing handshake (RFC 6455, 5.5.1 and 7.4).
TEST_GROUP_BASE(Closing, ServerGroup) {
  void setup() override { start({.plugins = {"echo"}}); }

  void expect_answer(const std::string& payload, unsigned code, Where where = Where::here()) {
    WsClient client = connect({}, where);
    client.send_frame(Opcode::kClose, payload, {}, where);
    client.expect_closed(code, std::nullopt, false, where);
  }
};

TEST(Closing, a_close_is_answered_with_its_code) {
  for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 3000u,
                              3999u, 4000u, 4999u}) {
    expect_answer(close_payload(code), code);
  }
}

TEST(Closing, a_close_with_a_reason_is_answered_with_its_code) {
  expect_answer(close_payload(1000, "going away now"), 1000);
  expect_answer(close_payload(4001, "ü 😀"), 4001);
  expect_answer(close_payload(1000, std::string(123, 'x')), 1000);
}

TEST(Closing, a_close_without_a_code_is_answered) {
  WsClient a = connect();
  a.send_frame(Opcode::kClose, "");
  const Frame frame = a.receive_frame();
  CHECK_TRUE(frame.opcode == Opcode::kClose);
  CHECK_TRUE(frame.payload.empty() || frame.payload.starts_with(close_payload(1000)));
  CHECK_FALSE(a.receive_frame_or_end().has_value());
}

TEST(Closing, codes_that_may_not_be_sent_are_answered_with_1002) {
  for (const unsigned code :
       {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u}) {
    expect_answer(close_payload(code), 1002);
  }
}

TEST(Closing, a_payload_of_one_octet_is_answered_with_1002) { expect_answer("\x03", 1002); }

TEST(Closing, a_reason_that_is_not_utf8_is_answered_with_1007) {
  expect_answer(close_payload(1000, "\xff"), 1007);
  expect_answer(close_payload(1000, "abc\xc3"), 1007);
  expect_answer(close_payload(1000, "\xed\xa0\x80"), 1007);
}

TEST(Closing, what_comes_behind_a_close_is_not_handled) {
  WsClient watcher = connect();
  watcher.send_text(R"(["echo:w","subscribe",null])");
  watcher.receive();
  watcher.receive();
  WsClient a = connect();
  a.send_bytes(frame_bytes(Opcode::kClose, close_payload(1000)) +
               frame_bytes(Opcode::kText, R"(["echo:w","say",{"text":"late"}])"));
  a.expect_closed(1000, std::nullopt, false);
  watcher.expect_nothing();
}

TEST(Closing, what_was_asked_before_a_close_is_answered_before_it) {
  WsClient a = connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += frame_bytes(Opcode::kText, kMessage);
  a.send_bytes(all + frame_bytes(Opcode::kClose, close_payload(1000)));
  for (int i = 0; i < 50; ++i) a.expect_bytes(kAnswer);
  a.expect_closed(1000, std::nullopt, false);
}

TEST(Closing, a_close_within_a_fragmented_message_ends_it) {
  WsClient a = connect();
  a.send_frame(Opcode::kText, kMessage.substr(0, 9), {.final = false});
  a.close();
}

// UTF-8 in text messages (RFC 6455, 8.1).
TEST_GROUP_BASE(Utf8, ServerGroup) {
  void setup() override { start({.plugins = {"echo"}}); }
};

TEST(Utf8, a_character_may_be_split_over_fragments) {
  WsClient a = connect();
  const std::string message = "[\"echo:u\",\"echo\",\"\xe2\x82\xac \xf0\x9f\x98\x80\"]";
  for (std::size_t cut = 17; cut < message.size() - 1; ++cut) {
    a.send_frame(Opcode::kText, message.substr(0, cut), {.final = false});
    a.send_frame(Opcode::kContinuation, message.substr(cut));
    a.expect_bytes("[\"echo:u\",\"echoed\",\"\xe2\x82\xac \xf0\x9f\x98\x80\"]");
  }
}

TEST(Utf8, each_octet_in_a_fragment_of_its_own) {
  WsClient a = connect();
  const std::string message = "[\"echo:u\",\"echo\",\"\xf0\x9f\x98\x80\"]";
  for (std::size_t i = 0; i < message.size(); ++i) {
    a.send_frame(i == 0 ? Opcode::kText : Opcode::kContinuation, message.substr(i, 1),
                 {.final = i + 1 == message.size()});
  }
  a.expect_bytes("[\"echo:u\",\"echoed\",\"\xf0\x9f\x98\x80\"]");
}

TEST(Utf8, invalid_text_closes_with_1007) {
  for (const char* text : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
                           "[\"echo:u\",\"echo\",\"\xc3(\"]"}) {
    WsClient a = connect();
    a.send_text(text);
    a.expect_closed(1007);
  }
}

TEST(Utf8, text_cut_off_in_a_character_closes_with_1007) {
  for (const char* text : {"\xc3", "abc\xe2\x82", "\xf0\x9f\x98"}) {
    WsClient a = connect();
    a.send_text(text);
    a.expect_closed(1007);
  }
}

TEST(Utf8, text_cut_off_before_an_empty_last_fragment_closes_with_1007) {
  WsClient a = connect();
  a.send_frame(Opcode::kText, "abc\xe2\x82", {.final = false});
  a.send_frame(Opcode::kContinuation, "");
  a.expect_closed(1007);
}

TEST(Utf8, text_that_is_invalid_across_fragments_closes_with_1007) {
  WsClient a = connect();
  a.send_frame(Opcode::kText, "abc\xe2\x82", {.final = false});
  a.send_frame(Opcode::kContinuation, "\xe2\xac");
  a.expect_closed(1007);
}

TEST(Utf8, invalid_text_closes_before_the_message_is_whole) {
  WsClient a = connect();
  a.send_frame(Opcode::kText, "abc\xff", {.final = false});
  a.expect_closed(1007);
}

TEST(Utf8, each_message_begins_anew) {
  WsClient a = connect();
  a.send_binary("\xe2\x82");
  a.expect(R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])");
  a.send_text(R"(["echo:u","echo",1])");
  a.expect(R"(["echo:u","echoed",1])");
}

}  // namespace
