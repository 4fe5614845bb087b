// What a command says on standard error where it does not do what was asked. Any thread, no state.
#pragma once

#include <string>

#include "core/config/config.hpp"

namespace jackfield::daemon {

// "jackfield: <sentence>", as a line.
void complain(const std::string& sentence);

// Whether the configuration has no mistakes; complains of each.
bool is_well(const config::Outcome& outcome);

}  // namespace jackfield::daemon
