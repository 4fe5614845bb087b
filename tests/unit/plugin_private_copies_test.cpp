#include "core/plugin/private_copies.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/deadline.hpp"
#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::files::FileStamp;
using jackfield::plugin::PrivateCopies;
using jackfield::test::Deadline;
namespace fs = std::filesystem;

namespace {

std::size_t count_entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string own_name() { return "jackfield-" + std::to_string(::getpid()); }

}  // namespace

TEST_GROUP(PluginPrivateCopies) {
  jackfield::test::TemporaryFolder folder;
};

TEST(PluginPrivateCopies, each_copy_has_a_path_and_inode_of_its_own) {
  const fs::path file = folder.write("a.so", "bytes");
  auto copies = PrivateCopies::open(folder.path() / "run");
  CHECK(copies.is_ok());
  auto first = copies.value().copy(file);
  auto second = copies.value().copy(file);
  CHECK(first.is_ok() && second.is_ok());
  CHECK(first.value().path() != second.value().path());
  struct stat a {};
  struct stat b {};
  LONGS_EQUAL(0, ::stat(first.value().path().c_str(), &a));
  LONGS_EQUAL(0, ::stat(second.value().path().c_str(), &b));
  CHECK(a.st_ino != b.st_ino);
  LONGS_EQUAL(5, fs::file_size(first.value().path()));
}

TEST(PluginPrivateCopies, the_folder_is_private_and_goes_with_its_owner) {
  const fs::path run = folder.path() / "run";
  {
    auto copies = PrivateCopies::open(run);
    CHECK(copies.is_ok());
    LONGS_EQUAL(1, count_entries(run));
    struct stat info {};
    const fs::path own = run / ("jackfield-" + std::to_string(::getpid()));
    LONGS_EQUAL(0, ::stat(own.c_str(), &info));
    LONGS_EQUAL(0700, info.st_mode & 0777);
  }
  LONGS_EQUAL(0, count_entries(run));
}

TEST(PluginPrivateCopies, what_a_killed_process_left_is_removed_and_nothing_else) {
  const fs::path run = folder.path() / "run";
  const pid_t gone = ::fork();
  if (gone == 0) {
    auto left = PrivateCopies::open(run);
    ::_exit(left.is_ok() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(gone, &status, 0);
  LONGS_EQUAL(0, status);
  CHECK(fs::exists(run / ("jackfield-" + std::to_string(gone))));
  // The id of a process that runs does not matter, nor a second number.
  for (const char* stale : {"jackfield-1", "jackfield-1-2"}) {
    fs::create_directories(run / stale / "x");
  }
  const std::vector<const char*> others = {"jackfield-data", "jackfield-", "jackfield-1-",
                                           "jackfield-1-2-3", "jackfield-1x", "jackfield-0"};
  for (const char* other : others) fs::create_directories(run / other);
  folder.write("run/jackfield-7", "a file");
  fs::create_directories(folder.path() / "elsewhere");
  fs::create_directory_symlink(folder.path() / "elsewhere", run / "jackfield-8");

  auto copies = PrivateCopies::open(run);
  CHECK(copies.is_ok());
  CHECK_FALSE(fs::exists(run / ("jackfield-" + std::to_string(gone))));
  CHECK_FALSE(fs::exists(run / "jackfield-1"));
  CHECK_FALSE(fs::exists(run / "jackfield-1-2"));
  for (const char* other : others) CHECK_TEXT(fs::exists(run / other), other);
  CHECK(fs::exists(run / "jackfield-7"));
  CHECK(fs::exists(run / "jackfield-8") && fs::exists(folder.path() / "elsewhere"));
}

TEST(PluginPrivateCopies, a_folder_that_another_has_locked_is_its_own_whatever_its_number) {
  const fs::path run = folder.path() / "run";
  const fs::path file = folder.write("a.so", "bytes");
  auto first = PrivateCopies::open(run);
  CHECK(first.is_ok());
  auto kept = first.value().copy(file);
  CHECK(kept.is_ok());
  {
    // As a server in another pid namespace would.
    auto second = PrivateCopies::open(run);
    auto third = PrivateCopies::open(run);
    CHECK(second.is_ok() && third.is_ok());
    LONGS_EQUAL(3, count_entries(run));
    CHECK(fs::exists(run / ("jackfield-" + std::to_string(::getpid()) + "-2")));
    CHECK(fs::exists(run / ("jackfield-" + std::to_string(::getpid()) + "-3")));
    CHECK(fs::exists(kept.value().path()));
    auto other = second.value().copy(file);
    CHECK(other.is_ok());
    CHECK(other.value().path() != kept.value().path());
  }
  LONGS_EQUAL(1, count_entries(run));
  CHECK(fs::exists(kept.value().path()));
}

TEST(PluginPrivateCopies, servers_that_start_at_once_each_get_a_folder) {
  const fs::path run = folder.path() / "run";
  const fs::path file = folder.write("a.so", "bytes");
  std::vector<int> made(4, 0);
  std::vector<std::thread> servers;
  for (std::size_t i = 0; i < made.size(); ++i) {
    servers.emplace_back([&, i] {
      for (int time = 0; time < 50; ++time) {
        auto copies = PrivateCopies::open(run);
        if (copies.is_ok() && copies.value().copy(file).is_ok()) ++made[i];
      }
    });
  }
  for (std::thread& server : servers) server.join();
  for (const int times : made) LONGS_EQUAL(50, times);
  LONGS_EQUAL(0, count_entries(run));
}

TEST(PluginPrivateCopies, a_copy_tells_what_was_copied) {
  const fs::path file = folder.write("a.so", std::string(100'000, 'x') + "end");
  for (const bool in_memory : {false, true}) {
    auto copies = in_memory ? jackfield::base::Result(PrivateCopies::in_memory())
                            : PrivateCopies::open(folder.path() / "run");
    CHECK(copies.is_ok());
    auto copy = copies.value().copy(file);
    CHECK(copy.is_ok());
    CHECK(*FileStamp::of(file) == copy.value().stamp());
    CHECK(jackfield::test::read_file(file) == jackfield::test::read_file(copy.value().path()));
  }
}

TEST(PluginPrivateCopies, a_file_that_is_written_while_it_is_copied_is_refused) {
  // Long enough that the writer is at it during some copy, though not during each.
  const fs::path file = folder.write("a.so", std::string(4 << 20, 'x'));
  for (const bool in_memory : {false, true}) {
    auto copies = in_memory ? jackfield::base::Result(PrivateCopies::in_memory())
                            : PrivateCopies::open(folder.path() / "run");
    CHECK(copies.is_ok());
    std::atomic<bool> is_over{false};
    std::thread writer([&] {
      std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
      while (!is_over) out.seekp(1234).put('y').flush();
    });
    const Deadline deadline;
    std::string refusal;
    while (refusal.empty() && deadline.milliseconds() > 0) {
      auto copy = copies.value().copy(file);
      if (!copy.is_ok()) refusal = copy.message();
    }
    is_over = true;
    writer.join();
    STRCMP_EQUAL("changed while it was copied", refusal.c_str());
    if (!in_memory) LONGS_EQUAL(0, count_entries(folder.path() / "run" / own_name()));
  }
}

TEST(PluginPrivateCopies, a_copy_goes_with_its_object_and_leaves_no_descriptor) {
  const fs::path file = folder.write("a.so", "bytes");
  const std::size_t before = count_entries("/proc/self/fd");
  for (const bool in_memory : {false, true}) {
    auto copies = in_memory ? jackfield::base::Result(PrivateCopies::in_memory())
                            : PrivateCopies::open(folder.path() / "run");
    CHECK(copies.is_ok());
    const std::size_t opened = count_entries("/proc/self/fd");
    fs::path path;
    {
      auto copy = copies.value().copy(file);
      CHECK(copy.is_ok());
      path = copy.value().path();
      CHECK(fs::exists(path));
      LONGS_EQUAL(opened + (in_memory ? 1 : 0), count_entries("/proc/self/fd"));
    }
    CHECK_FALSE(fs::exists(path));
    CHECK_FALSE(copies.value().copy(folder.path() / "missing.so").is_ok());
    CHECK_FALSE(copies.value().copy(folder.path()).is_ok());
    LONGS_EQUAL(opened, count_entries("/proc/self/fd"));
  }
  LONGS_EQUAL(before, count_entries("/proc/self/fd"));
}

TEST(PluginPrivateCopies, descriptors_are_not_inherited) {
  const fs::path file = folder.write("a.so", "bytes");
  auto copies = PrivateCopies::open(folder.path() / "run");
  auto memory = PrivateCopies::in_memory();
  CHECK(copies.is_ok());
  auto copy = memory.copy(file);
  CHECK(copy.is_ok());
  int checked = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = fs::read_symlink(entry.path(), ignored).string();
    if (target.find("/memfd:a") == std::string::npos && !target.ends_with(own_name())) continue;
    const int number = std::stoi(entry.path().filename().string());
    CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    ++checked;
  }
  LONGS_EQUAL(2, checked);
}

TEST(PluginPrivateCopies, what_is_left_to_an_image_keeps_its_descriptor_but_not_its_name) {
  const fs::path file = folder.write("a.so", "bytes");
  auto copies = PrivateCopies::open(folder.path() / "run");
  CHECK(copies.is_ok());
  fs::path path;
  {
    auto copy = copies.value().copy(file);
    CHECK(copy.is_ok());
    path = copy.value().path();
    copy.value().leave_to_image();
  }
  CHECK_FALSE(fs::exists(path));
  {
    auto copy = PrivateCopies::in_memory().copy(file);
    CHECK(copy.is_ok());
    path = copy.value().path();
    copy.value().leave_to_image();
  }
  CHECK(fs::exists(path));
  ::close(std::stoi(path.filename().string()));
}

TEST(PluginPrivateCopies, a_pipe_is_no_file_and_is_not_waited_for) {
  LONGS_EQUAL(0, ::mkfifo((folder.path() / "pipe.so").c_str(), 0600));
  auto copies = PrivateCopies::open(folder.path() / "run");
  CHECK(copies.is_ok());
  auto copy = copies.value().copy(folder.path() / "pipe.so");
  CHECK_FALSE(copy.is_ok());
  STRCMP_EQUAL("not a file", copy.message().c_str());
}

TEST(PluginPrivateCopies, a_folder_that_cannot_be_made_is_a_sentence) {
  const fs::path file = folder.write("file", "");
  const auto copies = PrivateCopies::open(file);
  CHECK_FALSE(copies.is_ok());
  STRCMP_CONTAINS("cannot make the runtime folder", copies.message().c_str());
}

TEST(PluginPrivateCopies, a_file_that_is_not_there_is_a_sentence) {
  auto copies = PrivateCopies::open(folder.path() / "run");
  CHECK(copies.is_ok());
  auto copy = copies.value().copy(folder.path() / "missing.so");
  CHECK_FALSE(copy.is_ok());
  STRCMP_CONTAINS("no such file", copy.message().c_str());
}
