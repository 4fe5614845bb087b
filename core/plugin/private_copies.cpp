#include "core/plugin/private_copies.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/descriptor.hpp"
#include "core/files/way.hpp"
#include "core/plugin/runtime_directory.hpp"

namespace jackfield::plugin {
namespace {

namespace fs = std::filesystem;
using base::Descriptor;
using base::Result;

constexpr std::string_view kPrefix = "jackfield-";
constexpr int kMostFolders = 1000;  // of servers with the same process id

// Copies of this process so far. Not counted by each PrivateCopies: the loader remembers the paths
// of all, and the folder of one that has gone can be made again.
std::atomic<std::uint64_t> copy_count{0};

// ---- the folder

// Whether a name is ours: jackfield-<number>, or jackfield-<number>-<number>.
bool is_folder_name(std::string_view name) {
  if (!name.starts_with(kPrefix)) return false;
  const char* next = name.data() + kPrefix.size();
  const char* const end = name.data() + name.size();
  for (int numbers = 1; numbers <= 2; ++numbers) {
    unsigned number = 0;
    const auto parsed = std::from_chars(next, end, number);
    if (parsed.ec != std::errc() || number == 0) return false;
    if (parsed.ptr == end) return true;
    if (*parsed.ptr != '-') return false;
    next = parsed.ptr + 1;
  }
  return false;
}

enum class Locking {
  kDone,
  kNotOpened,  // errno says why
  kGone,       // the name leads to another folder by now, or to none
  kHeldByAnother,
  kImpossible,  // of such folders
};

struct LockedFolder {
  Locking locking;
  Descriptor descriptor;
};

// Takes the lock of a folder. The lock is the folder's own and no file in it, so there is no folder
// without one; whoever removes a folder holds its lock.
LockedFolder lock(const fs::path& folder) {
  Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened.is_open()) return {Locking::kNotOpened, std::move(opened)};
  if (::flock(opened.number(), LOCK_EX | LOCK_NB) != 0) {
    // Some network file systems cannot lock a folder (EBADF, ENOLCK, EOPNOTSUPP).
    const bool is_held = errno == EWOULDBLOCK;
    return {is_held ? Locking::kHeldByAnother : Locking::kImpossible, std::move(opened)};
  }
  struct stat held {};
  struct stat named {};
  const bool is_there = ::fstat(opened.number(), &held) == 0 &&
                        ::lstat(folder.c_str(), &named) == 0 && named.st_dev == held.st_dev &&
                        named.st_ino == held.st_ino;
  return {is_there ? Locking::kDone : Locking::kGone, std::move(opened)};
}

bool is_own_folder(const fs::path& folder) {
  struct stat info {};
  return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
}

// Folders of servers that were killed. Only our own ones: a name in a shared folder proves nothing.
// Nor does it tell whether a process of that id runs: it may be another program by now, and in
// another pid namespace the number is another process's.
void remove_stale(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator i(directory, error), end; !error && i != end; i.increment(error)) {
    if (!is_folder_name(i->path().filename().string()) || !is_own_folder(i->path())) continue;
    const LockedFolder stale = lock(i->path());
    std::error_code ignored;
    if (stale.locking == Locking::kDone) fs::remove_all(i->path(), ignored);
  }
}

struct OwnFolder {
  fs::path path;
  int lock;
};

Result<OwnFolder> make_folder(const fs::path& directory) {
  const std::string name = std::string(kPrefix) + std::to_string(::getpid());
  fs::path folder = directory / name;
  std::error_code ignored;
  fs::create_directories(directory, ignored);
  int error = EEXIST;
  for (int number = 1; number <= kMostFolders; ++number) {
    if (number > 1) folder = directory / (name + "-" + std::to_string(number));
    // mkdir(2) fails where the name is taken, a symbolic link included: nobody can lead us
    // elsewhere.
    if (::mkdir(folder.c_str(), 0700) != 0) {
      error = errno;
      if (error == EEXIST) continue;
      break;
    }
    LockedFolder made = lock(folder);
    error = errno;
    if (made.locking == Locking::kDone || made.locking == Locking::kImpossible) {
      return OwnFolder{std::move(folder), made.descriptor.release()};
    }
    // Otherwise another server took it for a stale one, between mkdir and the lock, and removes it.
    if (made.locking == Locking::kNotOpened && error != ENOENT) break;
  }
  return Result<OwnFolder>::failure("cannot make the runtime folder " + folder.string() + ": " +
                                    std::strerror(error));
}

// Where the loader may map code from: not from a file system that is mounted noexec (mmap(2),
// EPERM), as Debian mounts /run.
bool is_executable(const fs::path& folder) {
  struct statvfs info {};
  return ::statvfs(folder.c_str(), &info) == 0 && (info.f_flag & ST_NOEXEC) == 0;
}

// Why others could put something else in the place of what is in a folder; empty: they cannot.
std::string why_untrusted(const fs::path& folder) {
  const auto reached = files::reach_folder(folder);
  return reached.is_ok() ? reached.value().fault : "it " + reached.message();
}

// ---- the copies

// A name that the loader takes as it is ("$LIB" in one would be expanded, ld.so(8)), and that is
// short enough for any file system and memfd_create(2).
std::string copy_name(const fs::path& file) {
  constexpr std::size_t kLongest = 64;
  std::string name = file.stem().string().substr(0, kLongest);
  for (char& letter : name) {
    const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
    if (!is_plain) letter = '_';
  }
  return name + "." + std::to_string(++copy_count) + ".so";
}

bool write_all(int target, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(target, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

enum class Copying { kDone, kNotRead, kNotWritten };

// At most `size` octets, so that a file which grows all the time ends too.
Copying copy_octets(int source, int target, std::uint64_t size) {
  std::array<char, 16 << 10> buffer;
  while (size > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size()));
    const ssize_t got = ::read(source, buffer.data(), wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Copying::kNotRead;
    if (got == 0) break;  // it became shorter: its stamp says so
    if (!write_all(target, buffer.data(), static_cast<std::size_t>(got))) {
      return Copying::kNotWritten;
    }
    size -= static_cast<std::uint64_t>(got);
  }
  return Copying::kDone;
}

}  // namespace

PrivateCopy::PrivateCopy(PrivateCopy&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      memory_(std::exchange(other.memory_, -1)),
      is_left_(other.is_left_),
      stamp_(other.stamp_) {}

PrivateCopy::~PrivateCopy() {
  std::error_code ignored;
  if (memory_ >= 0) {
    if (!is_left_) ::close(memory_);
  } else if (!path_.empty()) {
    fs::remove(path_, ignored);
  }
}

Result<PrivateCopies> PrivateCopies::open(const fs::path& runtime_directory,
                                          bool is_trust_required) {
  for (const fs::path& candidate : runtime_directories(runtime_directory)) {
    std::error_code error;
    fs::path directory = fs::absolute(candidate, error);  // whatever the working folder will be
    if (error) directory = candidate;
    remove_stale(directory);
    auto made = make_folder(directory);
    const bool is_given = !runtime_directory.empty();
    if (!made.is_ok()) {
      if (is_given) return Result<PrivateCopies>::failure(made.message());
      continue;
    }
    // Removes the folder where it will not do.
    PrivateCopies copies(std::move(made.value().path), made.value().lock);
    const std::string fault = is_trust_required ? why_untrusted(copies.folder_) : "";
    if (fault.empty() && is_executable(copies.folder_)) return copies;
    if (!is_given) continue;
    return Result<PrivateCopies>::failure(
        "the runtime folder " + directory.string() +
        (fault.empty() ? " is mounted noexec: plugins cannot be loaded from it"
                       : ": others could change copies in it: " + fault));
  }
  return in_memory();
}

PrivateCopies::PrivateCopies(PrivateCopies&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), lock_(std::exchange(other.lock_, -1)) {}

PrivateCopies::~PrivateCopies() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

Result<PrivateCopy> PrivateCopies::copy(const fs::path& file) const {
  FileTrust trust;
  std::error_code error;
  return copy(file, trust, error);
}

Result<PrivateCopy> PrivateCopies::copy(const fs::path& file, FileTrust& trust,
                                        std::error_code& error) const {
  error.clear();
  errno = 0;
  const auto refuse = [&error](const std::string& what) {
    error.assign(errno, std::generic_category());
    return Result<PrivateCopy>::failure(what + ": " + std::strerror(error.value()));
  };
  const std::string not_copied =
      "cannot be copied to " + (is_in_memory() ? std::string("memory") : folder_.string());

  auto reached = files::reach_file(file);
  if (!reached.is_ok()) {
    error.assign(errno, std::generic_category());
    return Result<PrivateCopy>::failure(reached.message());
  }
  trust.fault = std::move(reached.value().fault);
  if (trust.is_required && !trust.fault.empty()) {
    return Result<PrivateCopy>::failure("others can change it: " + trust.fault);
  }
  const Descriptor source = std::move(reached.value().descriptor);
  const auto before = files::FileStamp::of(source.number());
  if (!before) return Result<PrivateCopy>::failure("not a file");

  const std::string name = copy_name(file);
  const fs::path path = folder_ / name;
  Descriptor target(is_in_memory()
                        ? ::memfd_create(name.c_str(), MFD_CLOEXEC)
                        : ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400));
  if (!target.is_open()) return refuse(not_copied);
  const int number = target.number();
  PrivateCopy copy = is_in_memory()
                         ? PrivateCopy("/proc/self/fd/" + std::to_string(number), target.release())
                         : PrivateCopy(path, -1);  // removes what there is of it after a failure

  switch (copy_octets(source.number(), number, before->size)) {
    case Copying::kNotRead: return refuse("cannot be read");
    case Copying::kNotWritten: return refuse(not_copied);
    case Copying::kDone: break;
  }
  // Some file systems tell only now that it did not fit (close(2)).
  if (target.is_open() && ::close(target.release()) != 0) return refuse(not_copied);
  if (files::FileStamp::of(source.number()) != before) {
    return Result<PrivateCopy>::failure("changed while it was copied");
  }
  copy.stamp_ = *before;
  return copy;
}

}  // namespace jackfield::plugin
