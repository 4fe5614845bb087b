#include "core/daemon/complaints.hpp"

#include <cstdio>

namespace jackfield::daemon {

void complain(const std::string& sentence) {
  std::fprintf(stderr, "jackfield: %s\n", sentence.c_str());
}

bool is_well(const config::Outcome& outcome) {
  for (const config::Mistake& mistake : outcome.mistakes) complain(config::to_text(mistake));
  return outcome.is_ok();
}

}  // namespace jackfield::daemon
