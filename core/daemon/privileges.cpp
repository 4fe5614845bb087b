#include "core/daemon/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "core/base/shell_word.hpp"

namespace jackfield::daemon {
namespace {

namespace fs = std::filesystem;
using base::Account;
using base::Status;
using Found = base::Result<std::optional<Account>>;

// The number that a text is; the largest is no user's: it means "unchanged" (setresuid(2)).
std::optional<std::uint32_t> number_of(const std::string& text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number == ~std::uint32_t{0}) {
    return std::nullopt;
  }
  return number;
}

std::optional<gid_t> find_group(const std::string& text) {
  if (const auto group = base::find_group(text)) return group;
  return number_of(text);
}

std::optional<Account> find_user(const Settings& settings) {
  if (auto account = base::find_account(settings.user)) return account;
  const auto number = number_of(settings.user);
  if (!number) return std::nullopt;
  if (auto account = base::find_account(uid_t{*number})) return account;
  if (settings.group.empty()) return std::nullopt;
  return Account{"", *number, 0};
}

Status cannot(const std::string& what) {
  return Status::failure("cannot " + what + ": " + std::strerror(errno));
}

// ---- capabilities (capabilities(7))

bool set_no_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0;
}

bool has_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return true;
  return std::any_of(sets.begin(), sets.end(), [](const __user_cap_data_struct& set) {
    return set.effective != 0 || set.permitted != 0 || set.inheritable != 0;
  });
}

// What could come back by executing a file. Takes CAP_SETPCAP; without it no_new_privs will do.
void empty_bounding_set() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

// ---- the change

Status change_user(const Account& account) {
  empty_bounding_set();
  const bool has_groups = account.name.empty()
                              ? ::setgroups(0, nullptr) == 0
                              : ::initgroups(account.name.c_str(), account.group) == 0;
  if (!has_groups) return cannot("take the groups of " + base::user_name(account.user));
  if (::setresgid(account.group, account.group, account.group) != 0) {
    return cannot("change to the group " + base::group_name(account.group));
  }
  if (::setresuid(account.user, account.user, account.user) != 0) {
    return cannot("change to the user " + base::user_name(account.user));
  }
  return Status::ok();
}

bool is_user_in_full(const Account& account) {
  std::array<uid_t, 3> users{};
  std::array<gid_t, 3> groups{};
  if (::getresuid(&users[0], &users[1], &users[2]) != 0) return false;
  if (::getresgid(&groups[0], &groups[1], &groups[2]) != 0) return false;
  return std::all_of(users.begin(), users.end(), [&](uid_t it) { return it == account.user; }) &&
         std::all_of(groups.begin(), groups.end(), [&](gid_t it) { return it == account.group; });
}

bool can_be_root_again() {
  constexpr auto kUnchanged = static_cast<uid_t>(-1);
  return ::setresuid(kUnchanged, 0, kUnchanged) == 0 || ::setuid(0) == 0 ||
         ::setgroups(0, nullptr) == 0;
}

// Whether the line of /proc/PID/status begins with `key` and has only `word` behind it.
bool has_only(const std::string& line, std::string_view key, const std::string& word) {
  if (!line.starts_with(key)) return false;
  std::istringstream words(line.substr(key.size()));
  bool has_any = false;
  for (std::string each; words >> each; has_any = true) {
    if (each != word) return false;
  }
  return has_any;
}

// Whether another thread kept the user or a capability. Without /proc nobody can tell: then glibc
// is believed (nptl(7)).
bool keeps_a_thread_rights(const Account& account) {
  std::error_code error;
  for (fs::directory_iterator i("/proc/self/task", error), end; !error && i != end;
       i.increment(error)) {
    std::ifstream status(i->path() / "status");
    int found = 0;
    for (std::string line; std::getline(status, line);) {
      if (has_only(line, "Uid:", std::to_string(account.user))) ++found;
      if (has_only(line, "CapEff:", "0000000000000000")) ++found;
      if (has_only(line, "CapPrm:", "0000000000000000")) ++found;
    }
    if (found != 3) return true;
  }
  return false;
}

}  // namespace

Found find_process_user(const Settings& settings) {
  if (settings.user.empty()) {
    if (settings.group.empty()) return std::optional<Account>();
    return Found::failure("process.group is " + settings.group + ", but process.user is nobody");
  }
  auto account = find_user(settings);
  if (!account) {
    const std::string user = base::shell_word(settings.user);
    return Found::failure(number_of(settings.user)
                              ? "process.user: there is no user " + user +
                                    " on this machine; name a process.group too"
                              : "process.user: there is no user " + user +
                                    " on this machine; \"useradd --system " + user +
                                    "\" makes one");
  }
  if (!settings.group.empty()) {
    const auto group = find_group(settings.group);
    if (!group) {
      const std::string name = base::shell_word(settings.group);
      return Found::failure("process.group: there is no group " + name +
                            " on this machine; \"groupadd --system " + name + "\" makes one");
    }
    account->group = *group;
  }
  if (::geteuid() == 0) return account;
  if (account->user != ::geteuid()) {
    return Found::failure("process.user is " + settings.user + ", but " +
                          base::user_name(::geteuid()) +
                          " started the server: only root can have it become another user");
  }
  if (account->group != ::getegid()) {
    return Found::failure("process.group: the group of " + base::user_name(account->user) +
                          " would be " + base::group_name(account->group) + ", but it is " +
                          base::group_name(::getegid()) + ": only root can change it");
  }
  return account;
}

Status become_process_user(const Account& account) {
  if (account.user == 0) return Status::ok();
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    int parent_death_signal = 0;  // the change resets it (PR_SET_PDEATHSIG)
    ::prctl(PR_GET_PDEATHSIG, &parent_death_signal, 0, 0, 0);
    if (auto status = change_user(account); !status.is_ok()) return status;
    if (parent_death_signal != 0) ::prctl(PR_SET_PDEATHSIG, parent_death_signal, 0, 0, 0);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // capset(2) clears them too
  if (!set_no_capabilities()) return cannot("give up capabilities");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return cannot("set no_new_privs");
  const std::string user = base::user_name(account.user);
  if (!is_user_in_full(account)) return Status::failure("is not " + user + " in full");
  if (has_capabilities()) return Status::failure("has kept capabilities as " + user);
  if (can_be_root_again()) return Status::failure("could become root again as " + user);
  if (keeps_a_thread_rights(account)) {
    return Status::failure("a thread has kept other rights than those of " + user);
  }
  if (is_root && ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
    return cannot("look into this process as " + user);
  }
  return Status::ok();
}

}  // namespace jackfield::daemon
