// jackfield_json.h: reading what the host has checked, and writing strings.
#include <jackfield_json.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_host.hpp"

#include <CppUTest/TestHarness.h>

namespace {

// The text in memory of exactly its size, so that a sanitizer sees any reading beyond it.
class Exact {
 public:
  explicit Exact(std::string_view text) : data_(new char[text.size()]), size_(text.size()) {
    if (size_ > 0) std::memcpy(data_.get(), text.data(), size_);
  }
  jf_text text() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_;
};

jf_text text(std::string_view view) { return {view.data(), view.size()}; }
std::string str(jf_text text) { return text.size == 0 ? "" : std::string(text.data, text.size); }

std::string get(std::string_view object, std::string_view key) {
  jf_text value;
  return jf_json_get(text(object), text(key), &value) != 0 ? str(value) : "(none)";
}

std::string decoded(std::string_view json) {
  std::string out(json.size(), '?');
  std::size_t size = 0;
  const std::int32_t result = jf_json_string(text(json), out.data(), out.size(), &size);
  if (result != JF_OK) return "(error " + std::to_string(result) + ")";
  return out.substr(0, size);
}

std::string quoted(std::string_view raw) {
  std::string out(6 * raw.size() + 2, '?');
  const std::size_t size = jf_json_quote(text(raw), out.data(), out.size());
  return out.substr(0, size);
}

std::string int64(std::string_view json) {
  std::int64_t value = 7;
  const std::int32_t result = jf_json_int64(text(json), &value);
  if (result == JF_E_PAYLOAD) return "no";
  return (result == JF_E_LIMIT ? "over " : "") + std::to_string(value);
}

}  // namespace

TEST_GROUP(sdk_json){};

TEST(sdk_json, names_the_type_of_a_value_behind_white_space) {
  UNSIGNED_LONGS_EQUAL(JF_JSON_NULL, jf_json_type(text(" \t\r\nnull ")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_BOOL, jf_json_type(text("true")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_BOOL, jf_json_type(text("false")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_NUMBER, jf_json_type(text("-1")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_NUMBER, jf_json_type(text("0")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_STRING, jf_json_type(text("\"\"")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_ARRAY, jf_json_type(text("[1]")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_OBJECT, jf_json_type(text("{}")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_NONE, jf_json_type(text("")));
  UNSIGNED_LONGS_EQUAL(JF_JSON_NONE, jf_json_type({nullptr, 0}));
}

TEST(sdk_json, finds_the_last_of_several_members_with_one_key) {
  CHECK_EQUAL(std::string("2"), get(R"({"a":1,"b":3,"a":2})", "a"));
  CHECK_EQUAL(std::string("3"), get(R"( { "a" : 1 , "b" : 3 } )", "b"));
  CHECK_EQUAL(std::string("(none)"), get(R"({"a":1})", "c"));
  CHECK_EQUAL(std::string("(none)"), get(R"(["a",1])", "a"));
  CHECK_EQUAL(std::string("(none)"), get("{}", ""));
  CHECK_EQUAL(std::string("1"), get(R"({"":1})", ""));
}

TEST(sdk_json, compares_keys_as_decoded) {
  CHECK_EQUAL(std::string("2"), get(R"({"text":1,"\u0074ext":2})", "text"));
  CHECK_EQUAL(std::string("1"), get(R"({"a\"b":1})", "a\"b"));
  CHECK_EQUAL(std::string("1"), get("{\"\\ud83d\\ude00\":1}", "\xF0\x9F\x98\x80"));
  CHECK_EQUAL(std::string("1"), get("{\"a\\u0000b\":1}", std::string_view("a\0b", 3)));
  CHECK_EQUAL(std::string("(none)"), get(R"({"a":1})", "ab"));
  CHECK_EQUAL(std::string("(none)"), get(R"({"ab":1})", "a"));
}

TEST(sdk_json, is_not_misled_by_brackets_and_quotes_in_strings) {
  CHECK_EQUAL(std::string("3"), get(R"({"x":"}],\"a\":1","y":["{",{"a":2}],"a":3})", "a"));
  CHECK_EQUAL(std::string(R"(["{",{"a":2}])"), get(R"({"y": ["{",{"a":2}] ,"a":3})", "y"));
}

// Strings of every mix of backslashes, quotes and others: where each ends, what it stands for.
TEST(sdk_json, reads_every_mix_of_escapes) {
  const std::string_view alphabet = "\\\"a\n";
  std::vector<std::string> texts = {""};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() == 5) continue;
    for (const char c : alphabet) texts.push_back(texts[i] + c);
  }
  for (const std::string& raw : texts) {
    const std::string string = quoted(raw);
    const Exact json("{" + string + ":" + string + ",\"z\":[" + string + "]}");
    jf_json_walk walk = jf_json_begin(json.text());
    jf_text key;
    jf_text value;
    CHECK_EQUAL(1, jf_json_next(&walk, &key, &value));
    CHECK_EQUAL(string, str(key));
    CHECK_EQUAL(string, str(value));
    CHECK_EQUAL(raw, decoded(str(value)));
    CHECK_EQUAL(1, jf_json_equals(value, text(raw)));
    CHECK_EQUAL(0, jf_json_equals(value, text(raw + "a")));
    CHECK_EQUAL(1, jf_json_next(&walk, &key, &value));
    CHECK_EQUAL("[" + string + "]", str(value));
  }
}

TEST(sdk_json, walks_over_members_and_elements) {
  jf_json_walk walk = jf_json_begin(text(R"( {"a" : 1, "b":[ 2 ] ,"c":"x"} )"));
  jf_text key;
  jf_text value;
  std::string all;
  while (jf_json_next(&walk, &key, &value) != 0) all += str(key) + "=" + str(value) + ";";
  CHECK_EQUAL(std::string(R"("a"=1;"b"=[ 2 ];"c"="x";)"), all);
  LONGS_EQUAL(0, jf_json_next(&walk, &key, &value));

  walk = jf_json_begin(text("[1, [2,3], {} ,\"]\"]"));
  all.clear();
  while (jf_json_next(&walk, nullptr, &value) != 0) all += str(value) + ";";
  CHECK_EQUAL(std::string("1;[2,3];{};\"]\";"), all);

  for (const char* none : {"[]", "{}", " [ ] ", "12", "\"a\"", ""}) {
    walk = jf_json_begin(text(none));
    LONGS_EQUAL(0, jf_json_next(&walk, &key, &value));
  }
}

TEST(sdk_json, gives_a_value_alone) {
  CHECK_EQUAL(std::string("{ \"a\" : 1 }"), str(jf_json_span(text("\n { \"a\" : 1 } \n"))));
  CHECK_EQUAL(std::string("12.50"), str(jf_json_span(text(" 12.50 "))));
  CHECK_EQUAL(std::string(""), str(jf_json_span(text("   "))));
}

TEST(sdk_json, decodes_strings) {
  CHECK_EQUAL(std::string("a\"\\/\b\f\n\r\tz"), decoded(R"("a\"\\\/\b\f\n\r\tz")"));
  CHECK_EQUAL(std::string("\xC3\xA9\xE2\x82\xAC"), decoded("\"\\u00e9\\u20AC\""));
  CHECK_EQUAL(std::string("\xF0\x9F\x98\x80"), decoded("\"\\ud83d\\ude00\""));
  CHECK_EQUAL(std::string("\xF0\x9F\x98\x80"), decoded("\"\xF0\x9F\x98\x80\""));
  CHECK_EQUAL(std::string("a\0b", 3), decoded("\"a\\u0000b\""));
  CHECK_EQUAL(std::string(""), decoded("\"\""));
}

TEST(sdk_json, decodes_a_lone_surrogate_to_its_generalized_form) {
  CHECK_EQUAL(std::string("\xED\xA0\xBD"), decoded("\"\\ud83d\""));
  CHECK_EQUAL(std::string("\xED\xB8\x80"), decoded("\"\\ude00\""));
  CHECK_EQUAL(std::string("\xED\xA0\xBD\xED\xA0\xBD"), decoded("\"\\ud83d\\ud83d\""));
  CHECK_EQUAL(std::string("\xED\xA0\xBDn"), decoded("\"\\ud83dn\""));
}

TEST(sdk_json, says_how_long_a_string_is_that_does_not_fit) {
  char buffer[3] = {'?', '?', '?'};
  std::size_t size = 0;
  LONGS_EQUAL(JF_E_LIMIT, jf_json_string(text("\"abcd\""), buffer, 2, &size));
  UNSIGNED_LONGS_EQUAL(4, size);
  BYTES_EQUAL('?', buffer[2]);
  LONGS_EQUAL(JF_E_LIMIT, jf_json_string(text("\"a\""), nullptr, 0, &size));
  UNSIGNED_LONGS_EQUAL(1, size);
  LONGS_EQUAL(JF_E_PAYLOAD, jf_json_string(text("5"), buffer, 3, &size));
}

TEST(sdk_json, compares_strings_without_a_copy) {
  CHECK_TRUE(jf_json_equals(text(" \"\\u0061b\" "), text("ab")) != 0);
  CHECK_TRUE(jf_json_equals(text("\"\""), text("")) != 0);
  CHECK_FALSE(jf_json_equals(text("\"ab\""), text("a")) != 0);
  CHECK_FALSE(jf_json_equals(text("\"a\""), text("ab")) != 0);
  CHECK_FALSE(jf_json_equals(text("1"), text("1")) != 0);
}

TEST(sdk_json, reads_whole_numbers_exactly) {
  CHECK_EQUAL(std::string("0"), int64("0"));
  CHECK_EQUAL(std::string("0"), int64("-0"));
  CHECK_EQUAL(std::string("0"), int64("0e999999999999999999999999"));
  CHECK_EQUAL(std::string("-42"), int64(" -42 "));
  CHECK_EQUAL(std::string("1"), int64("1.0"));
  CHECK_EQUAL(std::string("100"), int64("1e2"));
  CHECK_EQUAL(std::string("12"), int64("1200e-2"));
  CHECK_EQUAL(std::string("15"), int64("1.5E+1"));
  CHECK_EQUAL(std::string("9007199254740993"), int64("9007199254740993"));
  CHECK_EQUAL(std::string("9223372036854775807"), int64("9223372036854775807"));
  CHECK_EQUAL(std::string("-9223372036854775808"), int64("-9223372036854775808"));
  CHECK_EQUAL(std::string("-9223372036854775808"), int64("-9.223372036854775808e18"));
}

TEST(sdk_json, refuses_fractions_and_says_what_is_too_large) {
  CHECK_EQUAL(std::string("no"), int64("1.5"));
  CHECK_EQUAL(std::string("no"), int64("1e-1"));
  CHECK_EQUAL(std::string("no"), int64("1e-99999999999999999999"));
  CHECK_EQUAL(std::string("no"), int64("9223372036854775807.5"));
  CHECK_EQUAL(std::string("no"), int64("\"1\""));
  CHECK_EQUAL(std::string("no"), int64("true"));
  CHECK_EQUAL(std::string("no"), int64(""));
  CHECK_EQUAL(std::string("over 9223372036854775807"), int64("9223372036854775808"));
  CHECK_EQUAL(std::string("over -9223372036854775808"), int64("-9223372036854775809"));
  CHECK_EQUAL(std::string("over 9223372036854775807"), int64("18446744073709551616"));
  CHECK_EQUAL(std::string("over 9223372036854775807"), int64("1e99999999999999999999"));
}

TEST(sdk_json, reads_doubles_to_the_nearest) {
  struct Case {
    const char* json;
    double value;
  };
  const Case cases[] = {
      {"0", 0.0},
      {"1", 1.0},
      {"-1.5", -1.5},
      {"0.1", 0.1},
      {"123456789.123456789", 123456789.123456789},
      {"9007199254740993", 9007199254740992.0},  // a tie: to even
      {"9007199254740993.00000000000000000000000000001", 9007199254740994.0},
      {"1e22", 1e22},
      {"1e23", 1e23},
      {"2.2250738585072011e-308", 2.2250738585072011e-308},
      {"2.2250738585072014e-308", std::numeric_limits<double>::min()},
      {"5e-324", std::numeric_limits<double>::denorm_min()},
      {"2.4703282292062327e-324", 0.0},
      {"2.4703282292062329e-324", std::numeric_limits<double>::denorm_min()},
      {"1e-400", 0.0},
      {"1.7976931348623157e308", std::numeric_limits<double>::max()},
      {"0.000001e310", 1e304},
  };
  for (const Case& each : cases) {
    double value = 7;
    LONGS_EQUAL_TEXT(JF_OK, jf_json_double(text(each.json), &value), each.json);
    CHECK_TRUE_TEXT(value == each.value, each.json);
  }
  double value = 0;
  LONGS_EQUAL(JF_OK, jf_json_double(text("-0"), &value));
  CHECK_TRUE(std::signbit(value));
  LONGS_EQUAL(JF_E_LIMIT, jf_json_double(text("1e309"), &value));
  LONGS_EQUAL(JF_E_LIMIT, jf_json_double(text("1.7976931348623159e308"), &value));
  LONGS_EQUAL(JF_E_PAYLOAD, jf_json_double(text("null"), &value));
}

TEST(sdk_json, reads_bools) {
  int value = 7;
  LONGS_EQUAL(JF_OK, jf_json_bool(text(" true"), &value));
  LONGS_EQUAL(1, value);
  LONGS_EQUAL(JF_OK, jf_json_bool(text("false"), &value));
  LONGS_EQUAL(0, value);
  LONGS_EQUAL(JF_E_PAYLOAD, jf_json_bool(text("1"), &value));
  LONGS_EQUAL(JF_E_PAYLOAD, jf_json_bool(text("null"), &value));
}

TEST(sdk_json, quotes_whatever_the_octets_so_that_it_is_json) {
  CHECK_EQUAL(std::string(R"("a\"\\/\b\f\n\r\t\u0001\u001f")"), quoted("a\"\\/\b\f\n\r\t\x01\x1F"));
  CHECK_EQUAL(std::string("\"a\\u0000b\""), quoted(std::string_view("a\0b", 3)));
  CHECK_EQUAL(std::string("\"\xC3\xA9\xF0\x9F\x98\x80\x7F\""),
              quoted("\xC3\xA9\xF0\x9F\x98\x80\x7F"));
  CHECK_EQUAL(std::string("\"\\ud83d\\udfff\""), quoted("\xED\xA0\xBD\xED\xBF\xBF"));
  const std::string bad = "\xEF\xBF\xBD";
  CHECK_EQUAL("\"" + bad + "a\"", quoted("\x80"
                                         "a"));
  CHECK_EQUAL("\"" + bad + bad + "\"", quoted("\xC0\xAF"));                      // overlong
  CHECK_EQUAL("\"" + bad + bad + "\"", quoted("\xE2\x82"));                      // cut off
  CHECK_EQUAL("\"" + bad + bad + bad + bad + "\"", quoted("\xF4\x90\x80\x80"));  // over U+10FFFF
  CHECK_EQUAL("\"" + bad + "\"", quoted("\xFF"));
}

TEST(sdk_json, quotes_every_octet_and_every_pair_to_json_that_reads_back) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char raw[] = {static_cast<char>(first), static_cast<char>(second)};
      const Exact exact(std::string_view(raw, 2));
      std::string out(14, '?');
      out.resize(jf_json_quote(exact.text(), out.data(), out.size()));
      CHECK_TRUE(jackfield::test::is_json(out));
      if (first < 0x80 && second < 0x80) CHECK_EQUAL(std::string(raw, 2), decoded(out));
    }
  }
}

TEST(sdk_json, says_how_much_room_quoting_takes) {
  char buffer[4] = {'?', '?', '?', '?'};
  UNSIGNED_LONGS_EQUAL(5, jf_json_quote(text("abc"), buffer, 3));
  BYTES_EQUAL('?', buffer[3]);
  UNSIGNED_LONGS_EQUAL(2, jf_json_quote({nullptr, 0}, nullptr, 0));
}

// Every beginning of a text, and every text with one octet broken, is read to the end of each
// function; the sanitizers watch.
TEST(sdk_json, never_reads_outside_of_text_that_is_not_json) {
  const std::string whole =
      R"({"a":[1,-2.5e+10,"x\u00e9\ud83d\ude00\n"],"b":{"c":null,"d":true},"":"\\"} )";
  std::vector<std::string> texts;
  for (std::size_t size = 0; size <= whole.size(); ++size) texts.push_back(whole.substr(0, size));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char broken : {'"', '\\', '{', '}', '[', ']', ',', ':', '\0', 'u', '-', 'e', '.'}) {
      texts.push_back(whole);
      texts.back()[at] = broken;
      texts.push_back(whole.substr(at));
    }
  }
  std::size_t steps = 0;
  for (const std::string& each : texts) {
    const Exact exact(each);
    jf_text value;
    jf_text key;
    char buffer[8];
    std::size_t size = 0;
    std::int64_t integer = 0;
    double number = 0;
    int flag = 0;
    jf_json_get(exact.text(), text("d"), &value);
    jf_json_string(exact.text(), buffer, sizeof buffer, &size);
    jf_json_int64(exact.text(), &integer);
    jf_json_double(exact.text(), &number);
    jf_json_bool(exact.text(), &flag);
    jf_json_equals(exact.text(), text("x"));
    CHECK_TRUE(jf_json_span(exact.text()).size <= each.size());
    jf_json_walk walk = jf_json_begin(exact.text());
    std::size_t walked = 0;
    while (jf_json_next(&walk, &key, &value) != 0) {
      CHECK_TRUE(value.size > 0);
      jf_json_string(value, buffer, sizeof buffer, &size);
      ++walked;
    }
    CHECK_TRUE(walked <= each.size());
    steps += walked;
  }
  CHECK_TRUE(steps > 0);
}

TEST(sdk_json, is_safe_at_any_depth) {
  const std::string deep(1000000, '[');
  jf_text value;
  jf_json_walk walk = jf_json_begin(text(deep));
  LONGS_EQUAL(1, jf_json_next(&walk, nullptr, &value));
  UNSIGNED_LONGS_EQUAL(deep.size() - 1, value.size);
  const std::string object = "{\"a\":" + deep + std::string(1000000, ']') + ",\"b\":1}";
  CHECK_EQUAL(std::string("1"), get(object, "b"));
}
