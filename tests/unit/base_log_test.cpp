#include "core/base/log.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CppUTest/TestHarness.h>

using jackfield::base::Log;
using jackfield::base::LogField;
using jackfield::base::LogLevel;

TEST_GROUP(BaseLog) {
  std::vector<std::string> lines;

  std::unique_ptr<Log> make(LogLevel level) {
    return std::make_unique<Log>(level, [this](std::string_view line) { lines.emplace_back(line); });
  }

  // Without the time, which is as long in every line.
  std::string text(std::size_t i) const { return lines.at(i).substr(25); }
};

TEST(BaseLog, a_line_is_logfmt_with_time_level_message_and_fields) {
  make(LogLevel::kInfo)->info("plugin loaded", {{"plugin", "echo"}, {"conn", 12}});
  STRCMP_EQUAL("level=info msg=\"plugin loaded\" plugin=echo conn=12\n", text(0).c_str());
  // 2026-11-23T04:00:00.000Z
  CHECK_EQUAL('T', lines[0][10]);
  CHECK_EQUAL('.', lines[0][19]);
  CHECK_EQUAL('Z', lines[0][23]);
}

TEST(BaseLog, a_value_that_would_break_the_line_is_quoted_and_escaped) {
  make(LogLevel::kInfo)->info("x", {{"a", "two words"}, {"b", "q\"\\"}, {"c", "l\nf\x01"}, {"d", ""}});
  STRCMP_EQUAL("level=info msg=x a=\"two words\" b=\"q\\\"\\\\\" c=\"l\\nf\\x01\" d=\"\"\n",
               text(0).c_str());
}

TEST(BaseLog, a_long_value_is_cut) {
  const std::string value(5000, 'x');
  make(LogLevel::kInfo)->info("x", {{"a", value}});
  CHECK(lines[0].size() < 1200);
  CHECK(lines[0].ends_with("...\"\n"));
}

TEST(BaseLog, what_is_over_the_level_is_not_written) {
  const auto log = make(LogLevel::kWarning);
  log->info("x");
  log->debug("x");
  log->warning("y");
  log->error("z");
  LONGS_EQUAL(2, lines.size());
  CHECK_FALSE(log->is_on(LogLevel::kInfo));
}

TEST(BaseLog, repeats_are_held_down_and_counted) {
  auto log = make(LogLevel::kInfo);
  for (int i = 0; i < 100; ++i) log->warning("slow consumer", {{"conn", i}});
  LONGS_EQUAL(Log::kBurst, lines.size());
  log->warning("another");
  LONGS_EQUAL(Log::kBurst + 1, lines.size());
  log.reset();  // says what it held at its end
  LONGS_EQUAL(Log::kBurst + 2, lines.size());
  STRCMP_EQUAL("level=info msg=\"repeats held down\" message=\"slow consumer\" held=90\n",
               text(Log::kBurst + 1).c_str());
}

TEST(BaseLog, the_level_can_change) {
  const auto log = make(LogLevel::kInfo);
  log->debug("unseen");
  log->set_level(LogLevel::kDebug);
  CHECK(log->level() == LogLevel::kDebug);
  log->debug("seen");
  log->set_level(LogLevel::kError);
  log->warning("unseen");
  LONGS_EQUAL(1, lines.size());
  STRCMP_EQUAL("level=debug msg=seen\n", text(0).c_str());
}

TEST(BaseLog, an_answer_to_an_operator_is_never_held_down) {
  const auto log = make(LogLevel::kInfo);
  for (int i = 0; i < 100; ++i) log->write_each(LogLevel::kError, "mistake", {{"line", i}});
  log->write_each(LogLevel::kDebug, "mistake");
  LONGS_EQUAL(100, lines.size());
  STRCMP_EQUAL("level=error msg=mistake line=99\n", text(99).c_str());
}

TEST(BaseLog, debug_lines_are_never_held_down) {
  const auto log = make(LogLevel::kDebug);
  for (int i = 0; i < 100; ++i) log->debug("subscribed");
  LONGS_EQUAL(100, lines.size());
}

TEST(BaseLog, lines_of_many_threads_stay_whole_while_the_level_changes) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 200;
  const auto log = make(LogLevel::kInfo);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, thread = i] {
      for (int n = 0; n < kTimes; ++n) {
        log->write_each(LogLevel::kError, "mine", {{"thread", thread}, {"n", n}});
        log->info("repeated", {{"n", n}});
        log->debug("perhaps");
      }
    });
  }
  for (int i = 0; i < kTimes; ++i) log->set_level(i % 2 == 0 ? LogLevel::kDebug : LogLevel::kError);
  for (std::thread& thread : threads) thread.join();
  std::vector<int> next(kThreads, 0);
  for (const std::string& line : lines) {
    int thread = 0;
    int n = 0;
    CHECK_TEXT(line.find('\n') == line.size() - 1, line.c_str());
    if (line.find("msg=mine") == std::string::npos) continue;
    LONGS_EQUAL(2, std::sscanf(line.c_str() + 25, "level=error msg=mine thread=%d n=%d", &thread,
                               &n));
    LONGS_EQUAL(next.at(static_cast<std::size_t>(thread))++, n);
  }
  for (const int count : next) LONGS_EQUAL(kTimes, count);
}

TEST(BaseLog, levels_have_names) {
  CHECK(jackfield::base::log_level_from_name("warning") == LogLevel::kWarning);
  CHECK_FALSE(jackfield::base::log_level_from_name("loud").has_value());
  for (const LogLevel level :
       {LogLevel::kError, LogLevel::kWarning, LogLevel::kInfo, LogLevel::kDebug}) {
    CHECK(jackfield::base::log_level_from_name(jackfield::base::log_level_name(level)) == level);
  }
}
