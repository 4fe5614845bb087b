// Where this program and its plugins lie. Any thread, no state.
#pragma once

#include <filesystem>

namespace jackfield::daemon {

// Of the executable that runs.
std::filesystem::path own_path();

// The plugins folder where nobody names one: beside the executable, as it is built, or where it is
// installed.
std::filesystem::path default_plugins();

}  // namespace jackfield::daemon
