#include "core/daemon/installation.hpp"

#include <system_error>

namespace jackfield::daemon {

namespace fs = std::filesystem;

fs::path own_path() {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path("jackfield") : path;
}

fs::path default_plugins() {
  const fs::path folder = own_path().parent_path();
  std::error_code error;
  const fs::path installed = folder.parent_path() / "lib/jackfield/plugins";
  const bool is_installed = !fs::exists(folder / "plugins", error) && fs::exists(installed, error);
  return is_installed ? installed : folder / "plugins";
}

}  // namespace jackfield::daemon
