#include "core/plugin/plugin_set.hpp"

#include <algorithm>
#include <cassert>
#include <set>
#include <system_error>
#include <utility>

#include "core/base/shortage.hpp"
#include "core/plugin/lingering_threads.hpp"
#include "core/plugin/plugin_call.hpp"
#include "core/plugin/plugin_files.hpp"
#include "core/plugin/runtime_directory.hpp"

namespace jackfield::plugin {

namespace fs = std::filesystem;

namespace {

std::string loaded_already(const PluginSet::Plugin& plugin) {
  return "a plugin of the name " + plugin.name + " is loaded already, from " +
         plugin.file.filename().string();
}

}  // namespace

PluginSet::PluginSet(Settings settings, hub::Hub& hub, base::Loop& loop, base::IdSource& ids,
                     base::Log& log)
    : settings_(std::move(settings)),
      surroundings_{hub, loop, ids, log, host_threads_},
      errands_(loop, host_threads_),
      retirements_(loop, log, errands_) {
  host_threads_.add();
}

PluginSet::~PluginSet() {
  assert(plugins_.empty() && "plugins are stopped before they go");
  surroundings_.loop.cancel_timer(retry_);
}

base::Status PluginSet::begin() {
  auto copies =
      PrivateCopies::open(settings_.runtime_directory, !settings_.allow_writable_by_others);
  if (!copies.is_ok()) return base::Status::failure(copies.message());
  copies_ = std::make_unique<PrivateCopies>(std::move(copies.value()));
  base::Log& log = surroundings_.log;
  if (copies_->is_in_memory()) {
    log.info("plugins are copied to memory: no folder may be written and executed from");
  }
  begin_crash_reports();
  watch();  // before the folder is read, so that nothing goes unnoticed in between
  const auto files = plugin_files(settings_.directory, settings_.order);
  if (files.is_ok()) {
    for (const fs::path& file : files.value()) queue_.push_back({file});
  } else if (std::error_code ignored; fs::exists(settings_.directory, ignored)) {
    return base::Status::failure(files.message());
  } else {
    log.warning("no plugins yet", {{"reason", files.message()}});
  }
  are_names_due_ = true;
  next();
  return base::Status::ok();
}

std::vector<PluginSet::Refusal> PluginSet::refusals() const {
  std::vector<Refusal> refusals;
  for (const auto& [file, seen] : files_) {
    if (seen.refusal.empty()) continue;
    const Plugin* const first = seen.is_second ? find(seen.plugin) : nullptr;
    refusals.push_back({file, first == nullptr ? seen.refusal : loaded_already(*first)});
  }
  return refusals;
}

void PluginSet::watch() {
  watcher_.reset();
  if (!settings_.watch) return;
  watcher_ = std::make_unique<files::FileWatcher>(
      files::FileWatcher::Options{.path = settings_.directory,
                                  .ending = ".so",
                                  .quiet = settings_.quiet,
                                  .scan_interval = settings_.scan_interval},
      surroundings_.loop, surroundings_.log, [this](const fs::path& file) { add_work({file}); });
  watcher_->start();
}

void PluginSet::rescan() {
  if (is_stopping_) return;
  if (watcher_ != nullptr) {
    watcher_->rescan();  // it knows what is being written
  } else {
    look_at_all();
  }
  for (const auto& [file, seen] : files_) {
    if (!seen.refusal.empty() && !seen.is_second) queue_.push_back({file, true});
  }
  next();
}

// A folder that cannot be read is not thereby empty.
void PluginSet::look_at_all() {
  const auto files = plugin_files(settings_.directory, settings_.order);
  std::error_code error;
  const bool is_there = fs::exists(settings_.directory, error) || error;
  if (!files.is_ok() && is_there) {
    surroundings_.log.warning("plugins not looked at", {{"reason", files.message()}});
    return;
  }
  std::set<fs::path> seen;
  if (files.is_ok()) seen.insert(files.value().begin(), files.value().end());
  for (const auto& entry : files_) {
    if (seen.count(entry.first) == 0) queue_.push_back({entry.first});
  }
  for (const fs::path& file : seen) queue_.push_back({file});
}

// ---- one piece of work after the other

void PluginSet::add_work(Work work) {
  if (is_stopping_) return;
  queue_.push_back(std::move(work));
  // When all that settled with it is in line.
  surroundings_.loop.post([this] { next(); });
}

void PluginSet::next() {
  while (!is_busy_ && !queue_.empty()) {
    const Work work = std::move(queue_.front());
    queue_.pop_front();
    look_at(work);
  }
  if (is_settled() && std::exchange(are_names_due_, false)) warn_of_names();
}

void PluginSet::end_work() {
  is_busy_ = false;
  next();
}

void PluginSet::look_at(const Work& work) {
  std::error_code error;
  const auto stamp = files::FileStamp::of(work.file, error);
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    surroundings_.log.warning("plugin not looked at",
                              {{"file", work.file.string()}, {"reason", error.message()}});
    return;
  }
  if (!stamp) {
    if (work.has_waited || queue_.empty()) {
      file_gone(work.file);
    } else {
      queue_.push_back({work.file, false, true});  // one of the others may be the same, moved
    }
    return;
  }
  if (take_new_name(work.file, *stamp)) return;
  Seen& seen = files_[work.file];
  if (seen.stamp == stamp && !work.is_forced) return;
  if (seen.stamp != stamp) seen.is_short = false;
  seen.stamp = stamp;
  seen.is_second = false;
  if (is_set_aside(work.file, *stamp)) {
    refuse(work.file, "set aside: it crashed the server " + std::to_string(settings_.crash_limit) +
                          " times within " + std::to_string(settings_.crash_window.count() / 1000) +
                          " seconds; it is loaded again when its file changes");
    return;
  }
  open(work.file);
}

bool PluginSet::is_set_aside(const fs::path& file, const files::FileStamp& stamp) const {
  if (!crashes_) return false;
  return crashes_->is_set_aside(
      CrashHistory::key(file, stamp), settings_.crash_limit,
      std::chrono::duration_cast<std::chrono::seconds>(settings_.crash_window));
}

// A server that cannot count crashes still says whose they are.
void PluginSet::begin_crash_reports() {
  std::string reason = "no folder may be written to";
  for (const fs::path& folder : runtime_directories(settings_.runtime_directory)) {
    auto crashes = CrashHistory::open(folder);
    if (crashes.is_ok()) {
      crashes_.emplace(std::move(crashes.value()));
      break;
    }
    reason = crashes.message();
  }
  if (!crashes_) surroundings_.log.warning("crashes are not counted", {{"reason", reason}});
  crash_reporter_ = std::make_unique<CrashReporter>(crashes_ ? crashes_->descriptor() : -1);
}

// A file that was moved within the folder: what it holds serves already, and goes on.
bool PluginSet::take_new_name(const fs::path& file, const files::FileStamp& stamp) {
  for (const auto& plugin : plugins_) {
    const bool is_it = plugin->file != file && plugin->stamp.is_same_content(stamp) &&
                       !files::FileStamp::of(plugin->file);
    if (!is_it) continue;
    surroundings_.log.write_each(
        base::LogLevel::kInfo, "plugin's file renamed",
        {{"plugin", plugin->name}, {"file", file.string()}, {"before", plugin->file.string()}});
    files_[file] = Seen{stamp, plugin->name, {}, false};
    plugin->file = file;
    sort_plugins();
    surroundings_.hub.set_channels(channels_without(nullptr));
    return true;
  }
  return false;
}

// Its plugin goes, unless another file has been waiting to serve that name.
void PluginSet::file_gone(const fs::path& file) {
  files_.erase(file);
  Plugin* const plugin = find_by_file(file);
  if (plugin == nullptr) return;
  if (const auto second = take_second(plugin->name)) {
    queue_.push_front({file});  // where the other one fails, this is looked at again
    queue_.push_front({*second, true});
    return;
  }
  surroundings_.log.write_each(base::LogLevel::kInfo, "plugin removed",
                               {{"plugin", plugin->name}, {"file", file.string()}});
  remove(*plugin);
}

// A file that has been waiting to serve that name. It is forgotten, so that it is tried once.
std::optional<fs::path> PluginSet::take_second(const std::string& plugin) {
  for (const auto& [file, seen] : files_) {
    if (!seen.is_second || seen.plugin != plugin || !files::FileStamp::of(file)) continue;
    fs::path second = file;
    files_.erase(file);
    return second;
  }
  return std::nullopt;
}

void PluginSet::refuse(const fs::path& file, const std::string& reason) {
  files_[file].refusal = reason;
  const Plugin* serving = find_by_file(file);
  if (serving == nullptr) serving = find(files_[file].plugin);
  if (serving == nullptr) {
    surroundings_.log.write_each(base::LogLevel::kError, "plugin refused",
                                 {{"file", file.string()}, {"reason", reason}});
  } else {
    surroundings_.log.write_each(base::LogLevel::kError, "plugin refused",
                                 {{"file", file.string()},
                                  {"reason", reason},
                                  {"still", serving->generation->manifest().version}});
  }
}

// Until it is opened, or is another file: what is missing now may be there again.
void PluginSet::refuse_for_now(const fs::path& file, const std::string& reason) {
  Seen& seen = files_[file];
  const bool is_known = std::exchange(seen.is_short, true) && seen.refusal == reason;
  if (!is_known) refuse(file, reason);
  if (retry_ != 0) return;
  retry_ = surroundings_.loop.start_timer(kRetryPeriod, kRetryPeriod, [this] { try_again(); });
}

void PluginSet::try_again() {
  if (!is_settled()) return;
  for (const auto& [file, seen] : files_) {
    if (seen.is_short) queue_.push_back({file, true});
  }
  if (queue_.empty()) surroundings_.loop.cancel_timer(std::exchange(retry_, 0));
  next();
}

// ---- opening an image

// On its own thread.
void PluginSet::load(Opening& opening, const PrivateCopies& copies) {
  std::error_code error;
  auto library = Library::open(opening.file, copies, opening.trust, error);
  if (!library.is_ok()) {
    opening.failure = library.message();
    opening.is_short = base::is_shortage(error.value());
    return;
  }
  auto manifest = Manifest::read(library.value().table());
  opening.library.emplace(std::move(library.value()));
  if (manifest.is_ok()) {
    opening.manifest = std::move(manifest.value());
  } else {
    opening.failure = manifest.message();
  }
}

void PluginSet::open(const fs::path& file) {
  is_busy_ = true;
  auto opening = std::make_shared<Opening>();
  opening->file = file;
  opening->callee.plugin = file.stem().string();
  opening->callee.crash_key = CrashHistory::key(file, *files_[file].stamp);
  opening->trust.is_required = !settings_.allow_writable_by_others;
  const base::Status status = errands_.run(
      "jf-open",
      [opening, copies = copies_.get()] {
        opening->earlier_threads = thread_ids();
        const PluginCall running(opening->callee, "load");
        try {
          load(*opening, *copies);
        } catch (const std::bad_alloc&) {
          opening->failure = "out of memory";
          opening->is_short = true;
        }
      },
      settings_.start_timeout,
      [this, opening] {
        opening->is_given_up = true;
        refuse(opening->file, "it could not be opened within " +
                                  std::to_string(settings_.start_timeout.count()) +
                                  " ms: a constructor of it hangs");
        surroundings_.log.error("no plugin can be loaded or unloaded while a constructor hangs");
        is_stuck_ = true;  // in the loader, which lets nobody else in
      },
      [this, opening] { opened(opening); });
  if (status.is_ok()) return;
  refuse_for_now(file, status.message());
  end_work();
}

void PluginSet::opened(const std::shared_ptr<Opening>& opening) {
  is_stuck_ = false;
  if (opening->is_given_up || is_stopping_) {
    discard(*opening);
    end_work();
    return;
  }
  if (!opening->failure.empty()) {
    discard(*opening);
    if (opening->is_short) {
      refuse_for_now(opening->file, opening->failure);
    } else {
      const bool is_distrusted = opening->trust.is_required && !opening->trust.fault.empty();
      files_[opening->file].is_short = false;
      refuse(opening->file,
             opening->failure + (is_distrusted ? ", and SIGHUP has it tried again" : ""));
    }
    end_work();
    return;
  }
  warn_of_distrust(opening->file, opening->trust, surroundings_.log);
  const std::string& name = opening->manifest->name;
  files_[opening->file].plugin = name;
  files_[opening->file].is_short = false;
  const Plugin* const named = find(name);
  if (named != nullptr && named->file != opening->file && files::FileStamp::of(named->file)) {
    discard(*opening);
    refuse(opening->file, loaded_already(*named));
    files_[opening->file].is_second = true;
    end_work();
    return;
  }
  change(opening->file, *opening);
}

// Unmaps what was opened and never started.
void PluginSet::discard(Opening& opening) {
  if (!opening.library) return;
  Manifest manifest = opening.manifest.value_or(Manifest());
  if (manifest.name.empty()) manifest.name = opening.callee.plugin;
  auto generation = std::make_unique<Generation>(
      surroundings_, Generation::Origin{.library = std::move(*opening.library),
                                        .manifest = std::move(manifest),
                                        .number = 0,
                                        .crash_key = opening.callee.crash_key,
                                        .earlier_threads = std::move(opening.earlier_threads)});
  retirements_.begin(std::move(generation), settings_.stop_timeout);
}

// ---- lists

PluginSet::Plugin* PluginSet::find(const std::string& name) const {
  for (const auto& plugin : plugins_) {
    if (plugin->name == name) return plugin.get();
  }
  return nullptr;
}

PluginSet::Plugin* PluginSet::find_by_file(const fs::path& file) const {
  for (const auto& plugin : plugins_) {
    if (plugin->file == file) return plugin.get();
  }
  return nullptr;
}

std::vector<hub::Channel*> PluginSet::channels_without(const Plugin* left_out) const {
  std::vector<hub::Channel*> channels;
  for (const auto& plugin : plugins_) {
    if (plugin.get() == left_out) continue;
    for (hub::Channel* channel : plugin->generation->channels()) channels.push_back(channel);
  }
  return channels;
}

void PluginSet::sort_plugins() {
  std::sort(plugins_.begin(), plugins_.end(), [&](const auto& a, const auto& b) {
    return rank_of(a->file, settings_.order) < rank_of(b->file, settings_.order);
  });
}

}  // namespace jackfield::plugin
