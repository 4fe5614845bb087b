#include "core/plugin/plugin_set.hpp"

#include <algorithm>
#include <cassert>
#include <system_error>
#include <utility>

namespace jackfield::plugin {

namespace fs = std::filesystem;

base::Result<std::vector<fs::path>> plugin_files(const fs::path& directory,
                                                 const std::vector<std::string>& order) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator i(directory, error), end; !error && i != end; i.increment(error)) {
    std::error_code ignored;
    if (i->path().extension() == ".so" && i->is_regular_file(ignored)) files.push_back(i->path());
  }
  if (error) {
    return base::Result<std::vector<fs::path>>::failure(
        "cannot read the plugins folder " + directory.string() + ": " + error.message() +
        " (--plugins or plugins.directory names another)");
  }
  const auto rank = [&](const fs::path& file) {
    return std::find(order.begin(), order.end(), file.stem().string()) - order.begin();
  };
  std::sort(files.begin(), files.end(), [&](const fs::path& a, const fs::path& b) {
    return std::pair(rank(a), a.filename().string()) < std::pair(rank(b), b.filename().string());
  });
  return files;
}

PluginSet::PluginSet(Settings settings, const Surroundings& surroundings)
    : settings_(std::move(settings)), surroundings_(surroundings) {}

PluginSet::~PluginSet() { assert(generations_.empty() && "plugins are stopped before they go"); }

base::Status PluginSet::load_all() {
  auto files = plugin_files(settings_.directory, settings_.order);
  if (!files.is_ok()) return base::Status::failure(files.message());
  auto copies = PrivateCopies::open(settings_.runtime_directory);
  if (!copies.is_ok()) return base::Status::failure(copies.message());
  copies_ = std::make_unique<PrivateCopies>(std::move(copies.value()));
  if (copies_->is_in_memory()) {
    surroundings_.log.info(
        "plugins are copied to memory: no folder may be written and executed from");
  }

  for (const fs::path& file : files.value()) {
    if (auto status = load(file); !status.is_ok()) {
      surroundings_.log.error("plugin refused",
                              {{"file", file.string()}, {"reason", status.message()}});
      refusals_.push_back({file, status.message()});
    }
  }
  for (const std::string& name : settings_.order) {
    const bool is_there = std::any_of(files.value().begin(), files.value().end(),
                                      [&](const fs::path& file) { return file.stem() == name; });
    if (!is_there) {
      surroundings_.log.warning("plugins.order names a file that is not there",
                                {{"file", name + ".so"}});
    }
  }
  for (const auto& entry : settings_.tables) {
    const std::string& name = entry.first;
    const bool is_there = names_.count(name) > 0;
    if (!is_there) {
      surroundings_.log.warning("configuration of a plugin that is not there", {{"plugin", name}});
    }
  }
  return base::Status::ok();
}

base::Status PluginSet::load(const fs::path& file) {
  auto library = Library::open(file, *copies_);
  if (!library.is_ok()) return base::Status::failure(library.message());
  auto manifest = Manifest::read(library.value().table());
  if (!manifest.is_ok()) return base::Status::failure(manifest.message());
  const std::string name = manifest.value().name;
  names_.insert(name);
  for (const auto& other : generations_) {
    if (other->manifest().name == name) {
      return base::Status::failure("a plugin of the name " + name + " is loaded already");
    }
  }
  const auto table = settings_.tables.find(name);
  auto generation = std::make_unique<Generation>(surroundings_, std::move(library.value()),
                                                 std::move(manifest.value()));
  if (auto status = generation->start(table == settings_.tables.end() ? "{}" : table->second);
      !status.is_ok()) {
    if (generation->is_stuck()) leave_behind(std::move(generation));
    return status;
  }
  surroundings_.log.info(
      "plugin loaded",
      {{"plugin", name}, {"version", generation->manifest().version}, {"file", file.string()}});
  generations_.push_back(std::move(generation));
  return base::Status::ok();
}

// A thread of it may still use it: it is neither destroyed nor unmapped.
void PluginSet::leave_behind(std::unique_ptr<Generation> generation) {
  static_cast<void>(generation.release());
  has_left_behind_ = true;
}

bool PluginSet::stop_all(std::chrono::milliseconds patience) {
  while (!generations_.empty()) {
    std::unique_ptr<Generation> generation = std::move(generations_.back());
    generations_.pop_back();
    const std::string name = generation->manifest().name;
    if (auto status = generation->stop(hub::LeaveReason::kShutdown, patience); !status.is_ok()) {
      surroundings_.log.error("plugin did not stop",
                              {{"plugin", name}, {"reason", status.message()}});
      leave_behind(std::move(generation));
    }
  }
  return !has_left_behind_;
}

}  // namespace jackfield::plugin
