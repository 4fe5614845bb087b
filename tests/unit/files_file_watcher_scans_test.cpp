// Where the kernel does not tell of all that happens: rescans, lost events, no inotify at all.
#include "core/files/file_watcher.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/unit/watched_files.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::test::WatchedFiles;
using jackfield::test::Writer;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

// The queue of this kernel, fs.inotify.max_queued_events.
int max_queued_events() {
  return std::stoi(jackfield::test::read_file("/proc/sys/fs/inotify/max_queued_events"));
}

// No descriptor can be opened as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    CHECK_EQUAL(0, ::getrlimit(RLIMIT_NOFILE, &limit_));
    const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), limit_.rlim_max};
    CHECK_EQUAL(0, ::setrlimit(RLIMIT_NOFILE, &none));
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &limit_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit limit_{};
};

}  // namespace

TEST_GROUP(FileScans) {
  WatchedFiles files;

  void scan_only() { files.watch({files.folder(), ".so", WatchedFiles::kQuiet, 30ms, false}); }

  // More happens in the folder than the kernel keeps, before anything of it is read.
  void overflow() {
    const fs::path a = files.folder() / "a.log";
    const fs::path b = files.folder() / "b.log";
    files.write("plugins/a.log", "");
    files.write("plugins/b.log", "");
    for (int i = max_queued_events(); i > 0; --i) {
      ::chmod((i % 2 == 0 ? a : b).c_str(), 0600);  // the same twice would be one event
    }
  }
};

TEST(FileScans, a_rescan_finds_what_a_link_leads_to_changed_where_it_lies) {
  files.write("source", "old");
  fs::create_symlink("../source", files.folder() / "x.so");
  files.watch();
  files.write("source", "new");
  STRCMP_EQUAL("", files.all_told().c_str());
  files.watcher().rescan();
  STRCMP_EQUAL("x.so=new", files.all_told().c_str());
  files.watcher().rescan();
  STRCMP_EQUAL("", files.all_told().c_str());
  CHECK_FALSE(files.watcher().is_waiting());
}

TEST(FileScans, what_the_kernel_lost_is_found_by_a_rescan) {
  files.write("plugins/changed.so", "old");
  files.write("plugins/gone.so", "old");
  files.write("plugins/same.so", "old");
  files.watch();
  overflow();
  files.write("plugins/changed.so", "new");
  files.write("plugins/come.so", "new");
  fs::remove(files.folder() / "gone.so");
  STRCMP_EQUAL("gone.so gone, changed.so=new, come.so=new", files.told(3).c_str());
  STRCMP_EQUAL("", files.all_told().c_str());
}

TEST(FileScans, a_file_whose_close_the_kernel_lost_is_told_when_it_stays_the_same) {
  files.watch();
  Writer writer(files.folder() / "x.so", O_CREAT);
  writer.write("text");
  STRCMP_EQUAL("", files.all_told().c_str());
  overflow();
  writer.close();
  STRCMP_EQUAL("x.so=text", files.told(1).c_str());
}

TEST(FileScans, a_swap_of_the_folder_that_the_kernel_lost_is_noticed) {
  files.write("plugins/x.so", "old");
  files.write("other/x.so", "new");
  files.watch();
  overflow();
  fs::rename(files.folder(), files.top() / "away");
  fs::rename(files.top() / "other", files.folder());
  STRCMP_EQUAL("x.so=new", files.told(1).c_str());
  files.write("plugins/x.so", "newer");
  STRCMP_EQUAL("x.so=newer", files.told(1).c_str());
}

TEST(FileScans, without_events_files_that_come_change_and_go_are_found) {
  files.write("plugins/x.so", "old");
  scan_only();
  CHECK(files.watcher().is_waiting());
  LONGS_EQUAL(0, WatchedFiles::count_watches());
  files.write("plugins/y.so", "text");
  STRCMP_EQUAL("y.so=text", files.told(1).c_str());
  files.write("plugins/x.so", "new");
  STRCMP_EQUAL("x.so=new", files.told(1).c_str());
  fs::remove_all(files.folder());
  STRCMP_EQUAL("x.so gone, y.so gone", files.told(2).c_str());
  files.write("plugins/x.so", "again");
  STRCMP_EQUAL("x.so=again", files.told(1).c_str());
  LONGS_EQUAL(0, files.logged().size());
}

TEST(FileScans, without_events_a_file_is_told_that_two_scans_find_the_same) {
  files.watch({files.folder(), ".so", 1ms, 50ms, false});
  Writer writer(files.folder() / "a.so", O_CREAT);
  std::string text;
  // Something is written to it less often than the quiet time, but between any two scans.
  const auto timer = files.loop().start_timer(10ms, 10ms, [&] {
    writer.write(".");
    text += '.';
  });
  files.write("plugins/z.so", "text");
  STRCMP_EQUAL("z.so=text", files.told(1).c_str());
  files.loop().cancel_timer(timer);
  STRCMP_EQUAL(("a.so=" + text).c_str(), files.told(1).c_str());
}

TEST(FileScans, scans_besides_the_events_find_what_those_do_not_tell) {
  files.write("source", "old");
  fs::create_symlink("../source", files.folder() / "x.so");
  files.watch({files.folder(), ".so", WatchedFiles::kQuiet, 30ms});
  CHECK(files.watcher().is_waiting());
  files.write("source", "new");
  STRCMP_EQUAL("x.so=new", files.told(1).c_str());
  Writer writer(files.folder() / "a.so", O_CREAT);
  writer.write("half");
  files.write("source", "newer");  // found by a scan, later than a.so would be
  STRCMP_EQUAL("x.so=newer", files.told(1).c_str());
  writer.close();
  STRCMP_EQUAL("a.so=half", files.told(1).c_str());
}

TEST(FileScans, out_of_descriptors_it_says_so_once_scans_and_comes_back_to_events) {
  {
    const NoDescriptors none;
    files.watch({files.folder(), ".so", WatchedFiles::kQuiet, 10ms});
    int later = 0;
    const auto timer = files.loop().start_timer(50ms, 50ms, [&] { ++later; });
    files.wait_until([&] { return later == 2; });
    files.loop().cancel_timer(timer);
    LONGS_EQUAL(1, files.logged().size());
    CHECK(files.logged()[0].find("level=warning msg=\"changes of files are looked for, not told\""
                                 " path=" + files.folder().string() + " every_ms=10 reason=") == 0);
    CHECK(files.logged()[0].find("Too many open files") != std::string::npos);
  }
  files.wait_until([&] { return files.logged().size() == 2; });
  CHECK(files.logged()[1].find("level=info msg=\"changes of files are told again\"") == 0);
  CHECK(WatchedFiles::count_watches() > 0);
  STRCMP_EQUAL("", files.all_told().c_str());
}

// A listing that fails says nothing of the files.
TEST(FileScans, out_of_descriptors_no_file_is_told_to_be_gone) {
  files.write("plugins/x.so", "text");
  files.watch();
  {
    const NoDescriptors none;
    files.watcher().rescan();
    LONGS_EQUAL(1, files.logged().size());
    CHECK(files.watcher().is_waiting());
  }
  STRCMP_EQUAL("", files.all_told().c_str());
  files.watcher().rescan();
  LONGS_EQUAL(2, files.logged().size());
  STRCMP_EQUAL("", files.all_told().c_str());
  CHECK_FALSE(files.watcher().is_waiting());
}

TEST(FileScans, a_path_that_cannot_be_looked_at_is_scanned_and_the_reason_said) {
  const std::string name(300, 'x');
  files.watch({files.top() / name, ".so", WatchedFiles::kQuiet});
  CHECK(files.watcher().is_waiting());
  LONGS_EQUAL(1, files.logged().size());
  CHECK(files.logged()[0].find("every_ms=2000") != std::string::npos);
  CHECK(files.logged()[0].find("File name too long") != std::string::npos);
}
