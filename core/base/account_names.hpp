// What users and groups are called, and who is in a group: getpwuid_r(3), getgrgid_r(3), and
// /etc/passwd. Any thread, no state.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace jackfield::base {

// A user as the machine knows it.
struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;  // the primary one
};

// Nothing where there is none of that name, or of that number.
std::optional<Account> find_account(const std::string& name);
std::optional<Account> find_account(uid_t user);
std::optional<gid_t> find_group(const std::string& name);

// For messages: the name, or the number where it has none.
std::string user_name(uid_t user);
std::string group_name(gid_t group);

// Whether `user` and root are the only members that a group has, and it has one: a group of a
// user's own, as many systems make it for each. Looks for those whose primary group it is in
// /etc/passwd only, not in a directory service, which need not list its users (nsswitch.conf(5)).
// False in doubt.
bool is_private_group(gid_t group, uid_t user);

}  // namespace jackfield::base
