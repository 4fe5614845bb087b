#include "core/plugin/plugin_set.hpp"

#include <algorithm>
#include <cassert>
#include <set>
#include <system_error>
#include <utility>

#include "core/plugin/lingering_threads.hpp"
#include "core/plugin/plugin_call.hpp"
#include "core/plugin/plugin_files.hpp"
#include "core/plugin/runtime_directory.hpp"

namespace jackfield::plugin {

namespace fs = std::filesystem;

// An image on its way from a file, shared by the loop and the thread that opens it.
struct PluginSet::Opening {
  fs::path file;
  Callee callee;  // while it is opened
  std::set<pid_t> earlier_threads;
  std::optional<Library> library;
  std::optional<Manifest> manifest;
  std::string failure;
  bool is_given_up = false;  // loop thread
};

PluginSet::PluginSet(Settings settings, hub::Hub& hub, base::Loop& loop, base::IdSource& ids,
                     base::Log& log)
    : settings_(std::move(settings)),
      surroundings_{hub, loop, ids, log, host_threads_},
      errands_(loop, host_threads_),
      retirements_(loop, log, errands_) {
  host_threads_.add();
}

PluginSet::~PluginSet() { assert(plugins_.empty() && "plugins are stopped before they go"); }

base::Status PluginSet::begin() {
  auto copies = PrivateCopies::open(settings_.runtime_directory);
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
    if (!seen.refusal.empty()) refusals.push_back({file, seen.refusal});
  }
  return refusals;
}

void PluginSet::watch() {
  watcher_.reset();
  if (!settings_.watch) return;
  watcher_ = std::make_unique<FileWatcher>(
      FileWatcher::Options{.path = settings_.directory,
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
  const bool is_there = fs::is_regular_file(work.file, error);
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    surroundings_.log.warning("plugin not looked at",
                              {{"file", work.file.string()}, {"reason", error.message()}});
    return;
  }
  const auto stamp = is_there ? FileStamp::of(work.file) : std::nullopt;
  if (!stamp) {
    if (work.has_waited || queue_.empty()) {
      file_gone(work.file);
    } else {
      queue_.push_back({work.file, false, true});  // one of the others may be the same, moved
    }
    return;
  }
  Seen& seen = files_[work.file];
  if (seen.stamp == stamp && !work.is_forced) return;
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

bool PluginSet::is_set_aside(const fs::path& file, const FileStamp& stamp) const {
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
    if (!seen.is_second || seen.plugin != plugin || !FileStamp::of(file)) continue;
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

// ---- opening an image

void PluginSet::open(const fs::path& file) {
  is_busy_ = true;
  auto opening = std::make_shared<Opening>();
  opening->file = file;
  opening->callee.plugin = file.stem().string();
  opening->callee.crash_key = CrashHistory::key(file, *files_[file].stamp);
  const base::Status status = errands_.run(
      "jf-open",
      [opening, copies = copies_.get()] {
        opening->earlier_threads = thread_ids();
        const PluginCall running(opening->callee, "load");
        auto library = Library::open(opening->file, *copies);
        if (!library.is_ok()) {
          opening->failure = library.message();
          return;
        }
        auto manifest = Manifest::read(library.value().table());
        opening->library.emplace(std::move(library.value()));
        if (manifest.is_ok()) {
          opening->manifest = std::move(manifest.value());
        } else {
          opening->failure = manifest.message();
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
  refuse(file, status.message());
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
    refuse(opening->file, opening->failure);
    end_work();
    return;
  }
  const std::string& name = opening->manifest->name;
  files_[opening->file].plugin = name;
  const Plugin* const named = find(name);
  if (named != nullptr && named->file != opening->file && FileStamp::of(named->file)) {
    discard(*opening);
    refuse(opening->file, "a plugin of the name " + name + " is loaded already, from " +
                              named->file.filename().string());
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
  retirements_.begin(std::move(generation), false, settings_.stop_timeout);
}

// ---- from an image to a plugin that serves

void PluginSet::change(const fs::path& file, Opening& opening) {
  const std::string name = opening.manifest->name;
  Record& record = records_[name];
  const Plugin* const named = find(name);
  const Plugin* const mine = find_by_file(file);
  Changeover::Parts parts;
  parts.old = named == nullptr ? nullptr : named->generation.get();
  const std::string crash_key = CrashHistory::key(file, opening.library->stamp());
  parts.fresh = std::make_unique<Generation>(
      surroundings_, Generation::Origin{.library = std::move(*opening.library),
                                        .manifest = std::move(*opening.manifest),
                                        .number = ++record.generations,
                                        .crash_key = crash_key,
                                        .earlier_threads = std::move(opening.earlier_threads),
                                        .tally = record.tally});
  parts.fresh->set_budget(settings_.callback_budget);
  parts.config = table_of(name);
  parts.start_timeout = settings_.start_timeout;
  parts.drain_timeout = settings_.drain_timeout;
  parts.order = [this, named, mine, file](const Generation& fresh) {
    std::vector<hub::Channel*> channels;
    bool is_in = false;
    const auto put_in = [&] {
      if (std::exchange(is_in, true)) return;
      for (hub::Channel* channel : fresh.channels()) channels.push_back(channel);
    };
    const auto rank = rank_of(file, settings_.order);
    for (const auto& plugin : plugins_) {
      if (rank < rank_of(plugin->file, settings_.order)) put_in();
      if (plugin.get() == named || plugin.get() == mine) continue;
      for (hub::Channel* channel : plugin->generation->channels()) channels.push_back(channel);
    }
    put_in();
    return channels;
  };
  changeover_ = std::make_unique<Changeover>(
      surroundings_, errands_, std::move(parts),
      [this, file, config = table_of(name)](Changeover::Outcome outcome) {
        changed(file, config, std::move(outcome));
      },
      [this](std::unique_ptr<Generation> fresh, bool has_started) {
        retirements_.begin(std::move(fresh), has_started, settings_.stop_timeout);
      });
  changeover_->begin();
}

void PluginSet::changed(const fs::path& file, const std::string& config,
                        Changeover::Outcome outcome) {
  const std::unique_ptr<Changeover> ended = std::move(changeover_);
  if (outcome.status.is_ok()) {
    installed(file, config, std::move(outcome));
  } else {
    if (!is_stopping_) refuse(file, outcome.status.message());
    if (outcome.fresh != nullptr) {
      retirements_.begin(std::move(outcome.fresh), false, settings_.stop_timeout);
    }
  }
  // Not from here: whoever called may still be at work with what is ended.
  surroundings_.loop.post([this] { end_work(); });
}

void PluginSet::installed(const fs::path& file, const std::string& config,
                          Changeover::Outcome outcome) {
  const Manifest& manifest = outcome.fresh->manifest();
  base::Log& log = surroundings_.log;
  files_[file].refusal.clear();
  Plugin* plugin = find(manifest.name);
  Plugin* const mine = find_by_file(file);
  if (plugin == nullptr) {
    plugin = plugins_.emplace_back(std::make_unique<Plugin>()).get();
    plugin->name = manifest.name;
    log.write_each(base::LogLevel::kInfo, "plugin loaded",
                   {{"plugin", manifest.name},
                    {"version", manifest.version},
                    {"file", file.string()},
                    {"generation", outcome.fresh->number()}});
  } else {
    log.write_each(base::LogLevel::kInfo, "plugin replaced",
                   {{"plugin", manifest.name},
                    {"version", manifest.version},
                    {"before", plugin->generation->manifest().version},
                    {"generation", outcome.fresh->number()},
                    {"adopted", outcome.handed_over.adopted},
                    {"ended", outcome.handed_over.ended},
                    {"pause_us", outcome.pause.count()}});
    retirements_.begin(std::move(plugin->generation), true, settings_.stop_timeout);
  }
  plugin->file = file;
  plugin->config = config;
  plugin->generation = std::move(outcome.fresh);
  plugin->since = std::chrono::system_clock::now();
  sort_plugins();
  if (mine != nullptr && mine != plugin) {  // the file held another plugin before
    log.write_each(base::LogLevel::kInfo, "plugin removed",
                   {{"plugin", mine->name}, {"file", file.string()}});
    if (const auto second = take_second(mine->name)) queue_.push_front({*second, true});
    remove(*mine);
  }
  update_config(*plugin);  // it may have changed meanwhile
}

// ---- the end of a plugin

void PluginSet::remove(Plugin& plugin) {
  surroundings_.hub.set_channels(channels_without(&plugin));
  surroundings_.hub.retire(plugin.generation->channels(), is_stopping_
                                                              ? hub::LeaveReason::kShutdown
                                                              : hub::LeaveReason::kUnloaded);
  retirements_.begin(std::move(plugin.generation), true, settings_.stop_timeout);
  std::erase_if(plugins_, [&](const auto& one) { return one.get() == &plugin; });
}

void PluginSet::begin_stop() {
  is_stopping_ = true;
  watcher_.reset();
  queue_.clear();
  if (changeover_ != nullptr) changeover_->give_up("the server stops");
  while (!plugins_.empty()) remove(*plugins_.back());
}

// ---- settings

void PluginSet::apply(const Settings& settings) {
  const bool is_new_order = settings.order != settings_.order;
  const Settings before = std::exchange(settings_, settings);
  settings_.directory = before.directory;
  settings_.runtime_directory = before.runtime_directory;
  const bool is_watched_otherwise = settings_.watch != before.watch ||
                                    settings_.quiet != before.quiet ||
                                    settings_.scan_interval != before.scan_interval;
  if (is_watched_otherwise) {
    watch();
    look_at_all();
  }
  if (is_new_order) {
    sort_plugins();
    surroundings_.hub.set_channels(channels_without(nullptr));
  }
  for (const auto& plugin : plugins_) {
    plugin->generation->set_budget(settings_.callback_budget);
    update_config(*plugin);
  }
  for (const auto& [file, seen] : files_) {
    // One that was refused may have been for its table.
    if (seen.refusal.empty() || seen.plugin.empty() || seen.is_second) continue;
    const auto table = before.tables.find(seen.plugin);
    const std::string old = table == before.tables.end() ? "{}" : table->second;
    if (old != table_of(seen.plugin)) queue_.push_back({file, true});
  }
  are_names_due_ = true;
  next();
}

// Gives a plugin its table where that is not the one it has.
void PluginSet::update_config(Plugin& plugin) {
  const std::string& table = table_of(plugin.name);
  if (table == plugin.config) return;
  if (!plugin.generation->can_configure() || !plugin.generation->is_serving()) {
    queue_.push_back({plugin.file, true});
    return;
  }
  if (auto status = plugin.generation->configure(table); status.is_ok()) {
    plugin.config = table;
    surroundings_.log.write_each(base::LogLevel::kInfo, "plugin configured",
                                 {{"plugin", plugin.name}});
  } else {
    surroundings_.log.write_each(base::LogLevel::kError, "plugin keeps its configuration",
                                 {{"plugin", plugin.name}, {"reason", status.message()}});
  }
}

void PluginSet::warn_of_names() {
  base::Log& log = surroundings_.log;
  for (const std::string& name : settings_.order) {
    const auto is_it = [&](const auto& entry) { return entry.first.stem() == name; };
    if (std::none_of(files_.begin(), files_.end(), is_it)) {
      log.warning("plugins.order names a file that is not there", {{"file", name + ".so"}});
    }
  }
  for (const auto& [name, table] : settings_.tables) {
    const auto is_it = [&, &wanted = name](const auto& entry) {
      return entry.second.plugin == wanted;
    };
    if (std::none_of(files_.begin(), files_.end(), is_it)) {
      log.warning("configuration of a plugin that is not there", {{"plugin", name}});
    }
  }
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

const std::string& PluginSet::table_of(const std::string& name) const {
  static const std::string kEmpty = "{}";
  const auto table = settings_.tables.find(name);
  return table == settings_.tables.end() ? kEmpty : table->second;
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
