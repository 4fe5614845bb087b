// The name of an ABI result, for logs.
#pragma once

#include <cstdint>
#include <string>

namespace jackfield::plugin {

// "JF_E_PAYLOAD", or the number where it has no name.
std::string result_name(std::int32_t result);

}  // namespace jackfield::plugin
