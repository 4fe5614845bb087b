// Which files and folders are in others' hands, and what is said of them.
#include "core/base/file_trust.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "core/base/account_names.hpp"
#include "core/base/descriptor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::base;
using jackfield::test::check;
using jackfield::test::Where;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kStranger = 3'999'999'999;
constexpr uid_t kServer = 3'999'999'998;

using Check = Status (*)(int descriptor, const fs::path& path, uid_t user);

}  // namespace

TEST_GROUP(BaseFileTrust) {
  jackfield::test::TemporaryFolder folder;
  const fs::path file = folder.write("x y", "text");

  void change(unsigned mode, const fs::path& path) {
    LONGS_EQUAL(0, ::chmod(path.c_str(), static_cast<mode_t>(mode)));
  }
  // Gives it to somebody; only root can.
  bool give(uid_t user, gid_t group, const fs::path& path) {
    if (::chown(path.c_str(), user, group) == 0) return true;
    UT_PRINT("SKIPPED: only root can give a file away");
    return false;
  }
  std::string judge(Check judge_it, const fs::path& path, uid_t user = ::geteuid()) {
    const Descriptor opened(::open(path.c_str(), O_PATH | O_CLOEXEC));
    const Status status = judge_it(opened.number(), path, user);
    return status.is_ok() ? "" : status.message();
  }
  void expect_said(std::string_view part, const std::string& fault,
                       Where where = Where::here()) {
    check(fault.find(part) != std::string::npos, "\"" + fault + "\"", where);
  }
};

TEST(BaseFileTrust, what_only_the_user_can_write_is_trusted) {
  for (const unsigned mode : {0400U, 0600U, 0644U, 0755U, 0444U}) {
    change(mode, file);
    STRCMP_EQUAL("", judge(check_unwritable_by_others, file).c_str());
  }
  change(0755, folder.path());
  STRCMP_EQUAL("", judge(check_unwritable_by_others, folder.path()).c_str());
}

TEST(BaseFileTrust, what_all_can_write_is_not_and_the_sentence_says_what_and_how_to_mend_it) {
  change(0646, file);
  const std::string fault = judge(check_unwritable_by_others, file);
  const std::string expected = "the file " + file.string() + " (owner " + user_name(::geteuid()) +
                               ", group " + group_name(::getegid()) +
                               ", mode 0646) is writable by all; \"chmod go-w '" + file.string() +
                               "'\" mends that";
  STRCMP_EQUAL(expected.c_str(), fault.c_str());
  change(0707, folder.path());
  expect_said("the folder " + folder.path().string(),
                  judge(check_unwritable_by_others, folder.path()));
}

TEST(BaseFileTrust, what_a_group_with_other_members_can_write_is_not) {
  if (!give(0, kStranger, file)) return;
  change(0664, file);
  expect_said("is writable by its group", judge(check_unwritable_by_others, file));
  expect_said("chmod go-w", judge(check_unwritable_by_others, file));
}

TEST(BaseFileTrust, what_only_a_users_own_group_can_write_is_trusted) {
  const auto daemon = find_account("daemon");
  if (!daemon || !is_private_group(daemon->group, daemon->user)) {
    UT_PRINT("SKIPPED: there is no user daemon with a group of its own");
    return;
  }
  if (!give(daemon->user, daemon->group, file)) return;
  change(0664, file);
  STRCMP_EQUAL("", judge(check_unwritable_by_others, file, daemon->user).c_str());
  // root's file, which daemon could change.
  if (!give(0, daemon->group, file)) return;
  STRCMP_EQUAL("", judge(check_unwritable_by_others, file, daemon->user).c_str());
  expect_said("is writable by its group", judge(check_unwritable_by_others, file, 0));
  expect_said("is writable by its group", judge(check_unwritable_by_others, file, kServer));
}

TEST(BaseFileTrust, what_a_stranger_owns_is_not_whatever_its_mode) {
  if (!give(kStranger, 0, file)) return;
  change(0400, file);
  expect_said("(owner 3999999999, group root, mode 0400) belongs ",
                  judge(check_unwritable_by_others, file, kServer));
  expect_said("belongs neither to root nor to 3999999998; \"chown root '",
                  judge(check_unwritable_by_others, file, kServer));
  expect_said("does not belong to root; ", judge(check_unwritable_by_others, file, 0));
  expect_said("\" mends that, or a server that runs as 3999999999",
              judge(check_unwritable_by_others, file, 0));
}

TEST(BaseFileTrust, what_root_or_the_servers_user_owns_is_trusted) {
  if (!give(kServer, 0, file)) return;
  change(0644, file);
  STRCMP_EQUAL("", judge(check_unwritable_by_others, file, kServer).c_str());
  if (!give(0, 0, file)) return;
  STRCMP_EQUAL("", judge(check_unwritable_by_others, file, kServer).c_str());
}

TEST(BaseFileTrust, a_secret_is_readable_by_nobody_else) {
  for (const unsigned mode : {0400U, 0600U, 0700U}) {
    change(mode, file);
    STRCMP_EQUAL("", judge(check_secret_file, file).c_str());
  }
  change(0604, file);
  expect_said("is readable by all; \"chmod o-rwx '", judge(check_secret_file, file));
  change(0602, file);
  expect_said("is writable by all", judge(check_secret_file, file));
  change(0644, file);
  expect_said("is readable by all", judge(check_secret_file, file));
}

TEST(BaseFileTrust, a_secret_of_roots_may_be_given_to_a_group_and_no_other) {
  if (!give(0, kStranger, file)) return;
  change(0640, file);
  STRCMP_EQUAL("", judge(check_secret_file, file, kServer).c_str());
  STRCMP_EQUAL("", judge(check_secret_file, file, 0).c_str());
  if (!give(kServer, kStranger, file)) return;
  expect_said("is readable by its group", judge(check_secret_file, file, kServer));
  change(0600, file);
  STRCMP_EQUAL("", judge(check_secret_file, file, kServer).c_str());
  if (!give(kStranger, kStranger, file)) return;
  expect_said("belongs neither to root nor to", judge(check_secret_file, file, kServer));
}
