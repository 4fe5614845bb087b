// What differs between two configurations, and how much of a new one a running server can take.
// Which key takes a start stands in the table of keys (keys.cpp). Any thread, no state.
#pragma once

#include <string>
#include <vector>

#include "core/config/config.hpp"

namespace jackfield::config {

// A key whose value differs.
struct Change {
  std::string key;     // "server.path"; "plugin.echo" for a plugin's table as a whole
  std::string before;  // as TOML writes it; a table as the plugin gets it, empty where it has none
  std::string after;
};

// In the order of the keys, then the plugins' tables by their names.
std::vector<Change> find_changes(const Config& before, const Config& after);

// `wanted` as far as a server can take it that was started with `started`: what takes a start stays
// as it was then.
Config live_part(const Config& started, Config wanted);

}  // namespace jackfield::config
