#include "core/plugin/crash_history.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

namespace jackfield::plugin {
namespace {

namespace fs = std::filesystem;
using base::Result;
using base::Status;

// Later times are no times (the year 9999), and their sums could overflow.
constexpr std::int64_t kLastSecond = 253'402'300'799;
// Whoever holds the lock holds it for some milliseconds; nobody waits for one that is stopped.
constexpr int kLockPauseMs = 10;
constexpr int kLockTries = 50;

// The lock is on the whole file. It belongs to the open file (F_OFD_SETLK, fcntl(2)), not to the
// process, so that closing another descriptor of the file does not give it up. A handler shares it,
// a pruner has it alone: what a handler appends cannot be cut off. Async-signal-safe.
bool try_lock(int descriptor, short kind) noexcept {
  struct flock lock {};
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  for (int tries = kLockTries; tries > 0; --tries) {
    if (::fcntl(descriptor, F_OFD_SETLK, &lock) == 0) return true;
    if (errno != EAGAIN && errno != EACCES) return false;  // a file system without locks
    ::poll(nullptr, 0, kLockPauseMs);
  }
  return false;
}

void unlock(int descriptor) noexcept {
  struct flock lock {};
  lock.l_type = F_UNLCK;
  lock.l_whence = SEEK_SET;
  ::fcntl(descriptor, F_OFD_SETLK, &lock);
}

bool is_plain(char c) { return c > ' ' && c < '\x7f' && c != '%'; }

// A path is any octets but NUL; as one word it keeps a line a line.
std::string escape(std::string_view path) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string word;
  for (const char c : path) {
    if (is_plain(c)) {
      word += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    word += {'%', kHex[octet >> 4], kHex[octet & 15]};
  }
  return word;
}

std::optional<std::string> unescape(std::string_view word) {
  std::string path;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      if (!is_plain(word[i])) return std::nullopt;
      path += word[i];
      continue;
    }
    unsigned octet = 0;
    if (i + 2 >= word.size()) return std::nullopt;
    const char* const last = word.data() + i + 3;
    if (std::from_chars(word.data() + i + 1, last, octet, 16).ptr != last) return std::nullopt;
    path += static_cast<char>(octet);
    i += 2;
  }
  return path;
}

// The path in a key whose file is there with the same content.
bool is_current(std::string_view key) {
  const std::size_t space = key.find(' ');
  if (space == std::string_view::npos) return false;
  const auto path = unescape(key.substr(space + 1));
  if (!path || !path->starts_with('/') || path->find('\0') != std::string::npos) return false;
  const auto stamp = files::FileStamp::of(*path);
  return stamp && stamp->to_text() == key.substr(0, space);
}

bool read_at(int descriptor, std::string& bytes, std::size_t offset) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(descriptor, bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;  // it was cut meanwhile
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return true;
}

bool write_at_start(int descriptor, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written =
        ::pwrite(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

std::string_view complaint_about(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return "it is not a regular file";
  if (info.st_uid != ::geteuid()) return "it belongs to another user";
  if (info.st_nlink != 1) return "it has more than one name";
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "others may write to it";
  return {};
}

}  // namespace

Result<CrashHistory> CrashHistory::open(const fs::path& folder) {
  const fs::path file = folder / ("jackfield-crashes-" + std::to_string(::geteuid()));
  const auto refuse = [&](std::string_view why) {
    return Result<CrashHistory>::failure("cannot count crashes in " + file.string() + ": " +
                                         std::string(why));
  };
  // The folder may be anybody's to write to: no link is followed, nothing waited for (a pipe).
  CrashHistory history(base::Descriptor(::open(
      file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600)));
  if (!history.file_.is_open()) {
    return refuse(errno == ELOOP ? "it is a symbolic link" : std::strerror(errno));
  }
  const int descriptor = history.descriptor();
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return refuse(std::strerror(errno));
  if (const auto complaint = complaint_about(info); !complaint.empty()) return refuse(complaint);
  if (auto status = history.read_and_prune(); !status.is_ok()) return refuse(status.message());
  // From here on it is appended to only: the end is found by the kernel, with each write (open(2)).
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_APPEND) != 0) {
    return refuse(std::strerror(errno));
  }
  return history;
}

std::string CrashHistory::key(const fs::path& file, const files::FileStamp& stamp) {
  std::error_code ignored;
  const fs::path path = fs::absolute(file, ignored);
  return stamp.to_text() + " " + escape((path.empty() ? file : path).lexically_normal().native());
}

std::size_t CrashHistory::count(std::string_view key) const {
  const auto found = crashes_.find(key);
  return found == crashes_.end() ? 0 : found->second.size();
}

bool CrashHistory::is_set_aside(std::string_view key, std::size_t limit,
                                std::chrono::seconds window) const {
  const auto found = crashes_.find(key);
  if (limit == 0 || found == crashes_.end()) return false;
  const std::vector<std::int64_t>& times = found->second;
  for (std::size_t first = 0; first + limit <= times.size(); ++first) {
    if (times[first + limit - 1] - times[first] <= window.count()) return true;
  }
  return false;
}

void CrashHistory::append(int descriptor, std::string_view key, std::int64_t seconds) noexcept {
  static std::array<char, kMaxKeyOctets + 32> line;
  if (descriptor < 0 || key.empty() || key.size() > kMaxKeyOctets) return;
  char* end = std::to_chars(line.data(), line.data() + 24, seconds).ptr;
  *end++ = ' ';
  end = std::copy(key.begin(), key.end(), end);
  *end++ = '\n';
  // Without the lock too: then it may be lost where a pruner is at its end just now.
  const bool is_locked = try_lock(descriptor, F_RDLCK);
  while (::write(descriptor, line.data(), static_cast<std::size_t>(end - line.data())) < 0 &&
         errno == EINTR) {
  }
  if (is_locked) unlock(descriptor);
}

CrashHistory::Crashes CrashHistory::parse(std::string_view text) {
  Crashes crashes;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1)) {
    const std::string_view line = text.substr(0, end);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.size() - space - 1 > kMaxKeyOctets) continue;
    std::int64_t seconds = -1;
    const char* const last = line.data() + space;
    const auto parsed = std::from_chars(line.data(), last, seconds);
    if (parsed.ec != std::errc() || parsed.ptr != last) continue;
    if (seconds < 0 || seconds > kLastSecond) continue;
    crashes[std::string(line.substr(space + 1))].push_back(seconds);
  }
  return crashes;
}

// Others have this very file open, and append to it: it stays the same file, and is rewritten in
// place. The lines that stay are fewer octets than there were, so they are written over those, with
// blanks behind; a crash that is appended at that moment, by one who got no lock, comes behind, and
// then the blanks stay. Dying in the middle leaves lines, old and new ones. REQUIRES: the lock
void CrashHistory::rewrite(std::string lines, std::size_t size) {
  const std::size_t kept = lines.size();
  const bool is_read_whole = size <= kMaxFileOctets;
  if (is_read_whole) lines.resize(size, '\n');
  if (!write_at_start(descriptor(), lines)) return;
  struct stat info {};
  const bool is_cut = ::fstat(descriptor(), &info) == 0 &&
                      (!is_read_whole || static_cast<std::size_t>(info.st_size) == size) &&
                      ::ftruncate(descriptor(), static_cast<off_t>(kept)) == 0;
  (void)is_cut;
}

Status CrashHistory::read_and_prune() {
  const bool is_locked = try_lock(descriptor(), F_WRLCK);
  struct stat info {};
  if (::fstat(descriptor(), &info) != 0) return Status::failure(std::strerror(errno));
  const auto size = static_cast<std::size_t>(info.st_size);
  const std::size_t skipped = size > kMaxFileOctets ? size - kMaxFileOctets : 0;
  std::string text(size - skipped, '\0');
  if (!read_at(descriptor(), text, skipped)) return Status::failure(std::strerror(errno));
  // Where it begins in the middle of a line, the rest of that may look like one.
  crashes_ = parse(skipped == 0 ? text : text.substr(std::min(text.find('\n'), text.size())));
  std::string kept;
  for (auto i = crashes_.begin(); i != crashes_.end();) {
    auto& [key, times] = *i;
    if (!is_current(key)) {
      i = crashes_.erase(i);
      continue;
    }
    std::sort(times.begin(), times.end());
    if (times.size() > kMaxCrashesPerKey) {
      times.erase(times.begin(), times.end() - static_cast<std::ptrdiff_t>(kMaxCrashesPerKey));
    }
    for (const std::int64_t time : times) kept += std::to_string(time) + " " + key + "\n";
    ++i;
  }
  if (!is_locked) return Status::ok();
  // The same length is the same lines. Where it fails there is more for the next pruner to do.
  if (kept.size() < size) rewrite(kept, size);
  unlock(descriptor());
  return Status::ok();
}

}  // namespace jackfield::plugin
