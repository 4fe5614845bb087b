#include "core/base/account_names.hpp"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <vector>

namespace jackfield::base {
namespace {

constexpr std::size_t kMostOctets = 1 << 20;  // of one entry

// Calls `ask` (a function of the kind of getpwuid_r) with a buffer that is large enough, and gives
// what `take` makes of the entry.
template <class Entry, class Ask, class Take>
auto look_up(Ask ask, Take take) -> std::optional<decltype(take(Entry()))> {
  std::vector<char> buffer(1024);
  while (buffer.size() <= kMostOctets) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = ask(&entry, buffer.data(), buffer.size(), &found);
    if (error == EINTR) continue;
    if (error == ERANGE) {
      buffer.resize(buffer.size() * 4);
      continue;
    }
    if (error != 0 || found == nullptr) return std::nullopt;
    return take(*found);
  }
  return std::nullopt;
}

Account account_of(const passwd& entry) { return {entry.pw_name, entry.pw_uid, entry.pw_gid}; }

std::vector<std::string> members_of(gid_t number) {
  const auto members = look_up<group>(
      [number](group* entry, char* buffer, std::size_t size, group** found) {
        return ::getgrgid_r(number, entry, buffer, size, found);
      },
      [](const group& entry) {
        std::vector<std::string> names;
        for (char** name = entry.gr_mem; name != nullptr && *name != nullptr; ++name) {
          names.emplace_back(*name);
        }
        return names;
      });
  return members.value_or(std::vector<std::string>());
}

// Those whose primary group it is. fgetpwent(3) gives the entries of this stream only, so that
// nobody else's getpwent(3) is in the way; nothing where the file cannot be read.
std::optional<std::vector<uid_t>> primary_members_of(gid_t number) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/etc/passwd", "re"),
                                                             &std::fclose);
  if (file == nullptr) return std::nullopt;
  std::vector<uid_t> users;
  std::vector<char> buffer(16 << 10);
  passwd entry{};
  passwd* found = nullptr;
  int error = 0;
  while ((error = ::fgetpwent_r(file.get(), &entry, buffer.data(), buffer.size(), &found)) == 0) {
    if (entry.pw_gid == number) users.push_back(entry.pw_uid);
  }
  if (error != ENOENT) return std::nullopt;  // the end is ENOENT
  return users;
}

}  // namespace

std::optional<Account> find_account(const std::string& name) {
  return look_up<passwd>(
      [&name](passwd* entry, char* buffer, std::size_t size, passwd** found) {
        return ::getpwnam_r(name.c_str(), entry, buffer, size, found);
      },
      account_of);
}

std::optional<Account> find_account(uid_t user) {
  return look_up<passwd>(
      [user](passwd* entry, char* buffer, std::size_t size, passwd** found) {
        return ::getpwuid_r(user, entry, buffer, size, found);
      },
      account_of);
}

std::optional<gid_t> find_group(const std::string& name) {
  return look_up<group>(
      [&name](group* entry, char* buffer, std::size_t size, group** found) {
        return ::getgrnam_r(name.c_str(), entry, buffer, size, found);
      },
      [](const group& entry) { return entry.gr_gid; });
}

std::string user_name(uid_t user) {
  const auto account = find_account(user);
  return account ? account->name : std::to_string(user);
}

std::string group_name(gid_t number) {
  const auto name = look_up<group>(
      [number](group* entry, char* buffer, std::size_t size, group** found) {
        return ::getgrgid_r(number, entry, buffer, size, found);
      },
      [](const group& entry) { return std::string(entry.gr_name); });
  return name.value_or(std::to_string(number));
}

bool is_private_group(gid_t number, uid_t user) {
  const auto is_ours = [user](uid_t member) { return member == 0 || member == user; };
  const auto primary = primary_members_of(number);
  if (!primary) return false;
  bool has_member = false;
  for (const uid_t member : *primary) {
    if (!is_ours(member)) return false;
    has_member = true;
  }
  for (const std::string& name : members_of(number)) {
    const auto account = find_account(name);
    if (!account || !is_ours(account->user)) return false;
    has_member = true;
  }
  return has_member;
}

}  // namespace jackfield::base
