// What is asked of a plugin's file before its code is run, and what was found.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/log.hpp"

namespace jackfield::plugin {

struct FileTrust {
  // Whether a file that others could change, or that lies where they could put another, is refused;
  // else that is only noted. (Settings::allow_writable_by_others.)
  bool is_required = true;
  // How they could: a sentence (files::WayEnd::fault); empty: they cannot.
  std::string fault;
};

// Says of a file that is loaded although others could change it that they could.
void warn_of_distrust(const std::filesystem::path& file, const FileTrust& trust, base::Log& log);

}  // namespace jackfield::plugin
