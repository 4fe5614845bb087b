// [plugin.NAME] as the JSON text that the plugin gets: integers exactly, a date or time as a
// string, members in the order of the file. Any thread, no state.
#pragma once

#include <string>
#include <string_view>

#include "core/config/field.hpp"
#include "core/config/value.hpp"

namespace jackfield::config {

// Notes each value that JSON has no form for (NaN and the infinities); then the text is of no use.
// `key` is the table's, "plugin.NAME".
std::string to_json(const Value& table, std::string_view key, Mistakes& mistakes);

}  // namespace jackfield::config
