// The plugins that a server runs: those of one folder, in an order. Loop thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/plugin/generation.hpp"
#include "core/plugin/private_copies.hpp"
#include "core/plugin/settings.hpp"

namespace jackfield::plugin {

class PluginSet {
 public:
  PluginSet(Settings settings, const Surroundings& surroundings);
  // REQUIRES: stopped.
  ~PluginSet();

  // Loads and starts every *.so of the folder: first those that the order names, then the others by
  // their file names. One that fails is logged with its reason, and the others serve. Fails where
  // the folder or the one for private copies cannot be used.
  base::Status load_all();

  // Stops them, last loaded first. False where one could not be ended: then the process must go
  // without running destructors of what its threads may still use.
  bool stop_all(std::chrono::milliseconds patience);

  const std::vector<std::unique_ptr<Generation>>& generations() const { return generations_; }

  // A file that was not loaded, and why.
  struct Refusal {
    std::filesystem::path file;
    std::string reason;
  };
  const std::vector<Refusal>& refusals() const { return refusals_; }

 private:
  base::Status load(const std::filesystem::path& file);
  void leave_behind(std::unique_ptr<Generation> generation);

  const Settings settings_;
  const Surroundings surroundings_;
  std::unique_ptr<PrivateCopies> copies_;
  std::vector<std::unique_ptr<Generation>> generations_;
  std::vector<Refusal> refusals_;
  std::set<std::string> names_;  // of the plugins that were found, refused ones too
  bool has_left_behind_ = false;
};

// The *.so files of a folder, in the order in which they are to be loaded. `order` holds file names
// without ".so". Sub-folders and other files are passed over.
base::Result<std::vector<std::filesystem::path>> plugin_files(
    const std::filesystem::path& directory, const std::vector<std::string>& order);

}  // namespace jackfield::plugin
