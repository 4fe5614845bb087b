// The ways of paths: what lies on them, and which others could have lead elsewhere. Temporary
// folders lie in a folder in which only owners take entries away, as /tmp is one.
#include "core/files/way.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include "core/base/account_names.hpp"
#include "core/files/file_stamp.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::files::FileStamp;
using jackfield::files::reach_file;
using jackfield::files::reach_folder;
using jackfield::test::check;
using jackfield::test::Deadline;
using jackfield::test::Where;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kStranger = 3'999'999'999;

}  // namespace

TEST_GROUP(FilesWay) {
  jackfield::test::TemporaryFolder folder;
  const fs::path inner = (fs::create_directory(folder.path() / "inner"), folder.path() / "inner");
  const fs::path file = folder.write("inner/x.so", "octets");

  void setup() override {
    change(0755, folder.path());
    change(0755, inner);
    change(0644, file);
  }
  void change(unsigned mode, const fs::path& path) {
    LONGS_EQUAL(0, ::chmod(path.c_str(), static_cast<mode_t>(mode)));
  }
  bool give(uid_t user, const fs::path& path) {
    if (::lchown(path.c_str(), user, 0) == 0) return true;
    UT_PRINT("SKIPPED: only root can give a file away");
    return false;
  }
  std::string fault(const fs::path& path, Where where = Where::here()) {
    const auto reached = reach_file(path);
    check(reached.is_ok(), reached.is_ok() ? "" : reached.message(), where);
    return reached.value().fault;
  }
  void expect_trusted(const fs::path& path, Where where = Where::here()) {
    const std::string found = fault(path, where);
    check(found.empty(), found, where);
  }
  // The fault begins with "the <kind> <place> ", so it is of that step.
  void expect_fault(const std::string& kind, const fs::path& place, const fs::path& path,
                    Where where = Where::here()) {
    const std::string found = fault(path, where);
    check(found.starts_with("the " + kind + " " + place.string() + " ("), found, where);
  }
  void expect_failure(const char* sentence, const fs::path& path, Where where = Where::here()) {
    const auto reached = reach_file(path);
    check(!reached.is_ok(), "it was reached", where);
    check(reached.message() == sentence, reached.message(), where);
  }
};

TEST(FilesWay, a_file_is_reached_and_opened_and_is_the_one_that_was_judged) {
  auto reached = reach_file(file);
  CHECK(reached.is_ok());
  STRCMP_EQUAL("", reached.value().fault.c_str());
  CHECK(FileStamp::of(reached.value().descriptor.number()) == FileStamp::of(file));
  std::array<char, 16> octets{};
  LONGS_EQUAL(6, ::read(reached.value().descriptor.number(), octets.data(), octets.size()));
  STRCMP_EQUAL("octets", octets.data());
}

TEST(FilesWay, links_points_and_relative_paths_lead_where_the_kernel_goes) {
  fs::create_directory(folder.path() / "other");
  fs::create_directory_symlink("../inner", folder.path() / "other/up");
  fs::create_directory_symlink(folder.path() / "other/up", folder.path() / "whole");
  fs::create_symlink("../inner/./x.so", folder.path() / "other/y.so");
  const auto wanted = FileStamp::of(file);
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  for (const fs::path& path :
       {folder.path() / "other/up/x.so", folder.path() / "whole/x.so",
        folder.path() / "other/y.so", folder.path() / "other/../inner/../other/./y.so",
        fs::path("inner/x.so"), fs::path("other/up/../inner/x.so"), fs::path("./whole//x.so"),
        fs::path("/../.." + file.string())}) {
    const auto reached = reach_file(path);
    const bool is_it =
        reached.is_ok() && FileStamp::of(reached.value().descriptor.number()) == wanted;
    fs::current_path(before);
    check(is_it, path.string());
    expect_trusted(path.is_absolute() ? path : folder.path() / path);
    fs::current_path(folder.path());
  }
  fs::current_path(before);
}

TEST(FilesWay, what_is_not_there_or_no_file_is_a_sentence) {
  expect_failure("no such file", inner / "y.so");
  expect_failure("no such file", file / "x");
  expect_failure("no such file", folder.path() / "nowhere/x.so");
  expect_failure("not a file", inner);
  LONGS_EQUAL(0, ::mkfifo((inner / "pipe").c_str(), 0600));
  expect_failure("not a file", inner / "pipe");
  fs::create_symlink("nothing", inner / "dangling.so");
  expect_failure("no such file", inner / "dangling.so");
  fs::create_symlink("b", inner / "a");
  fs::create_symlink("a", inner / "b");
  expect_failure("cannot be read: Too many levels of symbolic links", inner / "a");
  CHECK_FALSE(reach_folder(file).is_ok());
  CHECK(reach_folder(inner).is_ok());
}

TEST(FilesWay, a_file_that_others_can_write_is_its_fault) {
  change(0646, file);
  expect_fault("file", file, file);
}

TEST(FilesWay, each_folder_on_the_way_counts) {
  for (const fs::path& place : {inner, folder.path()}) {
    change(0757, place);
    expect_fault("folder", place, file);
    STRCMP_CONTAINS(place.c_str(), reach_folder(inner).value().fault.c_str());
    change(0755, place);
    expect_trusted(file);
  }
}

TEST(FilesWay, a_link_out_of_a_good_folder_into_a_bad_one_is_followed_and_found) {
  const fs::path bad = folder.path() / "bad";
  fs::create_directory(bad);
  fs::copy_file(file, bad / "x.so");
  fs::create_symlink("../bad/x.so", inner / "link.so");
  expect_trusted(inner / "link.so");
  change(0777, bad);
  expect_fault("folder", bad, inner / "link.so");
  change(0755, bad);
  change(0666, bad / "x.so");
  expect_fault("file", bad / "x.so", inner / "link.so");
}

TEST(FilesWay, a_link_that_lies_in_a_bad_folder_is_bad_wherever_it_leads) {
  const fs::path bad = folder.path() / "bad";
  fs::create_directory(bad);
  fs::create_directory_symlink(inner, bad / "link");
  fs::create_directory_symlink("bad/link", folder.path() / "way");
  expect_trusted(folder.path() / "way/x.so");
  change(0777, bad);
  expect_fault("folder", bad, folder.path() / "way/x.so");
}

TEST(FilesWay, a_folder_where_only_owners_take_away_is_no_danger_to_what_is_ours) {
  change(01777, folder.path());
  expect_trusted(file);
  fs::create_symlink("inner/x.so", folder.path() / "link.so");
  expect_trusted(folder.path() / "link.so");
  fs::copy_file(file, folder.path() / "x.so");
  expect_trusted(folder.path() / "x.so");
  // Its own mode is another matter.
  change(0666, folder.path() / "x.so");
  expect_fault("file", folder.path() / "x.so", folder.path() / "x.so");
}

TEST(FilesWay, what_strangers_put_there_is) {
  change(01777, folder.path());
  fs::create_symlink("inner/x.so", folder.path() / "link.so");
  if (!give(kStranger, folder.path() / "link.so")) return;
  expect_fault("link", folder.path() / "link.so", folder.path() / "link.so");
  // Where others cannot write a link's owner is nobody: he cannot change it.
  change(0755, folder.path());
  expect_trusted(folder.path() / "link.so");
  change(01777, folder.path());
  CHECK(give(kStranger, inner));
  expect_fault("folder", inner, file);
  CHECK(give(0, inner));
  CHECK(give(kStranger, file));
  expect_fault("file", file, file);
}

TEST(FilesWay, a_second_name_there_may_be_somebodys_who_is_not_its_owner) {
  fs::create_hard_link(file, inner / "y.so");
  expect_trusted(inner / "y.so");
  change(01777, inner);
  const std::string found = fault(inner / "y.so");
  STRCMP_CONTAINS("y.so has more than one name", found.c_str());
  STRCMP_CONTAINS(inner.c_str(), found.c_str());
  fs::remove(inner / "y.so");
  expect_trusted(file);
}

TEST(FilesWay, a_folder_of_a_strangers_is_his_to_change) {
  if (!give(kStranger, inner)) return;
  expect_fault("folder", inner, file);
  STRCMP_CONTAINS("chown root", fault(file).c_str());
}

TEST(FilesWay, the_first_fault_on_the_way_is_said) {
  change(0757, folder.path());
  change(0757, inner);
  change(0646, file);
  expect_fault("folder", folder.path(), file);
}

// What is judged is what is opened, whatever others do with names in between.
TEST(FilesWay, names_that_change_all_the_time_never_make_a_bad_file_a_good_one) {
  const fs::path bad = folder.path() / "bad";
  fs::create_directory(bad);
  fs::copy_file(file, bad / "x.so");
  change(0777, bad);
  const auto good = FileStamp::of(file);
  std::atomic<bool> is_over = false;
  std::thread changer([&] {
    for (bool is_bad = true; !is_over; is_bad = !is_bad) {
      fs::create_directory_symlink(is_bad ? "bad" : "inner", folder.path() / "next");
      fs::rename(folder.path() / "next", folder.path() / "link");
    }
  });
  std::size_t seen_good = 0;
  std::size_t seen_bad = 0;
  bool is_confused = false;
  const Deadline deadline;
  while ((seen_good < 200 || seen_bad < 200) && deadline.milliseconds() > 0) {
    const auto reached = reach_file(folder.path() / "link/x.so");
    if (!reached.is_ok()) continue;  // before the first link is there
    const bool is_good = FileStamp::of(reached.value().descriptor.number()) == good;
    is_confused |= is_good != reached.value().fault.empty();
    ++(is_good ? seen_good : seen_bad);
  }
  is_over = true;
  changer.join();
  CHECK_FALSE(is_confused);
  CHECK(seen_good >= 200 && seen_bad >= 200);
}
