#include "core/plugin/settings.hpp"

#include <algorithm>

namespace jackfield::plugin {

const std::string& table_of(const std::map<std::string, std::string>& tables,
                            const std::string& plugin) {
  static const std::string kEmpty = "{}";
  const auto table = tables.find(plugin);
  return table == tables.end() ? kEmpty : table->second;
}

bool is_plugin_name(std::string_view name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto may_follow = [&](char c) {
    return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 32 && is_lower(name.front()) &&
         std::all_of(name.begin(), name.end(), may_follow);
}

}  // namespace jackfield::plugin
