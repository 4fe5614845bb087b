// Who the user at the other end of a Unix socket is.
#include "core/access/identity.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "core/base/descriptor.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield::access;

TEST_GROUP(AccessIdentity){};

TEST(AccessIdentity, a_user_is_his_name_or_his_number) {
  STRCMP_EQUAL("unix:alice", user_identity(1000, "alice", 65534)->text.c_str());
  STRCMP_EQUAL("unix:1000", user_identity(1000, "", 65534)->text.c_str());
  STRCMP_EQUAL("unix:1000", user_identity(1000, "a b", 65534)->text.c_str());
}

TEST(AccessIdentity, a_name_of_digits_is_nobody_elses_number) {
  STRCMP_EQUAL("unix:1000", user_identity(1000, "2000", 65534)->text.c_str());
  STRCMP_EQUAL("unix:2000a", user_identity(1000, "2000a", 65534)->text.c_str());
}

TEST(AccessIdentity, whoever_has_no_number_here_is_nobody) {
  CHECK_FALSE(user_identity(65534, "nobody", 65534).has_value());
  CHECK(user_identity(65534, "nobody", 65533).has_value());
}

TEST(AccessIdentity, the_peer_of_a_socket_with_the_overflow_user_is_nobody) {
  if (::seteuid(65534) != 0) {
    UT_PRINT("SKIPPED: only root can be another user");
    return;
  }
  std::array<int, 2> pair{};
  const int made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data());
  LONGS_EQUAL(0, ::seteuid(0));
  LONGS_EQUAL(0, made);
  const jackfield::base::Descriptor one(pair[0]);
  const jackfield::base::Descriptor other(pair[1]);
  CHECK_FALSE(unix_identity(one.number()).has_value());
}
