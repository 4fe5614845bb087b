// Looks at a plugin file as the server would when it loads it: reads its table, starts it once
// without clients, stops it: so it runs code of the plugin. Any thread, where no server runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/plugin/manifest.hpp"
#include "core/plugin/settings.hpp"

namespace jackfield::plugin {

struct Inspection {
  Manifest manifest;
  std::vector<std::string> patterns;
  std::string start_failure;  // empty: it started
};

// Fails where it is no plugin that this server can load. Of the settings those count that a load
// knows: plugins' tables, and whether others may be able to change the file (which is logged then).
base::Result<Inspection> inspect(const std::filesystem::path& file, const Settings& settings,
                                 base::Log& log);

}  // namespace jackfield::plugin
