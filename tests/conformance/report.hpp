// The table of rows as Markdown: for the README, and with what came of each row for --report.
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/player.hpp"
#include "tests/conformance/row.hpp"

namespace jackfield::conformance {

// What the tests of this process have found so far.
Verdicts& found_verdicts();

// Section, rule, and what deviates; for the README.
std::string table_text(const std::vector<Subject>& subjects);

// The same with a column for each cut, and how many rows hold.
std::string report_text(const std::vector<Subject>& subjects, const Verdicts& verdicts);

}  // namespace jackfield::conformance
