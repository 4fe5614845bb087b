#include "core/plugin/runtime_directory.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <system_error>

namespace jackfield::plugin {

namespace fs = std::filesystem;

std::vector<fs::path> runtime_directories(const fs::path& configured) {
  if (!configured.empty()) return {configured};
  std::vector<fs::path> found;
  // It may be a colon-separated list.
  if (const char* given = std::getenv("RUNTIME_DIRECTORY"); given != nullptr && *given != '\0') {
    const std::string_view list(given);
    found.emplace_back(list.substr(0, list.find(':')));
  }
  if (::geteuid() == 0) found.emplace_back("/run");
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  if (!error) found.push_back(temporary);
  return found;
}

}  // namespace jackfield::plugin
