// What the plugin layer is told, as plain values. Filled by core/config and the command line.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace jackfield::plugin {

struct Settings {
  std::filesystem::path directory = "plugins";  // its *.so are loaded
  std::vector<std::string> order;  // file names without ".so" that come first, in this order
  std::filesystem::path runtime_directory;  // for private copies; empty: $RUNTIME_DIRECTORY, /run/jackfield or /tmp
  std::map<std::string, std::string> tables;  // plugin name -> its [plugin.NAME] as JSON text
};

}  // namespace jackfield::plugin
