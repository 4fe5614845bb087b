#include "tests/bench/servers/jackfield_kind.hpp"
#include "tests/bench/servers/server_kind.hpp"

namespace jackfield::bench {

std::vector<std::unique_ptr<ServerKind>> server_kinds(const Installed& installed) {
  std::vector<std::unique_ptr<ServerKind>> kinds;
  kinds.push_back(std::make_unique<JackfieldKind>(installed));
  return kinds;
}

}  // namespace jackfield::bench
