// What the plugin layer is told, as plain values. Filled by core/config and the command line.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::plugin {

struct Settings {
  std::filesystem::path directory = "plugins";  // its *.so are loaded
  std::vector<std::string> order;  // file names without ".so" that come first, in this order
  // A plugin that others could change is loaded, which is said, instead of refused.
  bool allow_writable_by_others = false;
  std::filesystem::path runtime_directory;    // for private copies; empty: PrivateCopies chooses
  std::map<std::string, std::string> tables;  // plugin name -> its [plugin.NAME] as JSON text
  bool watch = true;                          // files that come, change or go are acted upon
  std::chrono::milliseconds quiet{100};       // for which nothing may happen to a file before
  std::chrono::milliseconds scan_interval{0};      // 0: only what the kernel reports is seen
  std::chrono::milliseconds start_timeout{5000};   // for a plugin's `start`
  std::chrono::milliseconds drain_timeout{1000};   // for pending calls and jobs before it is replaced
  std::chrono::milliseconds stop_timeout{5000};    // then it is said that `stop` has not returned
  std::chrono::milliseconds callback_budget{50};   // a call on the loop that takes longer is logged
  std::size_t crash_limit = 3;                     // so many crashes set a file aside; 0: never
  std::chrono::milliseconds crash_window{600'000};  // where they come within this time
};

// A plugin's table among these, or "{}" where it has none. Lives as long as they do.
const std::string& table_of(const std::map<std::string, std::string>& tables,
                            const std::string& plugin);

// [a-z][a-z0-9_-]{0,31}: what a plugin may be called, and so its table.
bool is_plugin_name(std::string_view name);

}  // namespace jackfield::plugin
