// The keys that a configuration file may have: for each its table, its name, and how it is read.
// Constant.
#pragma once

#include <array>
#include <filesystem>
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
};

inline constexpr std::size_t kKeysCount = 18;
extern const std::array<Key, kKeysCount> kKeys;

inline constexpr std::string_view kPluginNameForm =
    "a name of 1 to 32 of a-z, 0-9, _ and -, a letter first";

}  // namespace jackfield::config
