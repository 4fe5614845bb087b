// JSON texts, and whether a browser's JSON.parse takes them. The answers were checked once against
// node 20's JSON.parse, row by row; the tests hold the server's reader to them, both ways. No row
// is an array of three elements whose first two are strings, so none is a message by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackfield::test {

struct JsonRow {
  std::string text;
  bool taken;         // by JSON.parse
  const char* about;  // what the row is for
};

namespace json_table {

using namespace std::string_literals;

inline std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

inline std::vector<JsonRow> literals() {
  return {
      {"null", true, "null"},
      {"true", true, "true"},
      {"false", true, "false"},
      {"nul", false, "null cut off"},
      {"tru", false, "true cut off"},
      {"fals", false, "false cut off"},
      {"nulll", false, "null with a letter more"},
      {"True", false, "a capital letter"},
      {"NULL", false, "capital letters"},
      {"undefined", false, "undefined"},
      {"NaN", false, "NaN"},
      {"Infinity", false, "Infinity"},
      {"-Infinity", false, "minus Infinity"},
      {"truefalse", false, "two literals"},
      {"abc", false, "a bare word"},
  };
}

inline std::vector<JsonRow> numbers() {
  return {
      {"0", true, "zero"},
      {"-0", true, "minus zero"},
      {"7", true, "a digit"},
      {"-12", true, "negative"},
      {"9007199254740993", true, "one over a double's exact integers"},
      {"18446744073709551615", true, "the largest 64-bit integer"},
      {"-9223372036854775808", true, "the smallest 64-bit integer"},
      {"123456789012345678901234567890123456789012345678901234567890", true, "60 digits"},
      {"0.1", true, "a fraction"},
      {"3.14159265358979323846264338327950288419716939937510", true, "a long fraction"},
      {"1e5", true, "an exponent"},
      {"1E+5", true, "capital E, plus"},
      {"1.5e-300", true, "a negative exponent"},
      {"0e0", true, "zero with an exponent"},
      {"1e00005", true, "an exponent with leading zeros"},
      {"1e999", true, "too large for a double"},
      {"-1e999", true, "too small for a double"},
      {"1e-999", true, "too close to zero for a double"},
      {"01", false, "a leading zero"},
      {"-01", false, "minus and a leading zero"},
      {"00", false, "two zeros"},
      {"-", false, "a minus alone"},
      {"--1", false, "two minuses"},
      {"+1", false, "a plus"},
      {"1.", false, "no digit after the point"},
      {".1", false, "no digit before the point"},
      {"-.1", false, "minus, no digit before the point"},
      {"1.e1", false, "no digit between point and exponent"},
      {"1e", false, "an exponent without digits"},
      {"1e+", false, "an exponent with a sign only"},
      {"1e1.5", false, "a fraction in the exponent"},
      {"1.2.3", false, "two points"},
      {"0x10", false, "hexadecimal"},
      {"1_000", false, "an underscore"},
      {"1n", false, "a BigInt"},
      {"- 1", false, "a space behind the minus"},
      {"1 2", false, "two numbers"},
  };
}

inline std::vector<JsonRow> strings() {
  return {
      {R"("")", true, "an empty string"},
      {R"("abc")", true, "a string"},
      {R"("\"\\\/\b\f\n\r\t")", true, "every short escape"},
      {R"("\u0041\u00e9\u20AC")", true, "escapes in both cases"},
      {R"("\u0000")", true, "an escaped NUL"},
      {R"("a\u0000b")", true, "an escaped NUL within"},
      {R"("\ud83d\ude00")", true, "an escaped surrogate pair"},
      {R"("\ud800")", true, "an escaped lone high surrogate"},
      {R"("\udc00")", true, "an escaped lone low surrogate"},
      {R"("\ud800\ud800")", true, "two escaped high surrogates"},
      {"\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"", true, "UTF-8 of two and four octets"},
      {"\"\x7f\"", true, "DEL"},
      {"\"\xe2\x80\xa8\xe2\x80\xa9\"", true, "U+2028 and U+2029"},
      {"\"\xc2\x80\"", true, "U+0080"},
      {"\"\xef\xbb\xbf\"", true, "U+FEFF in a string"},
      {"\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\"", true, "the last code points"},
      {R"("/* no comment */")", true, "a comment's signs in a string"},
      {"\"\n\"", false, "a raw line feed"},
      {"\"\t\"", false, "a raw tab"},
      {"\"\r\"", false, "a raw carriage return"},
      {"\"\x01\"", false, "a raw control character"},
      {"\"\x1f\"", false, "the last control character, raw"},
      {"\"a\0b\""s, false, "a raw NUL"},
      {R"("\x41")", false, "the escape \\x"},
      {R"("\'")", false, "the escape \\'"},
      {R"("\v")", false, "the escape \\v"},
      {R"("\0")", false, "the escape \\0"},
      {R"("\a")", false, "the escape \\a"},
      {"\"\\\n\"", false, "a continued line"},
      {R"("\U0041")", false, "the escape \\U"},
      {R"("\u")", false, "\\u without digits"},
      {R"("\u12")", false, "\\u with two digits"},
      {R"("\u12g4")", false, "\\u with a letter that is no digit"},
      {R"("\u{41}")", false, "\\u with braces"},
      {R"("\u+041")", false, "\\u with a sign"},
      {R"("abc)", false, "no closing quote"},
      {R"("abc\")", false, "an escaped closing quote"},
      {R"(")", false, "a quote alone"},
      {R"('abc')", false, "single quotes"},
      {"`abc`", false, "backticks"},
      {R"("a""b")", false, "two strings"},
  };
}

inline std::vector<JsonRow> structures() {
  return {
      {"[]", true, "an empty array"},
      {"{}", true, "an empty object"},
      {"[1,2,3]", true, "an array"},
      {R"({"a":1,"b":[true,null]})", true, "an object"},
      {R"({"a":1,"a":2})", true, "a name twice"},
      {R"({"":0})", true, "an empty name"},
      {R"({"__proto__":{"x":1}})", true, "a name that means something to JavaScript"},
      {R"({"\u0000":1})", true, "a NUL in a name"},
      {"[[[[]]]]", true, "nested"},
      {"[1,]", false, "a comma at the end of an array"},
      {R"({"a":1,})", false, "a comma at the end of an object"},
      {"[,1]", false, "a comma at the begin"},
      {"[1,,2]", false, "two commas"},
      {"[,]", false, "a comma alone in an array"},
      {"{,}", false, "a comma alone in an object"},
      {"[1 2]", false, "no comma"},
      {R"({"a" 1})", false, "no colon"},
      {R"({"a"::1})", false, "two colons"},
      {R"({"a"})", false, "a name without a value"},
      {R"({"a":})", false, "a colon without a value"},
      {R"({a:1})", false, "a name without quotes"},
      {R"({1:1})", false, "a number for a name"},
      {R"({'a':1})", false, "a name in single quotes"},
      {R"({"a":1 "b":2})", false, "no comma between members"},
      {"[1:2]", false, "a colon in an array"},
      {"[", false, "an array that does not end"},
      {"[1", false, "an array that ends after a value"},
      {"[1,", false, "an array that ends after a comma"},
      {"{", false, "an object that does not end"},
      {R"({"a)", false, "an object that ends in a name"},
      {R"({"a":1)", false, "an object that ends after a value"},
      {"]", false, "a bracket that closes nothing"},
      {"}", false, "a brace that closes nothing"},
      {"[1}", false, "closed by the other sign"},
      {R"({"a":1])", false, "closed by the other sign, an object"},
      {"[]]", false, "closed twice"},
      {"{}{}", false, "two objects"},
      {"(1)", false, "parentheses"},
      {"1;", false, "a semicolon"},
  };
}

inline std::vector<JsonRow> spaces_and_comments() {
  return {
      {" \t\r\n1 \t\r\n", true, "all white space, around"},
      {" [ 1 , { \"a\" :\t2 } ] ", true, "white space between all"},
      {"", false, "nothing"},
      {" ", false, "white space alone"},
      {"\xef\xbb\xbf"
       "1",
       false, "a byte order mark"},
      {"1\xef\xbb\xbf", false, "a byte order mark behind"},
      {"\xc2\xa0"
       "1",
       false, "U+00A0"},
      {"\v1", false, "a vertical tab"},
      {"\f1", false, "a form feed"},
      {"\xe2\x80\xa8"
       "1",
       false, "U+2028"},
      {"[1,\xc2\xa0"
       "2]",
       false, "U+00A0 within an array"},
      {"\0"s
       "1",
       false, "a NUL in front"},
      {"1\0"s, false, "a NUL behind"},
      {"1 // one", false, "a comment to the line's end"},
      {"// one\n1", false, "a comment in front"},
      {"/* one */1", false, "a comment in signs"},
      {"[1 /* one */]", false, "a comment within"},
      {"# one\n1", false, "a shell comment"},
  };
}

inline std::vector<JsonRow> large() {
  return {
      {repeated("[", 1000) + repeated("]", 1000), true, "1,000 arrays deep"},
      {repeated("[", 10000) + repeated("]", 10000), true, "10,000 arrays deep"},
      {repeated("{\"a\":", 10000) + "1" + repeated("}", 10000), true, "10,000 objects deep"},
      {repeated("[{\"a\":", 5000) + "null" + repeated("}]", 5000), true, "both by turns"},
      {repeated("[", 10000), false, "10,000 arrays that do not end"},
      {repeated("[", 10000) + repeated("]", 9999), false, "one bracket too few"},
      {repeated("[", 9999) + repeated("]", 10000), false, "one bracket too many"},
      {repeated("{\"a\":", 10000), false, "10,000 objects that do not end"},
      {repeated("9", 10000), true, "10,000 digits"},
      {"0." + repeated("3", 10000), true, "10,000 decimals"},
      {"\"" + repeated("x", 100000) + "\"", true, "100,000 letters"},
      {"[" + repeated("1,", 9999) + "1]", true, "10,000 elements"},
  };
}

}  // namespace json_table

// Texts whose octets are not UTF-8: no JSON, and as WebSocket text a reason to close with 1007.
inline std::vector<JsonRow> not_utf8_rows() {
  return {
      {"\"\xff\"", false, "an octet that UTF-8 never has"},
      {"\"\xc3\"", false, "two octets, the second missing"},
      {"\"\xe2\x82\"", false, "three octets, the last missing"},
      {"\"\x80\"", false, "a continuation alone"},
      {"\"\xc0\xaf\"", false, "a longer form than need be"},
      {"\"\xe0\x80\xaf\"", false, "a longer form of three octets"},
      {"\"\xed\xa0\x80\"", false, "a surrogate"},
      {"\"\xed\xa0\xbd\xed\xb8\x80\"", false, "a surrogate pair, each in three octets"},
      {"\"\xf4\x90\x80\x80\"", false, "beyond U+10FFFF"},
      {"\"\xf8\x88\x80\x80\x80\"", false, "five octets"},
      {"\xff", false, "outside a string"},
  };
}

// Every row in valid UTF-8.
inline std::vector<JsonRow> json_rows() {
  std::vector<JsonRow> rows;
  for (auto part : {json_table::literals, json_table::numbers, json_table::strings,
                    json_table::structures, json_table::spaces_and_comments, json_table::large}) {
    for (JsonRow& row : part()) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace jackfield::test
