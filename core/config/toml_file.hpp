// Reads TOML text into plain values. The only door to toml++: none of its types or exceptions
// passes it. Any thread, no state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/config/value.hpp"

namespace jackfield::config {

struct TomlOutcome {
  std::optional<Value> root;  // a table; nothing where the text is not TOML
  Position position;          // of the first mistake, where there is no root
  std::string mistake;        // what is wrong there
};

TomlOutcome read_toml(std::string_view text);

}  // namespace jackfield::config
