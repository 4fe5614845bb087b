#include "core/files/trail.hpp"

#include <algorithm>
#include <deque>
#include <system_error>
#include <utility>

namespace jackfield::files {
namespace {

namespace fs = std::filesystem;

// An entry came or went. Watched for in the folder that holds it: a folder that is somebody's
// working folder keeps silent about its own removal.
constexpr std::uint32_t kEntryEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
// The folder went. Watched for too, for where the folder that holds it may not be read.
constexpr std::uint32_t kFolderEvents = IN_DELETE_SELF | IN_MOVE_SELF;
// What happens to the content of the files. Nothing of files that have no name any more: who still
// writes into a file that was replaced does not touch the one that has its name now.
constexpr std::uint32_t kFileEvents = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_EXCL_UNLINK;
// The kernel's limit, path_resolution(7).
constexpr int kMaxLinks = 40;

bool has_gone(const std::error_code& error) {
  return error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
}

base::Status cannot(const char* what, const fs::path& path, const std::error_code& error) {
  std::string sentence = std::string("cannot ") + what + " " + path.string() + ": ";
  sentence += error == std::errc::no_space_on_device
                  ? "the user's watches (fs.inotify.max_user_watches) are used up"
                  : error.message();
  return base::Status::failure(std::move(sentence));
}

void put_first(const fs::path& path, std::deque<std::string>& names) {
  std::vector<std::string> parts;
  for (const fs::path& part : path.relative_path()) {
    if (!part.empty() && part != ".") parts.push_back(part.string());
  }
  names.insert(names.begin(), parts.begin(), parts.end());
}

}  // namespace

base::Status Trail::walk() {
  const std::vector<Inotify::Watch> before = std::exchange(watches_, {});
  steps_.clear();
  goal_ = {};
  const base::Status status = follow();
  for (const Inotify::Watch watch : before) {
    if (std::find(watches_.begin(), watches_.end(), watch) == watches_.end()) {
      inotify_.remove(watch);
    }
  }
  return status;
}

// Each folder is watched first and looked into then, so that what changes in between is told. That
// also answers for what has gone when it is to be watched: its folder tells, and all is walked
// anew.
base::Status Trail::follow() {
  fs::path folder = path_.is_absolute() ? "/" : ".";
  std::deque<std::string> names;
  put_first(path_, names);
  int links = 0;
  while (!names.empty()) {
    const std::string name = std::move(names.front());
    names.pop_front();
    const bool is_last = names.empty() && end_ == End::kFile;
    std::error_code unwatched;
    const Inotify::Watch watched = watch(folder, is_last, unwatched);
    if (has_gone(unwatched)) return base::Status::ok();
    steps_.push_back({watched, name});

    std::error_code error;
    const fs::file_type type = fs::symlink_status(folder / name, error).type();
    if (type == fs::file_type::none) return cannot("look at", folder / name, error);
    if (type == fs::file_type::directory && !is_last) {
      // A folder may let pass without letting read. The one below it then tells where it goes.
      if (unwatched && unwatched != std::errc::permission_denied) {
        return cannot("watch", folder, unwatched);
      }
      folder /= name;
      continue;
    }
    if (unwatched) return cannot("watch", folder, unwatched);
    if (type != fs::file_type::symlink) {
      if (is_last) goal_ = {watched, name};
      return base::Status::ok();
    }
    if (++links > kMaxLinks) return base::Status::ok();
    const fs::path target = fs::read_symlink(folder / name, error);
    if (error) return base::Status::ok();  // it has just gone
    put_first(target, names);
    if (target.is_absolute()) folder = "/";
  }
  return end_ == End::kFolder ? end_at(folder) : base::Status::ok();
}

base::Status Trail::end_at(const fs::path& folder) {
  std::error_code unwatched;
  goal_.folder = watch(folder, true, unwatched);
  if (unwatched && !has_gone(unwatched)) return cannot("watch", folder, unwatched);
  return base::Status::ok();
}

Inotify::Watch Trail::watch(const fs::path& folder, bool is_goal, std::error_code& error) {
  const std::uint32_t mask = kEntryEvents | kFolderEvents | (is_goal ? kFileEvents : 0);
  const Inotify::Watch watch = inotify_.add(folder, mask, error);
  if (watch != Inotify::kNone) watches_.push_back(watch);
  return watch;
}

bool Trail::is_crossed_by(const Inotify::Event& event) const {
  // Who may read the folder, or pass through it, is an attribute of its own.
  const bool is_of_folder = event.is(kFolderEvents | IN_UNMOUNT | IN_IGNORED) ||
                            (event.is(IN_ATTRIB) && event.name.empty());
  if (is_of_folder) {
    return std::find(watches_.begin(), watches_.end(), event.watch) != watches_.end();
  }
  return event.is(kEntryEvents) &&
         std::any_of(steps_.begin(), steps_.end(), [&event](const Step& step) {
           return step.folder == event.watch && step.name == event.name;
         });
}

}  // namespace jackfield::files
