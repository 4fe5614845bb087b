// A folder, and a single file, to which the path leads only at times, or elsewhere than before.
#include "core/files/file_watcher.hpp"

#include <fcntl.h>
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

// Root may read everything; as long as this lives, nobody is root, and the folder is his.
class NotRoot {
 public:
  explicit NotRoot(const fs::path& folder) {
    if (was_root_) {
      give(folder, kNobody);
      for (const auto& entry : fs::recursive_directory_iterator(folder)) give(entry, kNobody);
      CHECK_EQUAL(0, ::seteuid(kNobody));
    }
  }
  ~NotRoot() {
    if (was_root_) CHECK_EQUAL(0, ::seteuid(0));
  }
  NotRoot(const NotRoot&) = delete;
  NotRoot& operator=(const NotRoot&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  static void give(const fs::path& path, uid_t user) {
    CHECK_EQUAL(0, ::chown(path.c_str(), user, static_cast<gid_t>(-1)));
  }

  const bool was_root_ = ::geteuid() == 0;
};

}  // namespace

TEST_GROUP(WatchedFolders) {
  WatchedFiles files;

  void write_two_folders() {
    files.write("plugins/same.so", "same");
    files.write("plugins/changed.so", "old");
    files.write("plugins/gone.so", "old");
    files.write("other/changed.so", "new");
    files.write("other/come.so", "new");
    fs::create_hard_link(files.folder() / "same.so", files.top() / "other/same.so");
  }
};

TEST(WatchedFolders, a_folder_that_does_not_exist_yet_is_watched_once_it_does) {
  fs::remove(files.folder());
  files.watch();
  CHECK_FALSE(files.watcher().is_waiting());
  fs::create_directory(files.folder());
  files.write("plugins/x.so", "text");
  STRCMP_EQUAL("x.so=text", files.told(1).c_str());
  files.write("plugins/y.so", "text");
  STRCMP_EQUAL("y.so=text", files.told(1).c_str());
  LONGS_EQUAL(0, files.logged().size());
}

TEST(WatchedFolders, a_path_of_which_nothing_exists_is_watched_as_it_appears) {
  files.watch({files.top() / "a/b/c/plugins", ".so", WatchedFiles::kQuiet});
  files.run("mkdir a");
  files.run("mkdir -p a/b/c");
  files.run("mkdir a/b/c/plugins");
  files.run("echo -n text > a/b/c/plugins/x.so");
  STRCMP_EQUAL("x.so=text", files.told(1).c_str());
  files.run("rm -r a");
  STRCMP_EQUAL("x.so gone", files.told(1).c_str());
  files.write("a/b/c/plugins/y.so", "all at once");
  STRCMP_EQUAL("y.so=all at once", files.told(1).c_str());
}

TEST(WatchedFolders, one_who_writes_while_the_folder_appears_is_waited_for) {
  files.watch({files.top() / "a/plugins", ".so", WatchedFiles::kQuiet});
  fs::create_directories(files.top() / "a/plugins");
  Writer writer(files.top() / "a/plugins/x.so", O_CREAT);
  files.write("a/plugins/y.so", "text");
  STRCMP_EQUAL("y.so=text", files.told(1).c_str());
  writer.write("half");
  files.write("a/plugins/y.so", "more");
  STRCMP_EQUAL("y.so=more", files.told(1).c_str());
  writer.close();
  STRCMP_EQUAL("x.so=half", files.told(1).c_str());
}

TEST(WatchedFolders, with_the_folder_its_files_are_gone_and_may_come_again) {
  files.write("plugins/x.so", "one");
  files.write("plugins/y.so", "one");
  files.watch();
  files.run("rm -r plugins");
  STRCMP_EQUAL("x.so gone, y.so gone", files.told(2).c_str());
  CHECK_FALSE(files.watcher().is_waiting());
  files.write("plugins/x.so", "two");
  STRCMP_EQUAL("x.so=two", files.told(1).c_str());
  STRCMP_EQUAL("", files.all_told().c_str());
}

TEST(WatchedFolders, a_folder_that_is_removed_and_made_again_at_once_is_told_as_a_change) {
  files.write("plugins/x.so", "one");
  files.write("plugins/y.so", "one");
  files.watch();
  fs::remove_all(files.folder());
  files.write("plugins/x.so", "two");
  STRCMP_EQUAL("y.so gone, x.so=two", files.all_told().c_str());
}

// Such a folder does not tell of its own removal.
TEST(WatchedFolders, a_folder_that_somebody_is_in_is_removed_and_made_again) {
  files.write("plugins/x.so", "one");
  files.watch();
  const int inside = ::open(files.folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  files.run("rm -r plugins");
  STRCMP_EQUAL("x.so gone", files.told(1).c_str());
  files.write("plugins/x.so", "two");
  STRCMP_EQUAL("x.so=two", files.told(1).c_str());
  ::close(inside);
}

TEST(WatchedFolders, a_folder_that_is_swapped_for_another_is_told_by_what_differs) {
  write_two_folders();
  files.watch();
  fs::rename(files.folder(), files.top() / "away");
  fs::rename(files.top() / "other", files.folder());
  STRCMP_EQUAL("gone.so gone, changed.so=new, come.so=new", files.all_told().c_str());
  files.write("away/changed.so", "of no interest");
  STRCMP_EQUAL("", files.all_told().c_str());
}

TEST(WatchedFolders, a_writer_in_a_folder_that_is_moved_away_is_not_waited_for) {
  write_two_folders();
  files.watch();
  Writer writer(files.folder() / "changed.so", 0);
  writer.write("...");
  STRCMP_EQUAL("", files.all_told().c_str());
  fs::rename(files.folder(), files.top() / "away");
  fs::rename(files.top() / "other", files.folder());
  writer.write("...");
  STRCMP_EQUAL("gone.so gone, zzzz.so gone, changed.so=new, come.so=new", files.told(4).c_str());
}

TEST(WatchedFolders, a_symbolic_link_that_is_pointed_elsewhere) {
  write_two_folders();
  fs::rename(files.folder(), files.top() / "1");
  fs::rename(files.top() / "other", files.top() / "2");
  files.point(files.folder(), "1");
  files.watch();
  files.write("1/come.so", "early");
  STRCMP_EQUAL("come.so=early", files.told(1).c_str());
  files.point(files.folder(), "2");
  STRCMP_EQUAL("gone.so gone, changed.so=new, come.so=new", files.told(3).c_str());
  files.write("1/come.so", "of no interest");
  files.write("2/come.so", "again");
  STRCMP_EQUAL("come.so=again", files.all_told().c_str());
}

TEST(WatchedFolders, a_symbolic_link_in_the_middle_of_the_path_is_pointed_elsewhere) {
  files.write("releases/1/plugins/x.so", "one");
  files.write("releases/2/plugins/x.so", "two");
  fs::create_directory_symlink("releases/1", files.top() / "current");
  files.watch({files.top() / "current/plugins", ".so", WatchedFiles::kQuiet});
  files.point(files.top() / "current", "releases/2");
  STRCMP_EQUAL("x.so=two", files.told(1).c_str());
  files.run("rm current");
  STRCMP_EQUAL("x.so gone", files.told(1).c_str());
  fs::create_directory_symlink(files.top() / "releases/1", files.top() / "current");
  STRCMP_EQUAL("x.so=one", files.told(1).c_str());
}

TEST(WatchedFolders, a_folder_above_is_moved_away_and_another_takes_its_place) {
  files.write("a/b/plugins/x.so", "one");
  files.write("c/b/plugins/x.so", "two");
  files.watch({files.top() / "a/b/plugins", ".so", WatchedFiles::kQuiet});
  fs::rename(files.top() / "a", files.top() / "away");
  fs::rename(files.top() / "c", files.top() / "a");
  STRCMP_EQUAL("x.so=two", files.told(1).c_str());
}

TEST(WatchedFolders, links_in_a_circle_lead_nowhere_until_they_do) {
  fs::remove(files.folder());
  fs::create_symlink("circle", files.top() / "plugins");
  fs::create_symlink("plugins", files.top() / "circle");
  files.watch();
  files.write("real/x.so", "text");
  files.point(files.top() / "circle", "real");
  STRCMP_EQUAL("x.so=text", files.told(1).c_str());
}

TEST(WatchedFolders, a_file_in_the_place_of_the_folder_is_no_folder) {
  files.write("plugins/x.so", "one");
  files.watch();
  files.run("rm -r plugins && touch plugins");
  STRCMP_EQUAL("x.so gone", files.told(1).c_str());
  files.run("rm plugins && mkdir plugins && echo -n two > plugins/x.so");
  STRCMP_EQUAL("x.so=two", files.told(1).c_str());
}

TEST(WatchedFolders, a_relative_path_with_dots_in_it) {
  const fs::path here = fs::current_path();
  fs::current_path(files.top());
  fs::create_directory(files.top() / "x");
  files.watch({"./x/..//plugins/.", ".so", WatchedFiles::kQuiet});
  files.write("plugins/x.so", "text");
  STRCMP_EQUAL("x.so=text", files.told(1).c_str());
  files.end();
  fs::current_path(here);
}

// Of what happens in such a folder the kernel tells nothing, but the folder below tells of itself.
TEST(WatchedFolders, a_folder_below_one_that_may_not_be_read) {
  const fs::path above = files.top() / "above";
  files.write("above/plugins/x.so", "one");
  const NotRoot not_root(files.top());
  fs::permissions(above, fs::perms::owner_write | fs::perms::owner_exec);
  files.watch({above / "plugins", ".so", WatchedFiles::kQuiet});
  files.write("above/plugins/x.so", "two");
  STRCMP_EQUAL("x.so=two", files.told(1).c_str());
  LONGS_EQUAL(0, files.logged().size());
  CHECK_FALSE(files.watcher().is_waiting());
  fs::rename(above / "plugins", files.top() / "away");
  files.wait_until([&] { return files.logged().size() == 1; });  // there is only looking now
  CHECK(files.logged()[0].find("Permission denied") != std::string::npos);
  CHECK(files.watcher().is_waiting());
  files.end();
  fs::permissions(above, fs::perms::owner_all);
}

TEST(WatchedFolders, watches_do_not_pile_up_where_folders_come_and_go) {
  files.write("plugins/x.so", "0");
  files.watch();
  const auto watches = WatchedFiles::count_watches();
  const auto descriptors = WatchedFiles::count_descriptors();
  for (int i = 1; i < 20; ++i) {
    const std::string text = std::to_string(i);
    fs::rename(files.folder(), files.top() / ("away" + text));
    files.write("plugins/x.so", text);
    STRCMP_EQUAL(("x.so=" + text).c_str(), files.told(1).c_str());
  }
  LONGS_EQUAL(watches, WatchedFiles::count_watches());
  LONGS_EQUAL(descriptors, WatchedFiles::count_descriptors());
}

// ---- one file

TEST_GROUP(WatchedFile) {
  WatchedFiles files;

  void watch(const std::string& name = "etc/j.toml") {
    files.watch({files.top() / name, std::nullopt, WatchedFiles::kQuiet});
  }
  jackfield::files::FileStamp stamp() {
    return *jackfield::files::FileStamp::of(files.top() / "etc/j.toml");
  }
};

TEST(WatchedFile, one_file_is_watched_and_its_neighbours_are_not) {
  files.write("etc/j.toml", "old");
  watch();
  files.write("etc/j.toml.bak", "text");
  files.write("etc/other", "text");
  files.write("etc/j.toml", "new");
  STRCMP_EQUAL("j.toml=new", files.told(1).c_str());
  files.run("cd etc && cp j.toml j.toml~ && echo -n edited > .j.swp && mv .j.swp j.toml");
  STRCMP_EQUAL("j.toml=edited", files.told(1).c_str());
  fs::rename(files.top() / "etc/j.toml", files.top() / "etc/j.toml~");
  files.write("etc/j.toml", "again");
  STRCMP_EQUAL("j.toml=again", files.told(1).c_str());
  CHECK_FALSE(files.watcher().is_waiting());
}

TEST(WatchedFile, a_file_that_is_what_was_read_before_is_not_told) {
  files.write("etc/j.toml", "read");
  files.watch_after(files.top() / "etc/j.toml", stamp());
  CHECK_FALSE(files.watcher().is_waiting());
  files.write("etc/j.toml", "new");
  STRCMP_EQUAL("j.toml=new", files.told(1).c_str());
}

TEST(WatchedFile, what_changed_or_went_after_it_was_read_is_told_when_it_has_settled) {
  files.write("etc/j.toml", "read");
  const jackfield::files::FileStamp read = stamp();
  files.write("etc/j.toml", "changed");
  files.watch_after(files.top() / "etc/j.toml", read);
  STRCMP_EQUAL("j.toml=changed", files.told(1).c_str());
  CHECK_FALSE(files.watcher().is_waiting());
  fs::remove(files.top() / "etc/j.toml");
  files.watch_after(files.top() / "etc/j.toml", read);
  STRCMP_EQUAL("j.toml gone", files.told(1).c_str());
}

TEST(WatchedFile, who_writes_what_was_read_just_before_is_waited_for) {
  files.write("etc/j.toml", "read");
  const jackfield::files::FileStamp read = stamp();
  Writer writer(files.top() / "etc/j.toml", O_TRUNC);
  files.watch_after(files.top() / "etc/j.toml", read);
  writer.write("half ");
  files.wait_until([&] { return !files.watcher().is_waiting(); });
  writer.write("whole");
  writer.close();
  STRCMP_EQUAL("j.toml=half whole", files.told(1).c_str());
}

TEST(WatchedFile, a_slow_writer_is_waited_for) {
  files.write("etc/j.toml", "old");
  watch();
  Writer writer(files.top() / "etc/j.toml", O_TRUNC);
  writer.write("half ");
  files.loop().drain(10);
  CHECK_FALSE(files.watcher().is_waiting());
  writer.write("whole");
  writer.close();
  STRCMP_EQUAL("j.toml=half whole", files.told(1).c_str());
}

TEST(WatchedFile, a_file_that_does_not_exist_yet_is_told_when_it_comes_and_when_it_goes) {
  watch();
  files.write("etc/j.toml", "text");
  STRCMP_EQUAL("j.toml=text", files.told(1).c_str());
  fs::remove(files.top() / "etc/j.toml");
  STRCMP_EQUAL("j.toml gone", files.told(1).c_str());
}

// As Kubernetes mounts a ConfigMap: one rename changes all files.
TEST(WatchedFile, a_link_on_the_way_to_the_file_is_swapped) {
  files.write("etc/..1/j.toml", "one");
  files.write("etc/..2/j.toml", "two");
  fs::create_directory_symlink("..1", files.top() / "etc/..data");
  fs::create_symlink("..data/j.toml", files.top() / "etc/j.toml");
  watch();
  files.point(files.top() / "etc/..data", "..2");
  fs::remove_all(files.top() / "etc/..1");
  STRCMP_EQUAL("j.toml=two", files.told(1).c_str());
}

TEST(WatchedFile, what_a_link_leads_to_is_watched_where_it_lies) {
  files.write("home/j.toml", "old");
  fs::create_directory(files.top() / "etc");
  fs::create_symlink(files.top() / "home/j.toml", files.top() / "etc/j.toml");
  watch();
  files.write("home/j.toml", "new");
  STRCMP_EQUAL("j.toml=new", files.told(1).c_str());
  fs::remove(files.top() / "etc/j.toml");
  files.write("etc/j.toml", "own");
  STRCMP_EQUAL("j.toml=own", files.told(1).c_str());
}
