// What users and groups are called, and which group is a user's own. The names of /etc/passwd that
// every system has are taken for granted: root's.
#include "core/base/account_names.hpp"

#include <unistd.h>

#include <limits>
#include <string>

#include <CppUTest/TestHarness.h>

using namespace jackfield::base;

namespace {

constexpr uid_t kNobodyHasThis = 3'999'999'999;

}  // namespace

TEST_GROUP(BaseAccountNames){};

TEST(BaseAccountNames, root_is_found_by_its_name_and_by_its_number) {
  const auto by_name = find_account("root");
  CHECK(by_name.has_value());
  LONGS_EQUAL(0, by_name->user);
  LONGS_EQUAL(0, by_name->group);
  const auto by_number = find_account(uid_t{0});
  CHECK(by_number.has_value());
  STRCMP_EQUAL("root", by_number->name.c_str());
  CHECK(find_group("root") == gid_t{0});
}

TEST(BaseAccountNames, who_is_not_there_is_nobody) {
  CHECK_FALSE(find_account("no such user").has_value());
  CHECK_FALSE(find_account("").has_value());
  CHECK_FALSE(find_account(kNobodyHasThis).has_value());
  CHECK_FALSE(find_group("no such group").has_value());
}

TEST(BaseAccountNames, a_number_without_a_name_is_called_by_the_number) {
  STRCMP_EQUAL("root", user_name(0).c_str());
  STRCMP_EQUAL("3999999999", user_name(kNobodyHasThis).c_str());
  STRCMP_EQUAL("root", group_name(0).c_str());
  STRCMP_EQUAL("3999999999", group_name(kNobodyHasThis).c_str());
}

TEST(BaseAccountNames, a_group_of_which_nobody_is_known_is_not_private) {
  CHECK_FALSE(is_private_group(kNobodyHasThis, 0));
  CHECK_FALSE(is_private_group(kNobodyHasThis, ::geteuid()));
}

// daemon has a group of its own, as Debian makes one for each user.
TEST(BaseAccountNames, a_group_is_private_for_its_one_member_and_for_no_other) {
  const auto daemon = find_account("daemon");
  if (!daemon || find_group("daemon") != daemon->group) {
    UT_PRINT("SKIPPED: there is no user daemon with a group of that name");
    return;
  }
  CHECK_TRUE(is_private_group(daemon->group, daemon->user));
  CHECK_FALSE(is_private_group(daemon->group, 0));
  CHECK_FALSE(is_private_group(daemon->group, kNobodyHasThis));
}
