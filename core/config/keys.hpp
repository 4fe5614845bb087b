// The keys that a configuration file may have: for each its table, its name, how it is read and
// shown, and whether a running server can take another value. Constant.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/config/config.hpp"
#include "core/config/field.hpp"

namespace jackfield::config {

// What reading a key needs besides its field.
struct Target {
  Config& config;
  const std::filesystem::path& folder;  // that the file is in
};

struct Key {
  std::string_view table;
  std::string_view name;
  void (*read)(Field& field, const Target& target);
  // The value as TOML writes it; the same text for the same value only.
  std::string (*show)(const Config& config);
  // Puts back into `wanted` what only a start can change, as `started` has it. Null: nothing, it
  // can change live.
  void (*keep)(const Config& started, Config& wanted);
};

// In the order in which they are shown.
extern const std::span<const Key> kKeys;

inline constexpr std::string_view kPluginNameForm =
    "a name of 1 to 32 of a-z, 0-9, _ and -, a letter first";

}  // namespace jackfield::config
