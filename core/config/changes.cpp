#include "core/config/changes.hpp"

#include <map>
#include <set>
#include <utility>

#include "core/config/keys.hpp"
#include "core/config/value.hpp"

namespace jackfield::config {
namespace {

using Tables = std::map<std::string, std::string>;

std::string table_of(const Tables& tables, const std::string& plugin) {
  const auto found = tables.find(plugin);
  return found == tables.end() ? std::string() : found->second;
}

void note(std::string key, std::string before, std::string after, std::vector<Change>& changes) {
  if (before == after) return;
  changes.push_back({std::move(key), std::move(before), std::move(after)});
}

}  // namespace

std::vector<Change> find_changes(const Config& before, const Config& after) {
  std::vector<Change> changes;
  for (const Key& key : kKeys) {
    note(join_key(key.table, key.name), key.show(before), key.show(after), changes);
  }
  std::set<std::string> plugins;
  for (const Config* config : {&before, &after}) {
    for (const auto& [name, table] : config->plugins.tables) plugins.insert(name);
  }
  for (const std::string& name : plugins) {
    note(join_key("plugin", name), table_of(before.plugins.tables, name),
         table_of(after.plugins.tables, name), changes);
  }
  return changes;
}

Config live_part(const Config& started, Config wanted) {
  for (const Key& key : kKeys) {
    if (key.keep != nullptr) key.keep(started, wanted);
  }
  return wanted;
}

}  // namespace jackfield::config
