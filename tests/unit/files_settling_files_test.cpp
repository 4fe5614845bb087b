#include "core/files/settling_files.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include <CppUTest/TestHarness.h>

using Files = jackfield::files::SettlingFiles;
using Change = Files::Change;
using namespace std::chrono_literals;

// Times are made up, in milliseconds; the quiet time is 100.
TEST_GROUP(SettlingFiles) {
  std::map<std::string, Files::Sight> disk;
  std::int64_t content = 0;
  Files files{[this](const std::string& name) -> std::optional<Files::Sight> {
                const auto found = disk.find(name);
                if (found == disk.end()) return std::nullopt;
                return found->second;
              },
              100ms};

  // Gives the file other content, of so many octets.
  void put(const std::string& name, std::uint64_t octets = 10) {
    Files::Sight sight;
    sight.is_readable = true;
    sight.stamp.inode = 1;
    sight.stamp.size = octets;
    sight.stamp.modified_ns = sight.stamp.changed_ns = ++content;
    disk[name] = sight;
  }

  // What settles by then, as "x.so y.so".
  std::string settled(std::chrono::milliseconds now) {
    std::string names;
    for (const std::string& name : files.take(now)) names += (names.empty() ? "" : " ") + name;
    return names;
  }

  void check_waits_for_no_time() { CHECK_FALSE(files.next().has_value()); }
};

TEST(SettlingFiles, a_written_file_settles_the_quiet_time_after_its_close) {
  put("x.so", 0);
  files.note("x.so", Change::kMade, 0ms);
  put("x.so");
  files.note("x.so", Change::kModified, 1ms);
  check_waits_for_no_time();
  files.note("x.so", Change::kClosed, 5000ms);
  CHECK(files.next() == 5100ms);
  STRCMP_EQUAL("", settled(5099ms).c_str());
  STRCMP_EQUAL("x.so", settled(5100ms).c_str());
  check_waits_for_no_time();
  STRCMP_EQUAL("", settled(9999ms).c_str());
}

TEST(SettlingFiles, whatever_happens_begins_the_quiet_time_again) {
  put("x.so");
  files.note("x.so", Change::kClosed, 0ms);
  files.note("x.so", Change::kAttributes, 60ms);
  STRCMP_EQUAL("", settled(120ms).c_str());
  files.note("x.so", Change::kClosed, 150ms);
  STRCMP_EQUAL("", settled(249ms).c_str());
  STRCMP_EQUAL("x.so", settled(250ms).c_str());
}

TEST(SettlingFiles, a_second_writer_is_waited_for_where_he_is_seen_writing) {
  put("x.so");
  files.note("x.so", Change::kClosed, 0ms);
  put("x.so");
  files.note("x.so", Change::kModified, 50ms);
  STRCMP_EQUAL("", settled(10s).c_str());
  files.note("x.so", Change::kClosed, 10s);
  STRCMP_EQUAL("x.so", settled(10100ms).c_str());
}

TEST(SettlingFiles, a_file_that_was_only_made_does_not_settle_and_needs_no_time) {
  put("x.so", 0);
  files.note("x.so", Change::kMade, 0ms);
  STRCMP_EQUAL("", settled(100ms).c_str());
  check_waits_for_no_time();
}

TEST(SettlingFiles, a_file_that_appears_with_content_was_linked_in_and_settles) {
  put("x.so");
  files.note("x.so", Change::kMade, 0ms);
  STRCMP_EQUAL("x.so", settled(100ms).c_str());
}

TEST(SettlingFiles, an_empty_file_settles_by_its_close) {
  put("x.so", 0);
  files.note("x.so", Change::kMade, 0ms);
  files.note("x.so", Change::kClosed, 1ms);
  STRCMP_EQUAL("x.so", settled(101ms).c_str());
}

TEST(SettlingFiles, a_change_that_nothing_told_of_begins_the_quiet_time_again) {
  put("x.so");
  files.note("x.so", Change::kClosed, 0ms);
  put("x.so");
  STRCMP_EQUAL("", settled(100ms).c_str());
  CHECK(files.next() == 200ms);
  STRCMP_EQUAL("x.so", settled(200ms).c_str());
}

TEST(SettlingFiles, the_same_stamp_is_no_news) {
  put("x.so");
  files.know("x.so");
  files.note("x.so", Change::kClosed, 0ms);
  STRCMP_EQUAL("", settled(100ms).c_str());
  put("x.so");
  files.note("x.so", Change::kClosed, 200ms);
  STRCMP_EQUAL("x.so", settled(300ms).c_str());
  files.note("x.so", Change::kClosed, 400ms);
  STRCMP_EQUAL("", settled(500ms).c_str());
}

TEST(SettlingFiles, a_removal_settles_and_one_of_what_was_never_told_does_not) {
  put("x.so");
  files.know("x.so");
  disk.clear();
  files.note("x.so", Change::kGone, 0ms);
  files.note("brief.so", Change::kMade, 0ms);
  files.note("brief.so", Change::kGone, 1ms);
  STRCMP_EQUAL("x.so", settled(101ms).c_str());
  check_waits_for_no_time();
  LONGS_EQUAL(0, files.known().size());
}

TEST(SettlingFiles, a_file_that_is_removed_and_written_anew_settles_once_by_the_close) {
  put("x.so");
  files.know("x.so");
  files.note("x.so", Change::kGone, 0ms);
  put("x.so", 0);
  files.note("x.so", Change::kMade, 1ms);
  STRCMP_EQUAL("", settled(200ms).c_str());
  put("x.so");
  files.note("x.so", Change::kModified, 300ms);
  STRCMP_EQUAL("", settled(1000ms).c_str());
  files.note("x.so", Change::kClosed, 1000ms);
  STRCMP_EQUAL("x.so", settled(1100ms).c_str());
}

TEST(SettlingFiles, those_that_are_gone_come_before_the_others_and_each_by_name) {
  for (const char* name : {"a.so", "b.so", "y.so", "z.so"}) put(name);
  files.know("y.so");
  files.know("z.so");
  disk.erase("y.so");
  disk.erase("z.so");
  for (const char* name : {"z.so", "b.so", "y.so"}) files.check(name, 0ms, 100ms);
  files.note("a.so", Change::kClosed, 0ms);
  STRCMP_EQUAL("y.so z.so a.so b.so", settled(100ms).c_str());
}

TEST(SettlingFiles, attributes_alone_are_news_only_where_they_open_or_shut_the_file) {
  put("x.so");
  files.know("x.so");
  disk["x.so"].stamp.changed_ns = ++content;
  files.note("x.so", Change::kAttributes, 0ms);
  STRCMP_EQUAL("", settled(100ms).c_str());
  files.check("x.so", 200ms, 100ms);  // and is known as it is now
  check_waits_for_no_time();

  disk["x.so"].stamp.changed_ns = ++content;
  disk["x.so"].is_readable = false;
  files.note("x.so", Change::kAttributes, 300ms);
  STRCMP_EQUAL("x.so", settled(400ms).c_str());
  disk["x.so"].stamp.changed_ns = ++content;
  disk["x.so"].is_readable = true;
  files.note("x.so", Change::kAttributes, 500ms);
  STRCMP_EQUAL("x.so", settled(600ms).c_str());

  disk["x.so"].stamp.modified_ns = disk["x.so"].stamp.changed_ns = ++content;  // as touch does
  files.note("x.so", Change::kAttributes, 700ms);
  STRCMP_EQUAL("x.so", settled(800ms).c_str());
}

TEST(SettlingFiles, attributes_do_not_close_a_file_that_is_being_written) {
  put("x.so");
  files.note("x.so", Change::kModified, 0ms);
  files.note("x.so", Change::kAttributes, 1ms);
  check_waits_for_no_time();
}

TEST(SettlingFiles, a_scan_finds_what_differs_and_waits_for_it_to_stay_the_same) {
  for (const char* name : {"changed.so", "gone.so", "same.so"}) {
    put(name);
    files.know(name);
  }
  put("changed.so");
  put("come.so");
  disk.erase("gone.so");
  for (const char* name : {"changed.so", "come.so", "gone.so", "same.so"}) {
    files.check(name, 0ms, 2000ms);
  }
  put("changed.so");  // its writer is still at it
  CHECK(files.next() == 2000ms);
  STRCMP_EQUAL("gone.so come.so", settled(2000ms).c_str());
  STRCMP_EQUAL("changed.so", settled(4000ms).c_str());
}

TEST(SettlingFiles, a_scan_leaves_alone_what_is_settling_and_what_is_being_written) {
  put("closed.so");
  put("written.so");
  files.note("closed.so", Change::kClosed, 0ms);
  files.note("written.so", Change::kModified, 0ms);
  files.check("closed.so", 50ms, 100ms);
  files.check("written.so", 50ms, 100ms);
  STRCMP_EQUAL("closed.so", settled(100ms).c_str());
  check_waits_for_no_time();
}

TEST(SettlingFiles, an_empty_file_that_a_scan_finds_is_taken_up_by_a_later_scan) {
  put("x.so", 0);
  files.check("x.so", 0ms, 100ms);
  STRCMP_EQUAL("", settled(100ms).c_str());
  check_waits_for_no_time();
  put("x.so");
  files.check("x.so", 200ms, 100ms);
  STRCMP_EQUAL("x.so", settled(300ms).c_str());
}

TEST(SettlingFiles, where_closes_may_be_lost_a_written_file_settles_by_staying_the_same) {
  put("x.so");
  files.note("x.so", Change::kModified, 0ms);
  files.lose_track(1000ms);
  put("x.so");
  STRCMP_EQUAL("", settled(1100ms).c_str());
  STRCMP_EQUAL("x.so", settled(1200ms).c_str());

  put("x.so");
  files.note("x.so", Change::kModified, 2000ms);
  files.lose_track(3000ms);
  files.note("x.so", Change::kModified, 3050ms);  // he is there
  STRCMP_EQUAL("", settled(9000ms).c_str());
}

TEST(SettlingFiles, another_quiet_time_counts_for_what_happens_from_then_on) {
  put("x.so");
  put("y.so");
  files.note("x.so", Change::kClosed, 0ms);
  files.set_quiet(10ms);
  files.note("y.so", Change::kClosed, 0ms);
  STRCMP_EQUAL("y.so", settled(10ms).c_str());
  STRCMP_EQUAL("x.so", settled(100ms).c_str());
}
