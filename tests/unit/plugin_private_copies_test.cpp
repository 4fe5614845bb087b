#include "core/plugin/private_copies.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::plugin::PrivateCopies;
namespace fs = std::filesystem;

namespace {

std::size_t count_entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

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
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  fs::create_directories(run / ("jackfield-" + std::to_string(gone)));
  fs::create_directories(run / "jackfield-1");  // alive
  fs::create_directories(run / "jackfield-data");
  auto copies = PrivateCopies::open(run);
  CHECK(copies.is_ok());
  CHECK_FALSE(fs::exists(run / ("jackfield-" + std::to_string(gone))));
  CHECK(fs::exists(run / "jackfield-1"));
  CHECK(fs::exists(run / "jackfield-data"));
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
  STRCMP_CONTAINS("No such file", copy.message().c_str());
}
