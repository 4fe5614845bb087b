#include "core/wire/utf8.hpp"

#include <string>
#include <string_view>

#include <CppUTest/TestHarness.h>

using jackfield::wire::is_utf8;
using jackfield::wire::Utf8Check;
using namespace std::string_view_literals;

TEST_GROUP(WireUtf8) {};

TEST(WireUtf8, takes_well_formed_text) {
  for (const std::string_view text :
       {""sv, "plain"sv, "\x00"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv,
        "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv,
        "\xf4\x8f\xbf\xbf"sv, "eight octets and \xe2\x82\xac more than eight"sv}) {
    CHECK_TEXT(is_utf8(text), std::string(text).c_str());
  }
}

TEST(WireUtf8, refuses_ill_formed_text) {
  for (const std::string_view text :
       {"\x80"sv, "\xbf"sv, "\xc0\xaf"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv,
        "\xed\xbf\xbf"sv, "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv,
        "\xff"sv, "\xfe"sv, "\xc2"sv, "\xe2\x82"sv, "\xf0\x9f\x98"sv, "\xc2\x41"sv,
        "\xe2\x28\xa1"sv, "a long prefix of ascii text \xe2\x82"sv}) {
    CHECK_FALSE(is_utf8(text));
  }
}

TEST(WireUtf8, wtf8_is_utf8_with_surrogates) {
  using jackfield::wire::is_wtf8;
  for (const std::string_view text : {""sv, "abc"sv, "\xed\xa0\x80"sv, "a\xed\xbf\xbf\xe2\x82\xac"sv,
                                      "\xed\xa0\x80\xed\xa0\x80x"sv, "\xed\x9f\xbf"sv}) {
    CHECK(is_wtf8(text));
  }
  for (const std::string_view text : {"\xff"sv, "\xed\xa0"sv, "\xed\xa0\x80\xff"sv, "\x80\xed\xa0\x80"sv,
                                      "\xed\xc0\x80"sv}) {
    CHECK_FALSE(is_wtf8(text));
  }
}

TEST(WireUtf8, every_split_of_a_text_gives_the_same_as_the_whole) {
  const std::string_view text = "a\xc2\xa2 \xe2\x82\xac \xf0\x9f\x98\x80 0123456789 \xed\x9f\xbf";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t j = i; j <= text.size(); ++j) {
      Utf8Check check;
      CHECK(check.feed(text.substr(0, i)));
      CHECK(check.feed(text.substr(i, j - i)));
      CHECK(check.feed(text.substr(j)));
      CHECK(check.is_complete());
    }
  }
}

TEST(WireUtf8, an_error_is_found_at_its_octet_and_stays) {
  Utf8Check check;
  CHECK(check.feed("\xf4"));
  CHECK_FALSE(check.feed("\x90"));
  CHECK_FALSE(check.feed("fine again"));
  CHECK_FALSE(check.is_complete());
}

TEST(WireUtf8, the_end_within_a_code_point_is_not_complete) {
  Utf8Check check;
  CHECK(check.feed("x\xe2\x82"));
  CHECK_FALSE(check.is_complete());
  CHECK(check.feed("\xac"));
  CHECK(check.is_complete());
}
