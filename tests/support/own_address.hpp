// Where this machine can be reached other than by a loopback address.
#pragma once

#include <string>

namespace jackfield::test {

// An IPv4 address of this machine that is no loopback; empty where it has none.
std::string own_address();

}  // namespace jackfield::test
