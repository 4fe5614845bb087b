#include "core/wire/frame.hpp"

#include <string>
#include <string_view>

#include <CppUTest/TestHarness.h>

using jackfield::wire::FrameRef;
using jackfield::wire::Frame;
using jackfield::wire::make_close_frame;
using jackfield::wire::make_error_frame;
using jackfield::wire::make_message_frame;
using jackfield::wire::make_ping_frame;
using namespace std::string_view_literals;

TEST_GROUP(WireFrame) {};

TEST(WireFrame, a_message_is_one_unmasked_text_frame) {
  const FrameRef frame = make_message_frame("t", "e", "{}");
  CHECK(frame.bytes() == "\x81\x0c[\"t\",\"e\",{}]"sv);
}

TEST(WireFrame, the_length_takes_the_shortest_form) {
  const auto payload_of = [](std::size_t size) {  // ["t","e",…] has 10 octets besides
    return std::string(size - 10, '1');
  };
  CHECK(make_message_frame("t", "e", payload_of(125)).bytes().substr(0, 2) == "\x81\x7d"sv);
  CHECK(make_message_frame("t", "e", payload_of(126)).bytes().substr(0, 4) == "\x81\x7e\x00\x7e"sv);
  CHECK(make_message_frame("t", "e", payload_of(65532)).bytes().substr(0, 4) ==
        "\x81\x7e\xff\xfc"sv);
}

TEST(WireFrame, a_large_message_is_in_fragments) {
  for (const std::size_t size : {65533U, 65532U + 125, 65532U + 126, 2 * 65532U, 300'000U}) {
    std::string payload;
    while (payload.size() < size - 10) payload += std::to_string(payload.size());
    payload.resize(size - 10);
    const FrameRef frame = make_message_frame("t", "e", payload);
    std::string joined;
    std::size_t offset = 0;
    for (unsigned first = 0x01; (first & 0x80) == 0; first = first & 0x80) {
      const std::string_view one = frame->fragment(offset);
      CHECK(!one.empty() && one.size() <= Frame::kMaxFragment);
      offset += one.size();
      const bool is_last = offset == frame.bytes().size();
      LONGS_EQUAL(first | (is_last ? 0x80 : 0), static_cast<unsigned char>(one[0]));
      const std::size_t header = one[1] == 126 ? 4 : 2;
      const std::size_t length = header == 2 ? static_cast<unsigned char>(one[1])
                                             : static_cast<unsigned char>(one[2]) * 256U +
                                                   static_cast<unsigned char>(one[3]);
      LONGS_EQUAL(one.size(), header + length);
      joined += one.substr(header);
      if (is_last) first = 0x80;
    }
    CHECK(joined == "[\"t\",\"e\"," + payload + "]");
    CHECK(frame->names() == "[\"t\",\"e\",");
  }
}

TEST(WireFrame, names_are_quoted) {
  CHECK(make_message_frame("a\"b", "\n", "1").bytes().substr(2) == "[\"a\\\"b\",\"\\n\",1]");
}

TEST(WireFrame, an_error_has_code_and_message) {
  CHECK(make_error_frame("t", "C", "no \"x\"").bytes().substr(2) ==
        "[\"t\",\"error\",{\"code\":\"C\",\"message\":\"no \\\"x\\\"\"}]");
}

TEST(WireFrame, a_close_has_code_and_reason) {
  CHECK(make_close_frame(1000, "bye").bytes() == "\x88\x05\x03\xe8"
                                                 "bye"sv);
  CHECK(make_close_frame(0, "ignored").bytes() == "\x88\x00"sv);
}

TEST(WireFrame, a_long_close_reason_is_cut_at_a_code_point) {
  const std::string reason = std::string(122, 'x') + "\xe2\x82\xac";
  const FrameRef frame = make_close_frame(1000, reason);
  LONGS_EQUAL(2 + 2 + 122, frame.bytes().size());
  LONGS_EQUAL(2 + 2 + 123, make_close_frame(1000, std::string(500, 'x')).bytes().size());
}

TEST(WireFrame, a_close_reason_is_made_utf8) {
  CHECK(make_close_frame(1008, "a\xed\xa0\x80z").bytes().substr(4) ==
        "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
  LONGS_EQUAL(4 + 123, make_close_frame(1008, std::string(100, '\xff')).bytes().size());
}

TEST(WireFrame, a_ping_has_a_payload) { CHECK(make_ping_frame().bytes() == "\x89\x02jf"sv); }

TEST(WireFrame, references_share_one_frame) {
  FrameRef first = make_ping_frame();
  FrameRef second = first;
  POINTERS_EQUAL(first.bytes().data(), second.bytes().data());
  CHECK(first == second);
  first = {};
  CHECK_FALSE(static_cast<bool>(first));
  CHECK(second.bytes() == "\x89\x02jf"sv);
  FrameRef moved = std::move(second);
  CHECK(moved.bytes() == "\x89\x02jf"sv);
  moved = FrameRef(moved);
  CHECK(moved.bytes() == "\x89\x02jf"sv);
}

TEST(WireFrame, its_names_are_the_same_for_the_same_topic_and_event_only) {
  const auto names = [](std::string_view topic, std::string_view event, std::size_t size) {
    const FrameRef frame = jackfield::wire::make_message_frame(
        topic, event, "\"" + std::string(size, 'x') + "\"");
    return std::string(frame->names());
  };
  const std::string expected = "[\"t:1\",\"e\",";
  for (const std::size_t size : {0U, 100U, 200U, 70'000U}) {
    STRCMP_EQUAL(expected.c_str(), names("t:1", "e", size).c_str());
  }
  STRCMP_EQUAL("[\"a\\\"\",\"\\n\",", names("a\"", "\n", 1).c_str());
  CHECK(make_ping_frame()->names().empty());
}

TEST(WireFrame, a_mark_changes_nothing_else) {
  FrameRef frame = jackfield::wire::make_message_frame("t", "e", "1");
  const std::string names(frame->names());
  LONGS_EQUAL(0, frame->mark());
  for (const std::uint8_t mark : {std::uint8_t{7}, std::uint8_t{1}, std::uint8_t{0}}) {
    frame.mark(mark);
    LONGS_EQUAL(mark, frame->mark());
    STRCMP_EQUAL(names.c_str(), std::string(frame->names()).c_str());
  }
}

TEST(WireFrame, a_ledger_has_what_is_there) {
  jackfield::wire::FrameLedger ledger;
  {
    const FrameRef frame = jackfield::wire::make_message_frame("t", "e", "1", &ledger);
    const FrameRef other = frame;
    LONGS_EQUAL(frame->footprint(), ledger.octets);
    const FrameRef error = jackfield::wire::make_error_frame("t", "A", "b", &ledger);
    LONGS_EQUAL(frame->footprint() + error->footprint(), ledger.octets);
  }
  LONGS_EQUAL(0, ledger.octets);
}
