#include "core/base/file_trust.hpp"

#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/base/account_names.hpp"
#include "core/base/shell_word.hpp"

namespace jackfield::base {
namespace {

// A descriptor of O_PATH has no attributes; its name under /proc has.
bool may_have_acl(int descriptor) {
  const std::string name = "/proc/self/fd/" + std::to_string(descriptor);
  if (::getxattr(name.c_str(), "system.posix_acl_access", nullptr, 0) >= 0) return true;
  return errno != ENODATA && errno != ENOTSUP;
}

bool is_of_others(gid_t group, int descriptor, uid_t user) {
  return !is_private_group(group, user) || may_have_acl(descriptor);
}

std::string kind_of(const struct stat& info) {
  return S_ISDIR(info.st_mode) ? "folder" : S_ISLNK(info.st_mode) ? "link" : "file";
}

std::string fault(const struct stat& info, const std::filesystem::path& path,
                  const std::string& what, const std::string& command) {
  return "the " + kind_of(info) + " " + path.string() + " (" + describe_owner(info) + ") " + what +
         "; \"" + command + " " + shell_word(path.string()) + "\" mends that";
}

std::string fault_of_owner(const struct stat& info, const std::filesystem::path& path, uid_t user) {
  if (info.st_uid == 0 || info.st_uid == user) return {};
  const std::string owner = user_name(info.st_uid);
  const std::string whose =
      user == 0 ? "does not belong to root" : "belongs neither to root nor to " + user_name(user);
  return fault(info, path, whose, S_ISLNK(info.st_mode) ? "chown -h root" : "chown root") +
         ", or a server that runs as " + owner;
}

Status status_of(const std::string& fault) {
  return fault.empty() ? Status::ok() : Status::failure(fault);
}

Status cannot_look(const std::filesystem::path& path) {
  return Status::failure("cannot look at " + path.string() + ": " + std::strerror(errno));
}

}  // namespace

std::string fault_of_writers(int descriptor, const struct stat& info,
                             const std::filesystem::path& path, uid_t user) {
  if (auto found = fault_of_owner(info, path, user); !found.empty()) return found;
  if ((info.st_mode & S_IWOTH) != 0) return fault(info, path, "is writable by all", "chmod go-w");
  if ((info.st_mode & S_IWGRP) == 0 || !is_of_others(info.st_gid, descriptor, user)) return {};
  return fault(info, path, "is writable by its group, or others in its access list", "chmod go-w");
}

Status check_unwritable_by_others(int descriptor, const std::filesystem::path& path, uid_t user) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return cannot_look(path);
  return status_of(fault_of_writers(descriptor, info, path, user));
}

Status check_secret_file(int descriptor, const std::filesystem::path& path, uid_t user) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return cannot_look(path);
  if (auto found = fault_of_writers(descriptor, info, path, user); !found.empty()) {
    return Status::failure(found);
  }
  if ((info.st_mode & S_IROTH) != 0) {
    return Status::failure(fault(info, path, "is readable by all", "chmod o-rwx"));
  }
  const bool is_shared = (info.st_mode & S_IRGRP) != 0 && info.st_uid != 0 &&
                         is_of_others(info.st_gid, descriptor, user);
  if (!is_shared) return Status::ok();
  return Status::failure(
      fault(info, path, "is readable by its group, or others in its access list", "chmod go-rwx"));
}

bool is_sticky(const struct stat& info) {
  return S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
}

std::string describe_owner(const struct stat& info) {
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(info.st_mode & 07777));
  return "owner " + user_name(info.st_uid) + ", group " + group_name(info.st_gid) + ", mode " +
         mode.data();
}

}  // namespace jackfield::base
