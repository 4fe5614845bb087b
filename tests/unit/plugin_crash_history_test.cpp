#include "core/plugin/crash_history.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::plugin::CrashHistory;
using jackfield::files::FileStamp;
using jackfield::test::read_file;
using std::chrono::seconds;
namespace fs = std::filesystem;

TEST_GROUP(PluginCrashHistory) {
  jackfield::test::TemporaryFolder folder;
  fs::path plugin;
  std::string key;
  const fs::path file = folder.path() / ("jackfield-crashes-" + std::to_string(::geteuid()));

  void setup() override {
    plugin = folder.write("plugins/chat.so", "one");
    key = key_of(plugin);
  }
  static std::string key_of(const fs::path& path) {
    const auto stamp = FileStamp::of(path);
    return CrashHistory::key(path, stamp.value_or(FileStamp()));
  }
  CrashHistory open() {
    auto history = CrashHistory::open(folder.path());
    CHECK_TEXT(history.is_ok(), history.is_ok() ? "" : history.message().c_str());
    return std::move(history.value());
  }
  std::string refusal() {
    const auto history = CrashHistory::open(folder.path());
    CHECK_FALSE(history.is_ok());
    return history.message();
  }
  void crash_at(std::initializer_list<std::int64_t> times, const std::string& of) {
    const CrashHistory history = open();
    for (const std::int64_t time : times) CrashHistory::append(history.descriptor(), of, time);
  }
  void crash_at(std::initializer_list<std::int64_t> times) { crash_at(times, key); }
  void write(const std::string& bytes) const {
    std::ofstream(file, std::ios::binary) << bytes;
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  }
};

TEST(PluginCrashHistory, a_new_one_is_empty_and_this_users_alone) {
  const CrashHistory history = open();
  UNSIGNED_LONGS_EQUAL(0, history.count(key));
  CHECK_FALSE(history.is_set_aside(key));
  struct stat info {};
  LONGS_EQUAL(0, ::stat(file.c_str(), &info));
  LONGS_EQUAL(0600, info.st_mode & 07777);
  CHECK((::fcntl(history.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(history.descriptor(), F_GETFL) & O_APPEND) != 0);
}

TEST(PluginCrashHistory, counts_across_restarts) {
  crash_at({1000});
  UNSIGNED_LONGS_EQUAL(1, open().count(key));
  crash_at({2000, 3000});
  UNSIGNED_LONGS_EQUAL(3, open().count(key));
  STRCMP_EQUAL(("1000 " + key + "\n2000 " + key + "\n3000 " + key + "\n").c_str(),
               read_file(file).c_str());
}

TEST(PluginCrashHistory, sets_aside_where_limit_crashes_lie_within_the_window) {
  crash_at({1000, 1300, 1600});
  const CrashHistory history = open();
  CHECK(history.is_set_aside(key));  // 3 within 10 minutes
  CHECK(history.is_set_aside(key, 3, seconds(600)));
  CHECK_FALSE(history.is_set_aside(key, 3, seconds(599)));
  CHECK_FALSE(history.is_set_aside(key, 4, seconds(100'000)));
  CHECK(history.is_set_aside(key, 2, seconds(300)));
  CHECK_FALSE(history.is_set_aside(key, 2, seconds(299)));
  CHECK(history.is_set_aside(key, 1, seconds(0)));
  CHECK_FALSE(history.is_set_aside(key, 0, seconds(600)));
}

TEST(PluginCrashHistory, any_crashes_within_the_window_count_however_long_ago) {
  crash_at({1000, 900'000, 900'100, 900'200, 5'000'000});
  CHECK(open().is_set_aside(key));
}

TEST(PluginCrashHistory, crashes_far_apart_do_not_set_aside) {
  crash_at({1000, 2000, 3000, 4000, 5000});
  CHECK_FALSE(open().is_set_aside(key));
}

TEST(PluginCrashHistory, a_clock_that_jumped_back_is_no_trouble) {
  crash_at({9000, 1000, 9001, 1001, 9002});
  const CrashHistory history = open();
  CHECK(history.is_set_aside(key, 3, seconds(2)));
  CHECK_FALSE(history.is_set_aside(key, 4, seconds(600)));
}

TEST(PluginCrashHistory, several_crashes_in_one_second_all_count) {
  crash_at({1000, 1000, 1000});
  CHECK(open().is_set_aside(key, 3, seconds(0)));
}

TEST(PluginCrashHistory, counts_each_plugin_by_itself) {
  const fs::path other = folder.write("plugins/other.so", "two");
  crash_at({1000, 1001});
  crash_at({1002}, key_of(other));
  const CrashHistory history = open();
  UNSIGNED_LONGS_EQUAL(2, history.count(key));
  UNSIGNED_LONGS_EQUAL(1, history.count(key_of(other)));
  CHECK_FALSE(history.is_set_aside(key));
}

TEST(PluginCrashHistory, a_changed_file_begins_anew_and_the_old_counts_are_dropped) {
  crash_at({1000, 1001, 1002});
  CHECK(open().is_set_aside(key));
  folder.write("plugins/chat.so", "another content");
  CHECK(key_of(plugin) != key);
  const CrashHistory history = open();
  CHECK_FALSE(history.is_set_aside(key_of(plugin)));
  UNSIGNED_LONGS_EQUAL(0, history.count(key));
  STRCMP_EQUAL("", read_file(file).c_str());
}

TEST(PluginCrashHistory, the_counts_of_a_file_that_is_gone_are_dropped_and_others_stay) {
  const fs::path other = folder.write("plugins/other.so", "two");
  const std::string other_key = key_of(other);
  crash_at({1000, 1001, 1002});
  crash_at({1003}, other_key);
  fs::remove(plugin);
  UNSIGNED_LONGS_EQUAL(0, open().count(key));
  STRCMP_EQUAL(("1003 " + other_key + "\n").c_str(), read_file(file).c_str());
}

TEST(PluginCrashHistory, the_key_is_the_same_however_the_path_is_written) {
  STRCMP_EQUAL(key.c_str(), key_of(folder.path() / "plugins/../plugins/./chat.so").c_str());
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const std::string relative = key_of("plugins/chat.so");
  fs::current_path(before);
  STRCMP_EQUAL(key.c_str(), relative.c_str());
}

TEST(PluginCrashHistory, a_path_of_any_octets_stays_one_word) {
  const fs::path odd = folder.write("plugins/a b\n%41\xff\x01.so", "odd");
  const std::string odd_key = key_of(odd);
  CHECK(odd_key.find('\n') == std::string::npos);
  CHECK(odd_key.find(' ') == odd_key.rfind(' '));
  CHECK(odd_key.ends_with("/a%20b%0a%2541%ff%01.so"));
  crash_at({1000}, odd_key);
  UNSIGNED_LONGS_EQUAL(1, open().count(odd_key));  // so it is found on the disk
}

TEST(PluginCrashHistory, keeps_the_newest_of_very_many) {
  std::string lines;
  for (int time = 0; time < 250; ++time) lines += std::to_string(time * 1000) + " " + key + "\n";
  write(lines);
  {
    const CrashHistory history = open();
    UNSIGNED_LONGS_EQUAL(CrashHistory::kMaxCrashesPerKey, history.count(key));
  }
  const std::string kept = read_file(file);
  CHECK(kept.starts_with("150000 "));
  CHECK(kept.ends_with("249000 " + key + "\n"));
}

TEST(PluginCrashHistory, what_is_no_line_is_skipped_and_dropped) {
  const std::string good = "1000 " + key + "\n";
  write("\n\n \nnonsense\n" + key + "\n-5 " + key + "\n" + good + "12x " + key +
        "\n99999999999999999999 " + key + "\n253402300800 " + key + "\n1000\n1000 \n1000  " + key +
        "\n1000 " + key + " more\n1000 1:2:3:4:5\n1000 1:2:3:4:5 relative\n1000 1:2:3:4:5 /%4\n" +
        std::string("1000 \0\0\0\n", 9) + "1000 " + std::string(100'000, 'x') + "\n2000 " + key);
  UNSIGNED_LONGS_EQUAL(1, open().count(key));
  STRCMP_EQUAL(good.c_str(), read_file(file).c_str());
}

TEST(PluginCrashHistory, of_a_huge_file_the_end_is_read) {
  std::string lines = "1 " + key + "\n";
  lines.append(CrashHistory::kMaxFileOctets, '\n');
  lines += "2 " + key + "\n";
  write(lines);
  UNSIGNED_LONGS_EQUAL(1, open().count(key));
  STRCMP_EQUAL(("2 " + key + "\n").c_str(), read_file(file).c_str());
}

TEST(PluginCrashHistory, a_line_whose_beginning_is_not_read_does_not_count) {
  std::string lines = "123456 " + key + "\n";
  const std::size_t cut = 3;
  lines.append(CrashHistory::kMaxFileOctets + cut - lines.size(), '\n');
  write(lines);
  UNSIGNED_LONGS_EQUAL(0, open().count(key));
}

TEST(PluginCrashHistory, a_file_with_nothing_to_drop_is_left_alone) {
  crash_at({1000, 1001});
  const auto before = FileStamp::of(file);
  UNSIGNED_LONGS_EQUAL(2, open().count(key));
  CHECK(before == FileStamp::of(file));
}

// Both have it open, one of them before the other pruned it.
TEST(PluginCrashHistory, two_servers_share_a_folder_and_lose_no_line) {
  write("nonsense\nthat is dropped\n");
  const CrashHistory first = open();
  CrashHistory::append(first.descriptor(), key, 1000);
  {
    std::ofstream(file, std::ios::app) << "more nonsense\n";
    const CrashHistory second = open();
    UNSIGNED_LONGS_EQUAL(1, second.count(key));
    CrashHistory::append(first.descriptor(), key, 1001);
    CrashHistory::append(second.descriptor(), key, 1002);
  }
  STRCMP_EQUAL(("1000 " + key + "\n1001 " + key + "\n1002 " + key + "\n").c_str(),
               read_file(file).c_str());
}

TEST(PluginCrashHistory, what_is_appended_while_others_prune_stays) {
  constexpr int kCrashes = 90;
  const CrashHistory crashing = open();
  std::thread pruner([this] {
    for (int i = 0; i < 200; ++i) {
      const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
      (void)!::write(descriptor, "nonsense\n", 9);
      ::close(descriptor);
      const auto history = CrashHistory::open(folder.path());
      (void)history.is_ok();
    }
  });
  for (int i = 0; i < kCrashes; ++i) CrashHistory::append(crashing.descriptor(), key, 1000 + i);
  pruner.join();
  UNSIGNED_LONGS_EQUAL(kCrashes, open().count(key));
}

// A server that is stopped in the middle must hold up neither a crash nor a start.
TEST(PluginCrashHistory, a_lock_that_is_not_given_up_holds_nobody_up) {
  write("1000 " + key + "\nnonsense\n");
  const int holder = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  LONGS_EQUAL(0, ::fcntl(holder, F_OFD_SETLK, &lock));
  {
    const CrashHistory history = open();
    UNSIGNED_LONGS_EQUAL(1, history.count(key));
    CHECK(read_file(file).ends_with("nonsense\n"));  // not pruned without the lock
    CrashHistory::append(history.descriptor(), key, 1001);
  }
  ::close(holder);
  UNSIGNED_LONGS_EQUAL(2, open().count(key));
}

TEST(PluginCrashHistory, the_lock_is_given_up_with_the_record) {
  const CrashHistory history = open();
  CrashHistory::append(history.descriptor(), key, 1000);
  const int other = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  LONGS_EQUAL(0, ::fcntl(other, F_OFD_SETLK, &lock));
  ::close(other);
}

TEST(PluginCrashHistory, an_empty_or_endless_key_is_not_recorded) {
  const CrashHistory history = open();
  CrashHistory::append(history.descriptor(), "", 1000);
  CrashHistory::append(history.descriptor(),
                       std::string(CrashHistory::kMaxKeyOctets + 1, 'x'), 1000);
  CrashHistory::append(-1, key, 1000);
  STRCMP_EQUAL("", read_file(file).c_str());
  CrashHistory::append(history.descriptor(), std::string(CrashHistory::kMaxKeyOctets, 'x'), 1000);
  LONGS_EQUAL(CrashHistory::kMaxKeyOctets + 6, fs::file_size(file));
}

TEST(PluginCrashHistory, a_symbolic_link_is_refused_and_what_it_leads_to_left_alone) {
  const fs::path victim = folder.write("victim", "precious\n");
  fs::create_symlink(victim, file);
  STRCMP_EQUAL(("cannot count crashes in " + file.string() + ": it is a symbolic link").c_str(),
               refusal().c_str());
  STRCMP_EQUAL("precious\n", read_file(victim).c_str());
  fs::remove(victim);
  STRCMP_CONTAINS("symbolic link", refusal().c_str());
  CHECK_FALSE(fs::exists(victim));
}

TEST(PluginCrashHistory, a_file_with_another_name_is_refused) {
  const fs::path victim = folder.write("victim", "precious\n");
  fs::permissions(victim, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_hard_link(victim, file);
  STRCMP_CONTAINS("more than one name", refusal().c_str());
  STRCMP_EQUAL("precious\n", read_file(victim).c_str());
}

TEST(PluginCrashHistory, what_is_no_file_is_refused_at_once) {
  LONGS_EQUAL(0, ::mkfifo(file.c_str(), 0600));
  STRCMP_CONTAINS("not a regular file", refusal().c_str());
  fs::remove(file);
  fs::create_directory(file);
  STRCMP_CONTAINS("directory", refusal().c_str());
}

TEST(PluginCrashHistory, a_file_that_others_may_write_is_refused) {
  write("");
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  STRCMP_CONTAINS("others may write", refusal().c_str());
}

TEST(PluginCrashHistory, a_file_of_another_user_is_refused) {
  write("1000 " + key + "\n");
  if (::chown(file.c_str(), 65534, 65534) == 0) {
    STRCMP_CONTAINS("another user", refusal().c_str());
  } else {
    CHECK(::geteuid() != 0);  // only root can show it
  }
}

TEST(PluginCrashHistory, a_folder_that_is_not_there_is_a_sentence) {
  const auto history = CrashHistory::open(folder.path() / "missing");
  CHECK_FALSE(history.is_ok());
  STRCMP_CONTAINS("No such file or directory", history.message().c_str());
}
