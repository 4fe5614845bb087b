#include "core/wire/json_text.hpp"

#include <random>
#include <string>
#include <string_view>

#include <CppUTest/TestHarness.h>

using jackfield::wire::append_quoted;
using jackfield::wire::append_unquoted;
using jackfield::wire::find_string;
using jackfield::wire::is_json;
using jackfield::wire::JsonScanner;
using namespace std::string_view_literals;

namespace {

std::string quoted(std::string_view text) {
  std::string json;
  append_quoted(text, json);
  return json;
}

std::string unquoted(std::string_view json) {
  std::string text;
  append_unquoted(json, text);
  return text;
}

void check_bytes(std::string_view expected, std::string_view actual) {
  CHECK_TEXT(expected == actual, (std::string("got ") + std::string(actual)).c_str());
}

}  // namespace

TEST_GROUP(WireJsonText) {};

TEST(WireJsonText, quoting_escapes_what_must_be_escaped) {
  check_bytes("\"\"", quoted(""));
  check_bytes("\"a\\\"b\\\\c\"", quoted("a\"b\\c"));
  check_bytes("\"\\b\\f\\n\\r\\t\\u0000\\u001f\"", quoted("\b\f\n\r\t\0\x1f"sv));
  check_bytes("\"\x7f/\xe2\x80\xa8\xf0\x9f\x98\x80\"", quoted("\x7f/\xe2\x80\xa8\xf0\x9f\x98\x80"));
}

TEST(WireJsonText, quoting_gives_well_formed_json_for_any_bytes) {
  check_bytes("\"\xef\xbf\xbdx\"", quoted("\xffx"));
  check_bytes("\"\xef\xbf\xbd\xef\xbf\xbd\"", quoted("\xe2\x82"));
  check_bytes("\"\\ud800\"", quoted("\xed\xa0\x80"));
  check_bytes("\"\\udfff!\"", quoted("\xed\xbf\xbf!"));
  check_bytes("\"\xed\x9f\xbf\"", quoted("\xed\x9f\xbf"));
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b), 'x'};
      CHECK(is_json(quoted(text)));
    }
  }
}

TEST(WireJsonText, unquoting_reads_every_escape) {
  check_bytes("\"\\/\b\f\n\r\t", unquoted("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""));
  check_bytes("A\xc3\xa9\xe2\x82\xac", unquoted("\"\\u0041\\u00E9\\u20ac\""));
  check_bytes("\xf0\x9f\x98\x80", unquoted("\"\\ud83d\\ude00\""));
  check_bytes("\xed\xa0\xbd", unquoted("\"\\ud83d\""));
  check_bytes("\xed\xa0\xbd\xed\xa0\xbd", unquoted("\"\\ud83d\\ud83d\""));
  check_bytes("\xed\xb8\x80z", unquoted("\"\\ude00z\""));
  check_bytes("\0"sv, unquoted("\"\\u0000\""));
}

TEST(WireJsonText, a_name_survives_unquoting_and_quoting) {
  for (const std::string_view json :
       {"\"room:42\""sv, "\"\\ud800\""sv, "\"\xc3\xa9\\n\""sv, "\"\\udc00\\ud800\""sv}) {
    check_bytes(json, quoted(unquoted(json)));
  }
}

TEST(WireJsonText, a_scanner_gives_the_text_of_values) {
  JsonScanner scanner(" [1, {\"a\":[]} ,\"x\"] ");
  std::string_view value;
  CHECK(scanner.take('['));
  CHECK(scanner.take_value(value));
  check_bytes("1", value);
  CHECK(scanner.take(','));
  CHECK(scanner.take_value(value));
  check_bytes("{\"a\":[]}", value);
  CHECK(scanner.take(','));
  CHECK_FALSE(scanner.at_end());
  CHECK(scanner.take_string(value));
  check_bytes("\"x\"", value);
  CHECK(scanner.take(']'));
  CHECK(scanner.at_end());
}

TEST(WireJsonText, a_nul_octet_is_no_end) {
  CHECK_FALSE(is_json("1\0"sv));
  CHECK_FALSE(is_json("\0"sv));
  CHECK_FALSE(is_json("[1,\0]"sv));
}

TEST(WireJsonText, nesting_costs_no_stack) {
  const std::size_t depth = 1'000'000;
  CHECK(is_json(std::string(depth, '[') + std::string(depth, ']')));
  CHECK_FALSE(is_json(std::string(depth, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(is_json(objects + "1" + std::string(100'000, '}')));
  CHECK_FALSE(is_json(objects + "1" + std::string(99'999, '}') + "]"));
}

TEST(WireJsonText, no_prefix_of_a_text_is_read_beyond_its_end) {
  const std::string text = "{\"a\\u0041\":[true,false,null,-1.5e+10,\"\\n\"],\"b\":{}}";
  CHECK(is_json(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string prefix(text, 0, i);  // a copy of its own: a sanitizer sees its end
    CHECK_FALSE(is_json(prefix));
  }
}

TEST(WireJsonText, find_string_gives_the_last_string_of_a_key) {
  check_bytes("\"x\"", find_string("{\"id\":\"x\"}", "id"));
  check_bytes("\"y\"", find_string("{\"id\":\"x\",\"a\":{\"id\":\"z\"},\"id\":\"y\"}", "id"));
  check_bytes("\"x\"", find_string("{ \"\\u0069d\" : \"x\" }", "id"));
  check_bytes("", find_string("{\"id\":\"x\",\"id\":5}", "id"));
  check_bytes("", find_string("{\"a\":\"x\"}", "id"));
  for (const std::string_view other : {"{}"sv, "[]"sv, "null"sv, "5"sv, "\"id\""sv, "[\"id\"]"sv}) {
    check_bytes("", find_string(other, "id"));
  }
}

TEST(WireJsonText, containers_of_both_kinds_nest_to_any_depth) {
  std::mt19937 random(1);
  for (const std::size_t depth : {1U, 2U, 63U, 64U, 65U, 66U, 127U, 128U, 129U, 1000U}) {
    std::string open;
    std::string close;
    for (std::size_t i = 0; i < depth; ++i) {
      const bool is_object = random() % 2 == 0;
      open += is_object ? "{\"a\":1,\"b\":" : "[0,";
      close.insert(close.begin(), is_object ? '}' : ']');
    }
    CHECK(is_json(open + "1" + close));
    // One that is closed as what it is not, at any level.
    for (int round = 0; round < 10; ++round) {
      std::string wrong = close;
      char& one = wrong[random() % wrong.size()];
      one = one == '}' ? ']' : '}';
      CHECK_FALSE(is_json(open + "1" + wrong));
    }
    CHECK_FALSE(is_json(open + "1" + close.substr(1)));
  }
}
