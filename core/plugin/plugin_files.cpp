#include "core/plugin/plugin_files.hpp"

#include <algorithm>
#include <system_error>

namespace jackfield::plugin {

namespace fs = std::filesystem;

std::pair<std::size_t, std::string> rank_of(const fs::path& file,
                                            const std::vector<std::string>& order) {
  const auto place = std::find(order.begin(), order.end(), file.stem().string());
  return {static_cast<std::size_t>(place - order.begin()), file.filename().string()};
}

base::Result<std::vector<fs::path>> plugin_files(const fs::path& directory,
                                                 const std::vector<std::string>& order) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator i(directory, error), end; !error && i != end; i.increment(error)) {
    std::error_code ignored;
    const fs::path& file = i->path();
    const bool is_hidden = file.filename().string().starts_with('.');
    if (!is_hidden && file.extension() == ".so" && i->is_regular_file(ignored)) {
      files.push_back(file);
    }
  }
  if (error) {
    return base::Result<std::vector<fs::path>>::failure(
        "cannot read the plugins folder " + directory.string() + ": " + error.message() +
        " (--plugins or plugins.directory names another)");
  }
  std::sort(files.begin(), files.end(), [&](const fs::path& a, const fs::path& b) {
    return rank_of(a, order) < rank_of(b, order);
  });
  return files;
}

}  // namespace jackfield::plugin
