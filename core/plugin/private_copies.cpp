#include "core/plugin/private_copies.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

namespace jackfield::plugin {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr std::string_view kPrefix = "jackfield-";

// Folders of servers that were killed. Only our own ones: a name in a shared folder proves nothing.
void remove_stale(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator i(directory, error), end; !error && i != end; i.increment(error)) {
    const std::string name = i->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    int pid = 0;
    const char* const last = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), last, pid);
    if (parsed.ec != std::errc() || parsed.ptr != last || pid <= 0) continue;
    if (::kill(pid, 0) == 0 || errno != ESRCH) continue;
    struct stat info {};
    const bool is_own = ::lstat(i->path().c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
                        info.st_uid == ::geteuid();
    std::error_code ignored;
    if (is_own) fs::remove_all(i->path(), ignored);
  }
}

Result<fs::path> make_folder(const fs::path& directory) {
  const fs::path folder = directory / (std::string(kPrefix) + std::to_string(::getpid()));
  std::error_code ignored;
  fs::create_directories(directory, ignored);
  // mkdir(2) fails where the name is taken, a symbolic link included: nobody can lead us elsewhere.
  // A leftover of an earlier process that had our id is removed; remove_stale takes it for ours.
  if (::mkdir(folder.c_str(), 0700) == 0) return folder;
  if (errno == EEXIST) {
    struct stat info {};
    const bool is_own = ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
                        info.st_uid == ::geteuid();
    if (is_own) {
      fs::remove_all(folder, ignored);
      if (::mkdir(folder.c_str(), 0700) == 0) return folder;
    }
  }
  return Result<fs::path>::failure("cannot make the runtime folder " + folder.string() + ": " +
                                   std::strerror(errno));
}

std::vector<fs::path> candidates(const fs::path& configured) {
  if (!configured.empty()) return {configured};
  std::vector<fs::path> found;
  // $RUNTIME_DIRECTORY may be a colon-separated list (systemd.exec(5)).
  if (const char* given = std::getenv("RUNTIME_DIRECTORY"); given != nullptr && *given != '\0') {
    const std::string_view list(given);
    found.emplace_back(list.substr(0, list.find(':')));
  }
  if (::geteuid() == 0) found.emplace_back("/run");
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  if (!error) found.push_back(temporary);
  return found;
}

}  // namespace

Result<PrivateCopies> PrivateCopies::open(const fs::path& runtime_directory) {
  std::string why = "no folder for private copies";
  for (const fs::path& directory : candidates(runtime_directory)) {
    remove_stale(directory);
    auto folder = make_folder(directory);
    if (folder.is_ok()) return PrivateCopies(std::move(folder.value()));
    why = folder.message();
  }
  return Result<PrivateCopies>::failure(why);
}

PrivateCopies::PrivateCopies(PrivateCopies&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), count_(other.count_) {}

PrivateCopies::~PrivateCopies() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Result<fs::path> PrivateCopies::copy(const fs::path& file) {
  const fs::path copy =
      folder_ / (file.stem().string() + "." + std::to_string(++count_) + ".so");
  std::error_code error;
  fs::copy_file(file, copy, error);
  if (error) {
    std::error_code ignored;
    fs::remove(copy, ignored);
    return Result<fs::path>::failure("cannot be copied to " + folder_.string() + ": " +
                                     error.message());
  }
  return copy;
}

}  // namespace jackfield::plugin
