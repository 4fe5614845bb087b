// What comes of an opened image, of a plugin whose file is gone, and of new settings.
#include <algorithm>
#include <utility>

#include "core/plugin/plugin_files.hpp"
#include "core/plugin/plugin_set.hpp"

namespace jackfield::plugin {

namespace fs = std::filesystem;

// ---- from an image to a plugin that serves

void PluginSet::change(const fs::path& file, Opening& opening) {
  const std::string name = opening.manifest->name;
  Record& record = records_[name];
  const Plugin* const named = find(name);
  const Plugin* const mine = find_by_file(file);
  Changeover::Parts parts;
  parts.old = named == nullptr ? nullptr : named->generation.get();
  Source source{file, opening.library->stamp(), table_of(settings_.tables, name)};
  const std::string crash_key = CrashHistory::key(file, source.stamp);
  parts.fresh = std::make_unique<Generation>(
      surroundings_, Generation::Origin{.library = std::move(*opening.library),
                                        .manifest = std::move(*opening.manifest),
                                        .number = ++record.generations,
                                        .crash_key = crash_key,
                                        .earlier_threads = std::move(opening.earlier_threads),
                                        .tally = record.tally});
  parts.fresh->set_budget(settings_.callback_budget);
  parts.config = source.config;
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
      [this, source = std::move(source)](Changeover::Outcome outcome) {
        changed(source, std::move(outcome));
      },
      [this](std::unique_ptr<Generation> fresh) {
        retirements_.begin(std::move(fresh), settings_.stop_timeout);
      });
  changeover_->begin();
}

void PluginSet::changed(const Source& source, Changeover::Outcome outcome) {
  const std::unique_ptr<Changeover> ended = std::move(changeover_);
  if (outcome.status.is_ok()) {
    installed(source, std::move(outcome));
  } else {
    if (!is_stopping_) refuse(source.file, outcome.status.message());
    if (outcome.fresh != nullptr) {
      retirements_.begin(std::move(outcome.fresh), settings_.stop_timeout);
    }
  }
  // Not from here: whoever called may still be at work with what is ended.
  surroundings_.loop.post([this] { end_work(); });
}

void PluginSet::installed(const Source& source, Changeover::Outcome outcome) {
  const Manifest& manifest = outcome.fresh->manifest();
  const fs::path& file = source.file;
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
                    {"file", file.string()},
                    {"generation", outcome.fresh->number()},
                    {"adopted", outcome.handed_over.adopted},
                    {"ended", outcome.handed_over.ended},
                    {"pause_us", outcome.pause.count()}});
    retirements_.begin(std::move(plugin->generation), settings_.stop_timeout);
  }
  plugin->file = file;
  plugin->stamp = source.stamp;
  plugin->config = source.config;
  plugin->table_refusal.clear();
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
  retirements_.begin(std::move(plugin.generation), settings_.stop_timeout);
  std::erase_if(plugins_, [&](const auto& one) { return one.get() == &plugin; });
}

void PluginSet::begin_stop() {
  is_stopping_ = true;
  watcher_.reset();
  surroundings_.loop.cancel_timer(std::exchange(retry_, 0));
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
    if (table_of(before.tables, seen.plugin) != table_of(settings_.tables, seen.plugin)) {
      queue_.push_back({file, true});
    }
  }
  are_names_due_ = true;
  next();
}

// Gives a plugin its table where that is not the one it has.
void PluginSet::update_config(Plugin& plugin) {
  const std::string& table = table_of(settings_.tables, plugin.name);
  plugin.table_refusal.clear();
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
    plugin.table_refusal = status.message();
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

}  // namespace jackfield::plugin
