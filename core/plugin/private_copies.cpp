#include "core/plugin/private_copies.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
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
    const bool is_own =
        ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
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

// Where the loader may map code from: not from a file system that is mounted noexec (mmap(2),
// EPERM), as Debian mounts /run.
bool is_executable(const fs::path& folder) {
  struct statvfs info {};
  return ::statvfs(folder.c_str(), &info) == 0 && (info.f_flag & ST_NOEXEC) == 0;
}

Result<PrivateCopy> copy_to_memory(const fs::path& file, const std::string& name) {
  const auto refuse = [](const char* what) {
    return Result<PrivateCopy>::failure(std::string("cannot be copied to memory: ") + what + ": " +
                                        std::strerror(errno));
  };
  const int source = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (source < 0) return refuse("open");
  const int memory = ::memfd_create(name.c_str(), MFD_CLOEXEC);
  if (memory < 0) {
    ::close(source);
    return refuse("memfd_create");
  }
  PrivateCopy copy(memory);
  std::array<char, 64 << 10> buffer{};
  while (true) {
    const ssize_t got = ::read(source, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    const bool is_written =
        got <= 0 || ::write(memory, buffer.data(), static_cast<std::size_t>(got)) == got;
    if (got <= 0 || !is_written) {
      const int error = errno;
      ::close(source);
      errno = error;
      if (got < 0) return refuse("read");
      if (!is_written) return refuse("write");
      return copy;
    }
  }
}

}  // namespace

PrivateCopy::PrivateCopy(int memory)
    : path_("/proc/self/fd/" + std::to_string(memory)), memory_(memory) {}

PrivateCopy::PrivateCopy(PrivateCopy&& other) noexcept
    : path_(std::exchange(other.path_, {})), memory_(std::exchange(other.memory_, -1)) {}

PrivateCopy::~PrivateCopy() {
  std::error_code ignored;
  if (memory_ >= 0) {
    ::close(memory_);
  } else if (!path_.empty()) {
    fs::remove(path_, ignored);
  }
}

Result<PrivateCopies> PrivateCopies::open(const fs::path& runtime_directory) {
  for (const fs::path& directory : candidates(runtime_directory)) {
    remove_stale(directory);
    auto folder = make_folder(directory);
    const bool is_given = !runtime_directory.empty();
    if (!folder.is_ok()) {
      if (is_given) return Result<PrivateCopies>::failure(folder.message());
      continue;
    }
    PrivateCopies copies(std::move(folder.value()));  // removes it where it will not do
    if (is_executable(copies.folder_)) return copies;
    if (is_given) {
      return Result<PrivateCopies>::failure("the runtime folder " + directory.string() +
                                            " is mounted noexec: plugins cannot be loaded from it");
    }
  }
  return PrivateCopies(fs::path());
}

PrivateCopies::PrivateCopies(PrivateCopies&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), count_(other.count_) {}

PrivateCopies::~PrivateCopies() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Result<PrivateCopy> PrivateCopies::copy(const fs::path& file) {
  const std::string name = file.stem().string() + "." + std::to_string(++count_) + ".so";
  if (is_in_memory()) return copy_to_memory(file, name);
  PrivateCopy copy(folder_ / name);  // removes what there is of it after a failure
  std::error_code error;
  fs::copy_file(file, copy.path(), error);
  if (error) {
    return Result<PrivateCopy>::failure("cannot be copied to " + folder_.string() + ": " +
                                        error.message());
  }
  return copy;
}

}  // namespace jackfield::plugin
