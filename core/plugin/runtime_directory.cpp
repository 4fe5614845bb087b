#include "core/plugin/runtime_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "core/base/descriptor.hpp"
#include "core/files/way.hpp"

namespace jackfield::plugin {
namespace {

namespace fs = std::filesystem;
using base::Descriptor;
using base::Status;

constexpr const char* kUsers = "jackfield-users";

struct Place {
  fs::path path;
  bool is_roots = false;  // nobody else is to try it
};

std::vector<Place> places(const fs::path& configured) {
  if (!configured.empty()) return {{configured}};
  std::vector<Place> found;
  // It may be a colon-separated list.
  if (const char* given = std::getenv("RUNTIME_DIRECTORY"); given != nullptr && *given != '\0') {
    const std::string_view list(given);
    found.push_back({list.substr(0, list.find(':'))});
  }
  found.push_back({"/run", true});
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  if (!error) found.push_back({temporary});
  return found;
}

bool is_executable(const fs::path& folder) {
  struct statvfs info {};
  return ::statvfs(folder.c_str(), &info) == 0 && (info.f_flag & ST_NOEXEC) == 0;
}

bool is_folder_of(const fs::path& folder, uid_t user) {
  struct stat info {};
  return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == user &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::optional<UserDirectory> folder_in(const fs::path& place, uid_t user) {
  const fs::path users = place / kUsers;
  fs::path folder = users / std::to_string(user);
  if (!is_folder_of(users, 0) || !is_folder_of(folder, user)) return std::nullopt;
  return UserDirectory{std::move(folder), user};
}

Status cannot_make(const fs::path& folder, const std::string& why) {
  return Status::failure("cannot make the runtime folder " + folder.string() + ": " + why);
}

// Makes a folder, or takes the one that is there, and opens it; no link is followed.
Descriptor make_and_open(int parent, const char* name, struct stat& info) {
  if (::mkdirat(parent, name, 0700) != 0 && errno != EEXIST) return Descriptor(-1);
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Descriptor opened(::openat(parent, name, flags));
  if (opened.is_open() && ::fstat(opened.number(), &info) != 0) return Descriptor(-1);
  return opened;
}

Status prepare(const fs::path& place, uid_t user, gid_t group, bool is_trust_required) {
  std::error_code ignored;
  const bool is_new = fs::create_directories(place, ignored);
  struct stat info {};
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_new ? O_NOFOLLOW : 0);
  const Descriptor top(::open(place.c_str(), flags));
  if (!top.is_open() || ::fstat(top.number(), &info) != 0) {
    return cannot_make(place, std::strerror(errno));
  }
  if (info.st_uid == user) return Status::ok();
  // Nothing is made for root where others could exchange it at once.
  const auto reached = files::reach_folder(place, user);
  if (!reached.is_ok()) return cannot_make(place, reached.message());
  const std::string& fault = reached.value().fault;
  if (is_trust_required && !fault.empty()) return cannot_make(place, fault);
  // Whatever the umask: the user has to pass through it.
  if (is_new && ::fchmod(top.number(), 0755) != 0) return cannot_make(place, std::strerror(errno));

  const fs::path users = place / kUsers;
  const Descriptor middle = make_and_open(top.number(), kUsers, info);
  if (!middle.is_open()) return cannot_make(users, std::strerror(errno));
  if (info.st_uid != 0) return cannot_make(users, "somebody else has made it");
  if (::fchmod(middle.number(), 0755) != 0) return cannot_make(users, std::strerror(errno));

  const std::string name = std::to_string(user);
  const Descriptor folder = make_and_open(middle.number(), name.c_str(), info);
  if (!folder.is_open()) return cannot_make(users / name, std::strerror(errno));
  const bool is_theirs = info.st_uid == user || info.st_uid == 0;
  if (!is_theirs) return cannot_make(users / name, "it is another user's");
  if (::fchown(folder.number(), user, group) != 0 || ::fchmod(folder.number(), 0700) != 0) {
    return cannot_make(users / name, std::strerror(errno));
  }
  return Status::ok();
}

}  // namespace

std::vector<fs::path> runtime_directories(const fs::path& configured) {
  const bool is_root = ::geteuid() == 0;
  std::vector<fs::path> found;
  for (const Place& place : places(configured)) {
    const auto own = is_root ? std::nullopt : folder_in(place.path, ::geteuid());
    if (own) {
      found.push_back(own->path);
    } else if (is_root || !place.is_roots) {
      found.push_back(place.path);
    }
  }
  return found;
}

Status prepare_runtime_directories(const fs::path& configured, uid_t user, gid_t group,
                                   bool is_trust_required) {
  for (const Place& place : places(configured)) {
    const Status prepared = prepare(place.path, user, group, is_trust_required);
    if (!prepared.is_ok() && !configured.empty()) return prepared;
    // Copies of plugins will be made in this one.
    if (prepared.is_ok() && is_executable(place.path)) break;
  }
  return Status::ok();
}

std::vector<UserDirectory> user_directories(const fs::path& configured) {
  std::vector<UserDirectory> found;
  for (const Place& place : places(configured)) {
    struct stat info {};
    const bool is_users = ::stat(place.path.c_str(), &info) == 0 && info.st_uid != 0 &&
                          (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    if (is_users) found.push_back({place.path, info.st_uid});
    std::error_code error;
    for (fs::directory_iterator i(place.path / kUsers, error), end; !error && i != end;
         i.increment(error)) {
      const std::string name = i->path().filename().string();
      uid_t user = 0;
      const auto parsed = std::from_chars(name.data(), name.data() + name.size(), user);
      if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
      if (auto folder = folder_in(place.path, user)) found.push_back(std::move(*folder));
    }
  }
  return found;
}

}  // namespace jackfield::plugin
