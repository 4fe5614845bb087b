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
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

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

std::string group_for_root(const Settings& settings) {
  return "process.group is " + settings.group + ", but process.user is root, who gives up nothing";
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

// What could come back by executing a file. Takes CAP_SETPCAP, which a container need not give its
// root; without it no_new_privs will do.
enum class Emptying { kDone, kNotAllowed, kFailed };
Emptying empty_bounding_set() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    return errno == EPERM ? Emptying::kNotAllowed : Emptying::kFailed;
  }
  return Emptying::kDone;
}

// ---- the change

using Groups = std::set<gid_t>;

// Those that the user has by the machine's files, with the primary one; without a name none.
std::optional<Groups> groups_of(const Account& account) {
  if (account.name.empty()) return Groups();
  std::vector<gid_t> groups(32);
  int count = static_cast<int>(groups.size());
  if (::getgrouplist(account.name.c_str(), account.group, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    count = static_cast<int>(groups.size());
    if (::getgrouplist(account.name.c_str(), account.group, groups.data(), &count) < 0) {
      return std::nullopt;
    }
  }
  return Groups(groups.begin(), groups.begin() + count);
}

// Those that this thread has besides its effective one.
std::optional<Groups> own_groups() {
  const int count = ::getgroups(0, nullptr);
  if (count < 0) return std::nullopt;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgroups(count, groups.data()) != count) return std::nullopt;
  return Groups(groups.begin(), groups.end());
}

Status change_user(const Account& account, const Groups& groups) {
  const std::vector<gid_t> list(groups.begin(), groups.end());
  if (::setgroups(list.size(), list.data()) != 0) {
    return cannot("take the groups of " + base::user_name(account.user));
  }
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

// What every thread is to show in /proc/PID/task/TID/status (proc(5)).
struct Rights {
  std::string user;
  std::string group;
  std::set<std::string> groups;
  bool has_empty_bounding_set;
};

using Words = std::vector<std::string>;

// The lines of such a file that say what a thread may do, by their keys.
std::map<std::string, Words> read_rights(const fs::path& file) {
  static const std::set<std::string> kKeys{"Uid",    "Gid",    "Groups", "CapInh",    "CapPrm",
                                           "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"};
  std::map<std::string, Words> lines;
  std::ifstream status(file);
  for (std::string line; std::getline(status, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !kKeys.contains(line.substr(0, colon))) continue;
    std::istringstream rest(line.substr(colon + 1));
    Words& words = lines[line.substr(0, colon)];
    for (std::string word; rest >> word;) words.push_back(std::move(word));
  }
  return lines;
}

// A thread of ThreadSanitizer's own is there before main: what a thread has to give up itself, it
// cannot be made to.
#if defined(__SANITIZE_THREAD__)
constexpr bool kHasStrangers = true;
#else
constexpr bool kHasStrangers = false;
#endif

// What a thread has that it should not: the first key; empty: nothing. Older kernels do not show
// CapAmb (before 4.3) and NoNewPrivs (before 4.10).
std::string kept_right(const std::map<std::string, Words>& lines, const Rights& rights) {
  const auto has_only = [&lines](const char* key, const std::string& word, std::size_t count) {
    const auto found = lines.find(key);
    return found != lines.end() && found->second == Words(count, word);
  };
  constexpr const char* kNone = "0000000000000000";
  if (!has_only("Uid", rights.user, 4)) return "Uid";
  if (!has_only("Gid", rights.group, 4)) return "Gid";
  const auto groups = lines.find("Groups");
  if (groups == lines.end() ||
      std::set<std::string>(groups->second.begin(), groups->second.end()) != rights.groups) {
    return "Groups";
  }
  for (const char* set : {"CapInh", "CapPrm", "CapEff"}) {
    if (!has_only(set, kNone, 1)) return set;
  }
  if (lines.contains("CapAmb") && !has_only("CapAmb", kNone, 1)) return "CapAmb";
  if (kHasStrangers) return {};
  if (rights.has_empty_bounding_set && !has_only("CapBnd", kNone, 1)) return "CapBnd";
  return lines.contains("NoNewPrivs") && !has_only("NoNewPrivs", "1", 1) ? "NoNewPrivs" : "";
}

// Looks at every thread of the process, those that a library has made included. Without /proc
// nobody can tell: then glibc is believed (nptl(7)).
std::string right_that_a_thread_kept(const Rights& rights) {
  std::error_code error;
  for (fs::directory_iterator i("/proc/self/task", error), end; !error && i != end;
       i.increment(error)) {
    std::string kept = kept_right(read_rights(i->path() / "status"), rights);
    // One that has ended meanwhile has nothing.
    if (!kept.empty() && fs::exists(i->path(), error)) return kept;
  }
  return {};
}

bool has_ambient_capabilities() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       ++capability) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1) return true;
  }
  return false;
}

}  // namespace

Status check_process_settings(const Settings& settings) {
  if (settings.group.empty()) return Status::ok();
  if (settings.user.empty()) {
    return Status::failure("process.group is " + settings.group + ", but process.user is nobody");
  }
  if (settings.user != "root" && number_of(settings.user) != 0U) return Status::ok();
  return Status::failure(group_for_root(settings));
}

Found find_process_user(const Settings& settings) {
  if (const Status status = check_process_settings(settings); !status.is_ok()) {
    return Found::failure(status.message());
  }
  if (settings.user.empty()) return std::optional<Account>();
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
    if (account->user == 0) return Found::failure(group_for_root(settings));  // by another name
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
  const std::string user = base::user_name(account.user);
  const auto groups = is_root ? groups_of(account) : own_groups();
  if (!groups) return Status::failure("cannot find the groups of " + user);
  Emptying emptying = Emptying::kNotAllowed;
  if (is_root) {
    int parent_death_signal = 0;  // the change resets it (PR_SET_PDEATHSIG)
    ::prctl(PR_GET_PDEATHSIG, &parent_death_signal, 0, 0, 0);
    emptying = empty_bounding_set();
    if (emptying == Emptying::kFailed) return cannot("empty the bounding set of capabilities");
    if (auto status = change_user(account, *groups); !status.is_ok()) return status;
    if (parent_death_signal != 0) ::prctl(PR_SET_PDEATHSIG, parent_death_signal, 0, 0, 0);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // capset(2) clears them too
  if (!set_no_capabilities()) return cannot("give up capabilities");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return cannot("set no_new_privs");
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return cannot("keep no_new_privs");
  if (!is_user_in_full(account) || own_groups() != groups) {
    return Status::failure("is not " + user + " in full");
  }
  if (has_capabilities() || has_ambient_capabilities()) {
    return Status::failure("has kept capabilities as " + user);
  }
  if (can_be_root_again()) return Status::failure("could become root again as " + user);
  Rights rights{
      std::to_string(account.user), std::to_string(account.group), {}, emptying == Emptying::kDone};
  for (const gid_t group : *groups) rights.groups.insert(std::to_string(group));
  if (const std::string kept = right_that_a_thread_kept(rights); !kept.empty()) {
    return Status::failure("a thread has kept other rights than those of " + user + ": " + kept +
                           " in /proc/self/task");
  }
  if (is_root && ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
    return cannot("look into this process as " + user);
  }
  return Status::ok();
}

}  // namespace jackfield::daemon
