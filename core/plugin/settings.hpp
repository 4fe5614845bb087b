// What the plugin layer is told, as plain values. Filled by core/config and the command line.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::plugin {

struct Settings {
  std::filesystem::path directory = "plugins";  // its *.so are loaded
  std::vector<std::string> order;  // file names without ".so" that come first, in this order
  std::filesystem::path runtime_directory;    // for private copies; empty: PrivateCopies chooses
  std::map<std::string, std::string> tables;  // plugin name -> its [plugin.NAME] as JSON text
};

// [a-z][a-z0-9_-]{0,31}: what a plugin may be called, and so its table.
bool is_plugin_name(std::string_view name);

}  // namespace jackfield::plugin
