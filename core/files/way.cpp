#include "core/files/way.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <deque>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/file_trust.hpp"

namespace jackfield::files {
namespace {

namespace fs = std::filesystem;
using base::Descriptor;

// The kernel's limit, path_resolution(7).
constexpr int kMaxLinks = 40;

// A place on the way.
struct Step {
  Descriptor descriptor;  // O_PATH
  struct stat info {};
  fs::path path;  // without links
};

class Walk {
 public:
  explicit Walk(uid_t user) : user_(user) {}

  // Goes to the end of the path; nothing where that cannot be reached, and error() says why.
  std::optional<Step> go(const fs::path& path) {
    std::error_code error;
    const fs::path whole = fs::absolute(path, error);
    if (error) return fail(error.value());
    put_first(whole);
    auto here = root();
    while (here && !names_.empty()) {
      const std::string name = std::move(names_.front());
      names_.pop_front();
      if (!S_ISDIR(here->info.st_mode)) return fail(ENOTDIR);
      auto next = take(std::move(*here), name);
      here.reset();
      if (next) here.emplace(std::move(*next));
    }
    return here;
  }

  // Opens the end of the way for reading; negative, with errno, where that fails. REQUIRES: it is
  // no folder.
  int open_end(const Step& end) const {
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    return ::openat(last_folder_->number(), end.path.filename().c_str(), flags);
  }

  // `descriptor` is of a file at the end of this way.
  void judge_end(int descriptor, const struct stat& info, const fs::path& path) {
    note(base::fault_of_writers(descriptor, info, path, user_));
  }

  int error() const { return error_; }
  std::string take_fault() { return std::move(fault_); }

 private:
  std::nullopt_t fail(int error) {
    error_ = error;
    return std::nullopt;
  }

  void note(const std::string& fault) {
    if (fault_.empty()) fault_ = fault;
  }

  void put_first(const fs::path& path) {
    std::vector<std::string> parts;
    for (const fs::path& part : path.relative_path()) {
      if (!part.empty() && part != ".") parts.push_back(part.string());
    }
    names_.insert(names_.begin(), parts.begin(), parts.end());
  }

  std::optional<Step> root() {
    Step step{Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)), {}, "/"};
    if (!step.descriptor.is_open() || ::fstat(step.descriptor.number(), &step.info) != 0) {
      return fail(errno);
    }
    judge_folder(step);
    return step;
  }

  // From a folder to what a name in it leads to: for a link, to where that begins.
  std::optional<Step> take(Step folder, const std::string& name) {
    const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    Step next{Descriptor(::openat(folder.descriptor.number(), name.c_str(), flags)), {}, {}};
    if (!next.descriptor.is_open() || ::fstat(next.descriptor.number(), &next.info) != 0) {
      const int error = errno;
      if (error == ENOENT) judge_missing(folder, name);
      return fail(error);
    }
    next.path = name == ".." ? folder.path.parent_path() : folder.path / name;
    if (base::is_sticky(folder.info)) judge_entry(folder, next);
    if (S_ISLNK(next.info.st_mode)) return follow(std::move(folder), next);
    if (S_ISDIR(next.info.st_mode)) {
      judge_folder(next);
    } else {
      last_folder_.emplace(std::move(folder.descriptor));
    }
    return next;
  }

  std::optional<Step> follow(Step folder, const Step& link) {
    if (++links_ > kMaxLinks) return fail(ELOOP);
    std::string target(PATH_MAX, '\0');
    const ssize_t size = ::readlinkat(link.descriptor.number(), "", target.data(), target.size());
    if (size <= 0) return fail(size < 0 ? errno : ENOENT);
    target.resize(static_cast<std::size_t>(size));
    put_first(target);
    if (target.front() == '/') return root();
    return folder;
  }

  void judge_folder(const Step& folder) {
    struct stat info = folder.info;
    // What others do in it is judged by its entries.
    if (base::is_sticky(info)) info.st_mode &= static_cast<mode_t>(~(S_IWGRP | S_IWOTH));
    note(base::fault_of_writers(folder.descriptor.number(), info, folder.path, user_));
  }

  // Who may put a name into a folder decides what is there. Sticky ones are no better then.
  void judge_missing(const Step& folder, const std::string& name) {
    if (base::fault_of_writers(folder.descriptor.number(), folder.info, folder.path, user_)
            .empty()) {
      return;
    }
    note((folder.path / name).string() + " is not there, and others can put it into the folder " +
         folder.path.string() + " (" + base::describe_owner(folder.info) + ")");
  }

  // Of a folder in which only the owners of entries take them away, if others may write to it.
  void judge_entry(const Step& folder, const Step& entry) {
    const int number = folder.descriptor.number();
    if (base::fault_of_writers(number, folder.info, folder.path, user_).empty()) return;
    struct stat info = entry.info;
    info.st_mode &= static_cast<mode_t>(~(S_IWGRP | S_IWOTH));  // only its owner matters here
    note(base::fault_of_writers(entry.descriptor.number(), info, entry.path, user_));
    if (S_ISDIR(info.st_mode) || info.st_nlink == 1) return;
    note(entry.path.string() +
         " has more than one name, and others can put names into the folder " +
         folder.path.string() + " (" + base::describe_owner(folder.info) +
         "); put a copy into a folder of its own");
  }

  const uid_t user_;
  std::deque<std::string> names_;          // to go yet
  std::optional<Descriptor> last_folder_;  // that a file at the end of the way is in
  std::string fault_;
  int links_ = 0;
  int error_ = 0;
};

base::Result<WayEnd> cannot_be_read(int error) {
  errno = error;
  if (error == ENOENT || error == ENOTDIR) return base::Result<WayEnd>::failure("no such file");
  return base::Result<WayEnd>::failure(std::string("cannot be read: ") + std::strerror(error));
}

}  // namespace

base::Result<WayEnd> reach_file(const fs::path& file, uid_t user) {
  Walk walk(user);
  const auto end = walk.go(file);
  if (!end) return cannot_be_read(walk.error());
  // Opening another kind of thing may do something.
  if (!S_ISREG(end->info.st_mode)) return base::Result<WayEnd>::failure("not a file");
  Descriptor opened(walk.open_end(*end));
  if (!opened.is_open()) return cannot_be_read(errno);
  struct stat info {};
  if (::fstat(opened.number(), &info) != 0) return cannot_be_read(errno);
  if (info.st_dev != end->info.st_dev || info.st_ino != end->info.st_ino) {
    return base::Result<WayEnd>::failure("changed while it was opened");
  }
  walk.judge_end(opened.number(), info, end->path);
  return WayEnd{std::move(opened), walk.take_fault()};
}

base::Result<WayEnd> reach_folder(const fs::path& folder, uid_t user) {
  Walk walk(user);
  auto end = walk.go(folder);
  if (!end) return cannot_be_read(walk.error());
  if (!S_ISDIR(end->info.st_mode)) return base::Result<WayEnd>::failure("not a folder");
  return WayEnd{std::move(end->descriptor), walk.take_fault()};
}

std::string fault_of_way(const fs::path& path, uid_t user) {
  Walk walk(user);
  const auto end = walk.go(path);
  if (end && !S_ISDIR(end->info.st_mode)) {
    walk.judge_end(end->descriptor.number(), end->info, end->path);
  }
  return walk.take_fault();
}

}  // namespace jackfield::files
