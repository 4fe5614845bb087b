#include "core/plugin/crash_line.hpp"

#include <ctime>
#include <limits>
#include <string>

#include <CppUTest/TestHarness.h>

using jackfield::base::Log;
using jackfield::base::LogLevel;
using jackfield::plugin::CrashLine;

namespace {

constexpr std::size_t kTimeOctets = 24;

std::string quoted(std::string_view value, std::size_t limit = 1024) {
  CrashLine line;
  line.begin(0, 0);
  line.add("topic", value, limit);
  return std::string(line.end().substr(kTimeOctets));
}

// What the log makes of it.
std::string quoted_by_log(std::string_view value) {
  std::string written;
  Log log(LogLevel::kInfo, [&](std::string_view text) { written = text; });
  log.info("x", {{"topic", value}});
  return written.substr(written.find(" topic="));
}

std::string time_of(std::int64_t seconds, int milliseconds) {
  CrashLine line;
  line.begin(seconds, milliseconds);
  const std::string text(line.end());
  return text.substr(0, text.size() - 1);
}

}  // namespace

TEST_GROUP(PluginCrashLine){};

TEST(PluginCrashLine, begins_with_the_time_in_utc) {
  STRCMP_EQUAL("1970-01-01T00:00:00.000Z", time_of(0, 0).c_str());
  STRCMP_EQUAL("2026-11-23T04:00:00.007Z", time_of(1'795'406'400, 7).c_str());
  STRCMP_EQUAL("2024-02-29T23:59:59.999Z", time_of(1'709'251'199, 999).c_str());
  STRCMP_EQUAL("2100-03-01T00:00:00.000Z", time_of(4'107'542'400, 0).c_str());
}

TEST(PluginCrashLine, agrees_with_the_c_library_about_every_day_of_400_years) {
  constexpr std::int64_t kDay = 86'400;
  for (std::int64_t day = 0; day < 146'097; ++day) {
    const std::time_t seconds = static_cast<std::time_t>(day * kDay + 12'345);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char expected[64];
    std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
    const std::string made = time_of(seconds, 0);
    if (made != expected) STRCMP_EQUAL(expected, made.c_str());
  }
}

TEST(PluginCrashLine, writes_fields_as_the_log_does) {
  CrashLine line;
  line.begin(0, 0);
  line.add("level", "error", 64);
  line.add("msg", "two words", 64);
  line.add("generation", 18'446'744'073'709'551'615u);
  line.add_address("address", 0);
  line.add_address("sp", 0xdeadbeef);
  line.add_place("where", "chat", 0x1234);
  STRCMP_EQUAL(
      "1970-01-01T00:00:00.000Z level=error msg=\"two words\" generation=18446744073709551615 "
      "address=0x0 sp=0xdeadbeef where=chat.so+0x1234\n",
      std::string(line.end()).c_str());
}

TEST(PluginCrashLine, quotes_and_escapes_as_the_log_does) {
  using namespace std::string_view_literals;
  for (const std::string_view value :
       {"room:lab"sv, ""sv, "a b"sv, "a=b"sv, "say \"hi\""sv, "back\\slash"sv, "one\ntwo"sv,
        "nul\0nul"sv, "\x1b[31mred"sv, "\x7f"sv, "caf\xc3\xa9"sv, "\xc2\x85next"sv, "\xc2"sv,
        "\xff\xfe"sv, "\r\t"sv}) {
    STRCMP_EQUAL(quoted_by_log(value).c_str(), quoted(value).c_str());
  }
  std::string octets;
  for (int octet = 0; octet < 256; ++octet) octets += static_cast<char>(octet);
  STRCMP_EQUAL(quoted_by_log(octets).c_str(), quoted(octets).c_str());
}

TEST(PluginCrashLine, the_name_of_a_file_cannot_forge_a_line) {
  CrashLine line;
  line.begin(0, 0);
  line.add_place("where", "a b\n=\"\\\x7f\xc2\x85" + std::string(100, 'x'), 1);
  STRCMP_EQUAL((" where=a?b???????" + std::string(54, 'x') + ".so+0x1\n").c_str(),
               std::string(line.end().substr(kTimeOctets)).c_str());
}

TEST(PluginCrashLine, cuts_a_long_value_and_says_so) {
  STRCMP_EQUAL(" topic=aaaa\n", quoted("aaaa", 4).c_str());
  STRCMP_EQUAL(" topic=\"aaaa...\"\n", quoted("aaaab", 4).c_str());
  const std::string longer(5000, 'a');
  STRCMP_EQUAL(quoted_by_log(longer).c_str(), quoted(longer, 1024).c_str());
}

TEST(PluginCrashLine, a_field_without_room_is_left_out_as_a_whole) {
  CrashLine line;
  line.begin(0, 0);
  line.add("first", std::string(1000, 'a'), 4096);
  const std::size_t size = line.end().size();
  line.add("second", std::string(1000, '\n'), 4096);
  line.add("third", std::string(1000, '\x01'), 4096);  // 4000 octets when escaped
  CHECK(line.end().size() > size + 2000);
  CHECK(line.end().find(" third=") == std::string_view::npos);
  line.add("last", "whole", 64);
  const std::string_view text = line.end();
  CHECK(text.ends_with("\" last=whole\n"));
  CHECK(text.size() <= CrashLine::kMaxOctets);
}

TEST(PluginCrashLine, takes_exactly_its_octets) {
  CrashLine line;
  line.begin(0, 0);
  const std::size_t room = CrashLine::kMaxOctets - kTimeOctets - std::string_view(" a=\n").size();
  line.add("a", std::string(room + 1, 'x'), 10'000);
  LONGS_EQUAL(kTimeOctets + 1, line.end().size());
  line.add("a", std::string(room, 'x'), 10'000);
  LONGS_EQUAL(CrashLine::kMaxOctets, line.end().size());
  line.add("b", "", 1);
  LONGS_EQUAL(CrashLine::kMaxOctets, line.end().size());
}

TEST(PluginCrashLine, a_new_line_forgets_the_one_before) {
  CrashLine line;
  line.begin(0, 0);
  line.add("level", "error", 64);
  line.begin(1, 0);
  STRCMP_EQUAL("1970-01-01T00:00:01.000Z\n", std::string(line.end()).c_str());
}
