// How [[backlog]] is read and shown. Any thread, no state.
#pragma once

#include <string>
#include <vector>

#include "core/config/keys.hpp"
#include "core/hub/settings.hpp"

namespace jackfield::config {

void read_backlog(Field& field, const Target& target);

std::string to_toml(const std::vector<hub::BacklogRule>& rules);

}  // namespace jackfield::config
