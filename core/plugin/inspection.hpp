// Looks at a plugin file as the server would when it loads it: reads its table, starts it once
// with an empty configuration and no clients, stops it. Any thread, where no server runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/plugin/manifest.hpp"

namespace jackfield::plugin {

struct Inspection {
  Manifest manifest;
  std::vector<std::string> patterns;
  std::string start_failure;  // empty: it started
};

// Fails where it is no plugin that this server can load. `config` is given to its start.
base::Result<Inspection> inspect(const std::filesystem::path& file, std::string_view config,
                                 base::Log& log);

}  // namespace jackfield::plugin
