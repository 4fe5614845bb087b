// How files come, change and go in a folder that is there all the time.
#include "core/files/file_watcher.hpp"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/unit/watched_files.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::files::FileStamp;
using jackfield::test::WatchedFiles;
using jackfield::test::Writer;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

TEST_GROUP(FileWatcher) {
  WatchedFiles files;

  // Puts x.so there, then watches.
  void watch_with_old(std::chrono::milliseconds quiet = WatchedFiles::kQuiet) {
    files.write("plugins/x.so", "old");
    files.watch(quiet);
  }
};

TEST(FileWatcher, a_written_file_is_told_once_and_whole) {
  files.watch();
  files.write("plugins/x.so", "new");
  STRCMP_EQUAL("x.so=new", files.told(1).c_str());
  STRCMP_EQUAL("", files.all_told().c_str());
}

TEST(FileWatcher, what_is_there_at_the_start_is_not_told) {
  watch_with_old();
  STRCMP_EQUAL("", files.all_told().c_str());
}

TEST(FileWatcher, a_slow_writer_is_waited_for_however_long_he_pauses) {
  files.watch();
  Writer writer(files.folder() / "x.so", O_CREAT | O_EXCL);
  STRCMP_EQUAL("", files.all_told().c_str());  // takes longer than the quiet time, each time
  writer.write("half ");
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.write("whole");
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.close();
  STRCMP_EQUAL("x.so=half whole", files.all_told().c_str());
}

TEST(FileWatcher, a_slow_writer_over_the_existing_file_is_waited_for) {
  watch_with_old();
  Writer writer(files.folder() / "x.so", O_TRUNC);
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.write("new");
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.close();
  STRCMP_EQUAL("x.so=new", files.all_told().c_str());
}

TEST(FileWatcher, a_slow_writer_is_waited_for_by_a_rescan_too) {
  files.watch();
  Writer writer(files.folder() / "x.so", O_CREAT | O_EXCL);
  files.watcher().rescan();
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.write("half");
  STRCMP_EQUAL("", files.all_told().c_str());
  files.watcher().rescan();
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.close();
  STRCMP_EQUAL("x.so=half", files.all_told().c_str());
}

TEST(FileWatcher, writers_that_follow_one_another_quickly_are_told_once) {
  files.watch();
  for (int i = 0; i < 10; ++i) {
    Writer writer(files.folder() / "x.so", O_CREAT | O_APPEND);
    writer.write(std::to_string(i));
  }
  STRCMP_EQUAL("x.so=0123456789", files.all_told().c_str());
}

TEST(FileWatcher, one_who_goes_on_writing_after_another_has_closed_is_waited_for) {
  files.watch();
  Writer slow(files.folder() / "x.so", O_CREAT | O_APPEND);
  Writer quick(files.folder() / "x.so", O_APPEND);
  quick.write("quick ");
  quick.close();
  slow.write("slow");
  STRCMP_EQUAL("", files.all_told().c_str());
  slow.close();
  STRCMP_EQUAL("x.so=quick slow", files.all_told().c_str());
}

TEST(FileWatcher, what_happened_while_the_loop_was_busy_counts_before_the_time_that_passed) {
  files.watch();
  files.write("plugins/x.so", "first");
  files.loop().drain(1);
  CHECK(files.watcher().is_waiting());
  std::this_thread::sleep_for(2 * WatchedFiles::kQuiet);  // the loop is busy elsewhere
  Writer writer(files.folder() / "x.so", O_TRUNC);
  writer.write("sec");
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.write("ond");
  writer.close();
  STRCMP_EQUAL("x.so=second", files.all_told().c_str());
}

// ---- the tools that people use

TEST(FileWatcher, cp_to_a_new_and_over_an_existing_name) {
  files.watch();
  files.write("source", "one");
  files.run("cp source plugins/x.so");
  STRCMP_EQUAL("x.so=one", files.all_told().c_str());
  files.write("source", "two");
  files.run("cp source plugins/x.so");
  STRCMP_EQUAL("x.so=two", files.all_told().c_str());
  files.write("source", "three");
  files.run("cp -p source plugins/x.so");
  STRCMP_EQUAL("x.so=three", files.all_told().c_str());
}

TEST(FileWatcher, mv_to_a_new_and_over_an_existing_name) {
  files.watch();
  files.write("source", "one");
  files.run("mv source plugins/x.so");
  STRCMP_EQUAL("x.so=one", files.all_told().c_str());
  files.write("source", "two");
  files.run("mv source plugins/x.so");
  STRCMP_EQUAL("x.so=two", files.all_told().c_str());
}

TEST(FileWatcher, install_unlinks_makes_and_writes) {
  watch_with_old(WatchedFiles::kLongQuiet);
  files.write("source", "new");
  files.run("install -m 0755 source plugins/x.so");
  STRCMP_EQUAL("x.so=new", files.all_told().c_str());
}

TEST(FileWatcher, an_editor_writes_another_name_and_renames) {
  watch_with_old();
  files.run("cd plugins && echo -n new > .x.so.swp && cp x.so x.so~ && mv .x.so.swp x.so");
  STRCMP_EQUAL("x.so=new", files.all_told().c_str());
}

TEST(FileWatcher, dd_in_place_in_small_pieces) {
  const std::string text(2000, 'n');
  files.write("plugins/x.so", std::string(2000, 'o'));
  files.write("source", text);
  files.watch();
  files.run("dd if=source of=plugins/x.so bs=1 conv=notrunc status=none");
  STRCMP_EQUAL(("x.so=" + text).c_str(), files.all_told().c_str());
}

TEST(FileWatcher, a_pipe_that_is_slower_than_the_quiet_time) {
  watch_with_old();
  files.run("{ echo -n a; sleep 0.06; echo -n b; sleep 0.06; echo -n c; } > plugins/x.so");
  STRCMP_EQUAL("x.so=abc", files.all_told().c_str());
}

TEST(FileWatcher, a_link_is_complete_at_once_symbolic_or_not) {
  files.write("source", "text");
  files.watch();
  files.run("ln source plugins/hard.so && ln -s ../source plugins/soft.so");
  STRCMP_EQUAL("hard.so=text, soft.so=text", files.all_told().c_str());
}

// The rename of sftp; when one looks, the file has one name again.
TEST(FileWatcher, a_file_that_is_linked_in_and_unlinked_elsewhere_is_complete_at_once) {
  files.write("source", "text");
  files.watch();
  fs::create_hard_link(files.top() / "source", files.folder() / "x.so");
  fs::remove(files.top() / "source");
  STRCMP_EQUAL("x.so=text", files.all_told().c_str());
}

TEST(FileWatcher, a_symbolic_link_that_is_pointed_elsewhere_is_a_change) {
  files.write("1/x.so", "one");
  files.write("2/x.so", "two");
  fs::create_symlink("../1/x.so", files.folder() / "x.so");
  files.watch();
  files.point(files.folder() / "x.so", "../2/x.so");
  STRCMP_EQUAL("x.so=two", files.all_told().c_str());
  files.point(files.folder() / "x.so", "../nowhere");
  STRCMP_EQUAL("x.so gone", files.all_told().c_str());
}

// ---- removal

TEST(FileWatcher, removing_and_moving_away_is_told) {
  watch_with_old();
  files.write("plugins/y.so", "y");
  STRCMP_EQUAL("y.so=y", files.all_told().c_str());
  files.run("rm plugins/x.so");
  STRCMP_EQUAL("x.so gone", files.all_told().c_str());
  files.run("mv plugins/y.so .");
  STRCMP_EQUAL("y.so gone", files.all_told().c_str());
}

TEST(FileWatcher, a_file_that_is_removed_and_made_again_at_once_is_told_once) {
  watch_with_old();
  fs::remove(files.folder() / "x.so");
  files.write("plugins/x.so", "new");
  STRCMP_EQUAL("x.so=new", files.all_told().c_str());
}

TEST(FileWatcher, a_file_that_is_removed_and_slowly_written_anew_is_told_at_the_end) {
  watch_with_old();
  fs::remove(files.folder() / "x.so");
  Writer writer(files.folder() / "x.so", O_CREAT | O_EXCL);
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.write("new");
  STRCMP_EQUAL("", files.all_told().c_str());
  writer.close();
  STRCMP_EQUAL("x.so=new", files.all_told().c_str());
}

TEST(FileWatcher, one_who_still_writes_into_a_file_that_was_replaced_does_not_matter) {
  files.watch();
  Writer late(files.folder() / "x.so", O_CREAT);
  late.write("late");
  files.write("plugins/other", "new");
  fs::rename(files.folder() / "other", files.folder() / "x.so");
  late.write("r");
  STRCMP_EQUAL("x.so=new", files.all_told().c_str());
}

TEST(FileWatcher, a_file_that_came_and_went_is_not_told) {
  files.watch();
  files.write("plugins/x.so", "brief");
  fs::remove(files.folder() / "x.so");
  STRCMP_EQUAL("", files.all_told().c_str());
}

TEST(FileWatcher, a_renamed_file_is_told_gone_before_it_is_told_there) {
  files.write("plugins/b.so", "text");
  files.watch();
  fs::rename(files.folder() / "b.so", files.folder() / "a.so");
  STRCMP_EQUAL("b.so gone, a.so=text", files.all_told().c_str());
}

// ---- what is not told

TEST(FileWatcher, other_endings_hidden_names_and_what_is_no_file_are_passed_over) {
  files.watch();
  files.write("plugins/x.so.bak", "text");
  files.write("plugins/.x.so", "text");
  files.write("plugins/.so", "text");
  files.write("plugins/x", "text");
  fs::create_directory(files.folder() / "folder.so");
  files.write("plugins/folder/x.so", "text");
  fs::create_directory_symlink("folder", files.folder() / "link.so");
  LONGS_EQUAL(0, ::mkfifo((files.folder() / "pipe.so").c_str(), 0600));
  files.watcher().rescan();
  STRCMP_EQUAL("", files.all_told().c_str());
}

TEST(FileWatcher, a_file_whose_stamp_is_the_same_is_not_told) {
  watch_with_old();
  const fs::path file = files.folder() / "x.so";
  const auto before = FileStamp::of(file);
  Writer(file, 0).close();
  CHECK(before == FileStamp::of(file));
  STRCMP_EQUAL("", files.all_told().c_str());
}

TEST(FileWatcher, permissions_alone_are_not_told_but_touch_is) {
  watch_with_old();
  files.run("chmod 0755 plugins/x.so");
  STRCMP_EQUAL("", files.all_told().c_str());
  files.watcher().rescan();
  STRCMP_EQUAL("", files.all_told().c_str());
  files.run("touch plugins/x.so");
  STRCMP_EQUAL("x.so=old", files.all_told().c_str());
}

// ---- itself

TEST(FileWatcher, nothing_waits_for_a_time_while_nothing_is_to_settle) {
  watch_with_old();
  CHECK_FALSE(files.watcher().is_waiting());
  Writer writer(files.folder() / "new.so", O_CREAT);
  writer.write("text");
  STRCMP_EQUAL("", files.all_told().c_str());
  CHECK_FALSE(files.watcher().is_waiting());  // for the writer, but for no time
  writer.close();
  STRCMP_EQUAL("new.so=text", files.all_told().c_str());
  CHECK_FALSE(files.watcher().is_waiting());
}

TEST(FileWatcher, another_quiet_time_can_be_set) {
  files.watch({files.folder(), ".so", 1h});
  files.watcher().set_quiet(WatchedFiles::kQuiet);
  files.write("plugins/x.so", "text");
  STRCMP_EQUAL("x.so=text", files.told(1).c_str());
}

TEST(FileWatcher, it_ends_with_files_still_to_settle_and_leaves_no_descriptor) {
  const auto before = WatchedFiles::count_descriptors();
  files.watch();
  LONGS_EQUAL(before + 1, WatchedFiles::count_descriptors());
  files.write("plugins/x.so", "text");
  files.loop().drain(1);
  CHECK(files.watcher().is_waiting());
  files.end();
  LONGS_EQUAL(before, WatchedFiles::count_descriptors());
  LONGS_EQUAL(0, WatchedFiles::count_watches());
}
