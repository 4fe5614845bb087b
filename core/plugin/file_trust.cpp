#include "core/plugin/file_trust.hpp"

namespace jackfield::plugin {

void warn_of_distrust(const std::filesystem::path& file, const FileTrust& trust, base::Log& log) {
  if (trust.fault.empty()) return;
  log.write_each(base::LogLevel::kWarning, "plugin loaded though others can change it",
                 {{"file", file.string()}, {"reason", trust.fault}});
}

}  // namespace jackfield::plugin
