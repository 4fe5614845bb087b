// The places for what lives only as long as the machine runs, and root's folders in them for a
// server that is another user. What needs root is skipped where the tests run as somebody else.
#include "core/plugin/runtime_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::plugin;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kUser = 4711;
constexpr gid_t kGroup = 4712;

}  // namespace

TEST_GROUP(PluginRuntimeDirectory) {
  jackfield::test::TemporaryFolder folder;
  const fs::path place = folder.path() / "place";
  const fs::path users = place / "jackfield-users";
  const fs::path own = users / "4711";

  bool is_root() {
    if (::geteuid() == 0) return true;
    UT_PRINT("SKIPPED: only root can make folders for others");
    return false;
  }
  void expect(uid_t user, unsigned mode, const fs::path& path) {
    struct stat info {};
    LONGS_EQUAL(0, ::lstat(path.c_str(), &info));
    LONGS_EQUAL(user, info.st_uid);
    LONGS_EQUAL(mode, info.st_mode & 07777);
  }
  bool prepare() { return prepare_runtime_directories(place, kUser, kGroup).is_ok(); }
  // As that user finds them.
  std::vector<fs::path> found_by_user() {
    LONGS_EQUAL(0, ::chmod(folder.path().c_str(), 0755));
    LONGS_EQUAL(0, ::seteuid(kUser));
    auto found = runtime_directories(place);
    LONGS_EQUAL(0, ::seteuid(0));
    return found;
  }
};

TEST(PluginRuntimeDirectory, the_one_that_is_configured_is_the_only_one) {
  const auto found = runtime_directories(place);
  LONGS_EQUAL(1, found.size());
  CHECK(found.front() == place);
  CHECK(user_directories(place).empty());
}

TEST(PluginRuntimeDirectory, run_is_for_root_only_but_where_it_is_given) {
  ::unsetenv("RUNTIME_DIRECTORY");
  const auto has_run = [](const std::vector<fs::path>& found) {
    return std::find(found.begin(), found.end(), fs::path("/run")) != found.end();
  };
  CHECK(has_run(runtime_directories({})) == (::geteuid() == 0));
  CHECK(has_run(runtime_directories("/run")));
}

TEST(PluginRuntimeDirectory, root_makes_a_folder_for_the_user_which_that_one_finds) {
  if (!is_root()) return;
  const mode_t before = ::umask(077);
  const bool is_prepared = prepare();
  ::umask(before);
  CHECK(is_prepared);
  expect(0, 0755, users);
  expect(kUser, 0700, own);
  CHECK(runtime_directories(place).front() == place);
  const auto directories = user_directories(place);
  LONGS_EQUAL(1, directories.size());
  CHECK(directories.front().path == own);
  LONGS_EQUAL(kUser, directories.front().user);
  expect(0, 0755, place);
  CHECK(found_by_user().front() == own);
  // Once more, and with the user's things in it.
  folder.write("place/jackfield-users/4711/kept", "x");
  CHECK(prepare());
  CHECK(fs::exists(own / "kept"));
}

TEST(PluginRuntimeDirectory, none_is_made_in_what_is_that_users) {
  if (!is_root()) return;
  fs::create_directory(place);
  LONGS_EQUAL(0, ::chown(place.c_str(), kUser, kGroup));
  CHECK(prepare());
  CHECK(fs::is_empty(place));
  CHECK(found_by_user().front() == place);
  const auto directories = user_directories(place);
  LONGS_EQUAL(1, directories.size());
  CHECK(directories.front().path == place);
  LONGS_EQUAL(kUser, directories.front().user);
}

TEST(PluginRuntimeDirectory, what_somebody_else_made_there_is_not_taken) {
  if (!is_root()) return;
  fs::create_directories(own);
  LONGS_EQUAL(0, ::chown(users.c_str(), 4713, 0));
  LONGS_EQUAL(0, ::chown(own.c_str(), kUser, kGroup));
  CHECK_FALSE(prepare());
  CHECK(user_directories(place).empty());
  CHECK(found_by_user().front() == place);
  LONGS_EQUAL(0, ::chown(users.c_str(), 0, 0));
  LONGS_EQUAL(0, ::chown(own.c_str(), 4713, 0));
  CHECK_FALSE(prepare());
  CHECK(user_directories(place).empty());
  // Nor a link.
  fs::remove_all(users);
  fs::create_directories(folder.path() / "elsewhere");
  fs::create_directory_symlink(folder.path() / "elsewhere", users);
  CHECK_FALSE(prepare());
  CHECK(fs::is_empty(folder.path() / "elsewhere"));
}
