#include "core/files/file_watcher.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace jackfield::files {
namespace {

namespace fs = std::filesystem;
using Change = SettlingFiles::Change;

// An event has one of these bits.
std::optional<Change> change_of(const Inotify::Event& event) {
  if (event.is(IN_CREATE)) return Change::kMade;
  if (event.is(IN_MODIFY)) return Change::kModified;
  if (event.is(IN_CLOSE_WRITE | IN_MOVED_TO)) return Change::kClosed;
  if (event.is(IN_DELETE | IN_MOVED_FROM)) return Change::kGone;
  if (event.is(IN_ATTRIB)) return Change::kAttributes;
  return std::nullopt;
}

}  // namespace

FileWatcher::FileWatcher(Options options, base::Loop& loop, base::Log& log, Settled settled)
    : options_(std::move(options)),
      loop_(loop),
      log_(log),
      settled_(std::move(settled)),
      files_([this](const std::string& name) { return SettlingFiles::Sight::of(path_of(name)); },
             options_.quiet) {}

FileWatcher::~FileWatcher() { loop_.cancel_timer(timer_); }

void FileWatcher::start() {
  look_around(base::Loop::now(), Reason::kStart);
  arm();
}

void FileWatcher::start_after(const FileStamp& read) {
  const Time now = base::Loop::now();
  look_around(now, Reason::kStart);
  files_.know("", {.stamp = read, .is_readable = true});
  files_.check("", now, files_.quiet());
  arm();
}

void FileWatcher::rescan() {
  look_around(base::Loop::now(), Reason::kChange);
  arm();
}

// ---- what the kernel tells

void FileWatcher::read_events(Time now) {
  if (!inotify_) return;
  bool is_crossed = false;
  bool is_overflown = false;
  const base::Status status = inotify_->read([&](const Inotify::Event& event) {
    is_overflown |= event.is(IN_Q_OVERFLOW);
    is_crossed |= trail_->is_crossed_by(event);
    take_event(event, now);
  });
  if (!status.is_ok()) {
    log_.warning("inotify(7) is begun anew", {{"reason", status.message()}});
    trail_.reset();
    inotify_.reset();
    is_overflown = true;
  }
  if (is_overflown) files_.lose_track(now);
  if (is_overflown || is_crossed) look_around(now, Reason::kChange);
}

void FileWatcher::take_event(const Inotify::Event& event, Time now) {
  if (event.watch != goal_.folder || event.is(IN_ISDIR) || event.name.empty()) return;
  if (options_.ending ? !has_ending(event.name) : event.name != goal_.name) return;
  const std::string name = options_.ending ? std::string(event.name) : std::string();
  if (const auto change = change_of(event)) files_.note(name, *change, now);
}

// ---- time

void FileWatcher::on_time() {
  timer_ = 0;
  const Time now = base::Loop::now();
  // What happened comes before the time that passed: the loop may have been busy for all of it.
  read_events(now);
  if (next_scan_ && *next_scan_ <= now) look_around(now, Reason::kInterval);
  const std::vector<std::string> settled = files_.take(now);
  arm();
  for (const std::string& name : settled) settled_(path_of(name));
}

void FileWatcher::arm() {
  auto due = files_.next();
  if (next_scan_ && (!due || *next_scan_ < *due)) due = next_scan_;
  if (timer_ != 0 && due == timer_due_) return;
  loop_.cancel_timer(timer_);
  timer_ = 0;
  if (!due) return;
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(*due - base::Loop::now());
  timer_due_ = *due;
  timer_ = loop_.start_timer(std::max(delay, std::chrono::milliseconds(0)),
                             std::chrono::milliseconds(0), [this] { on_time(); });
}

// ---- looking for oneself

// Watches first and looks then, so that what changes in between is told.
void FileWatcher::look_around(Time now, Reason reason) {
  const base::Status walked = walk();
  const Trail::Goal before = std::exchange(goal_, trail_ ? trail_->goal() : Trail::Goal());
  // Of the writers in a folder that was left nothing more is told.
  if (goal_ != before) files_.lose_track(now);
  const auto there = list();
  note_blindness(walked.is_ok() && !there.is_ok() ? base::Status::failure(there.message())
                                                  : walked);
  const auto interval = scan_interval();
  next_scan_.reset();
  if (interval.count() > 0) next_scan_ = now + interval;

  // What cannot be listed is not thereby gone.
  if (!there.is_ok()) return;
  if (reason == Reason::kStart) {
    for (const std::string& name : there.value()) files_.know(name);
    return;
  }
  // Where nothing tells of a writer, a file has settled that the next scan finds the same.
  const bool is_untold = is_blind_ || reason == Reason::kInterval;
  const auto wait = is_untold ? std::max(interval, files_.quiet()) : files_.quiet();
  for (const std::string& name : there.value()) files_.check(name, now, wait);
  for (const std::string& name : files_.known()) files_.check(name, now, wait);
}

base::Status FileWatcher::walk() {
  if (!options_.has_events) return base::Status::ok();
  if (!inotify_) {
    auto opened = Inotify::open(loop_, [this] {
      read_events(base::Loop::now());
      arm();
    });
    if (!opened.is_ok()) return base::Status::failure(opened.message());
    inotify_ = std::move(opened.value());
    trail_.emplace(*inotify_, options_.path,
                   options_.ending ? Trail::End::kFolder : Trail::End::kFile);
  }
  return trail_->walk();
}

// The names of the files that may be there; of the one file it is empty.
base::Result<std::vector<std::string>> FileWatcher::list() const {
  std::vector<std::string> names;
  if (!options_.ending) {
    names.emplace_back();
    return names;
  }
  std::error_code error;
  fs::directory_iterator entry(options_.path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (has_ending(name)) names.push_back(std::move(name));
  }
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    return base::Result<std::vector<std::string>>::failure(
        "cannot read the folder " + options_.path.string() + ": " + error.message());
  }
  return names;
}

void FileWatcher::note_blindness(const base::Status& status) {
  const bool was_blind = std::exchange(is_blind_, !status.is_ok());
  if (is_blind_ && !was_blind) {
    log_.warning("changes of files are looked for, not told",
                 {{"path", options_.path.string()},
                  {"every_ms", scan_interval().count()},
                  {"reason", status.message()}});
  } else if (was_blind && !is_blind_) {
    log_.info("changes of files are told again", {{"path", options_.path.string()}});
  }
}

std::chrono::milliseconds FileWatcher::scan_interval() const {
  const auto wanted = options_.scan_interval;
  if (options_.has_events && !is_blind_) return wanted;
  return wanted.count() > 0 ? std::min(wanted, kScanInterval) : kScanInterval;
}

// ---- names

bool FileWatcher::has_ending(std::string_view name) const {
  return name.front() != '.' && name.ends_with(*options_.ending);
}

fs::path FileWatcher::path_of(const std::string& name) const {
  return options_.ending ? options_.path / name : options_.path;
}

}  // namespace jackfield::files
