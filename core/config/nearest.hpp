// Finds what was probably meant by a name that is not known. Any thread, no state.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace jackfield::config {

// The candidate that fewest edits turn `name` into (a letter put in, left out, replaced, or
// swapped with its neighbour), the first of equals; nothing where all need more than a third of the
// name's length, or more than 3.
std::optional<std::string_view> nearest(std::string_view name,
                                        const std::vector<std::string_view>& candidates);

}  // namespace jackfield::config
