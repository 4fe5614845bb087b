// What Jackfield is to show by this suite, and whether a run shows it. One thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/suite/work.hpp"

namespace jackfield::bench {

// `works`: those that the run was asked for; targets of others have no row. `executable`:
// Jackfield's, which is stripped into the folder to be weighed. Throws Failure where a target is about
// a case that its work does not have.
Table targets_table(const std::vector<Work>& works, const Setting& setting, const Results& results,
                    const std::filesystem::path& executable, const std::filesystem::path& folder);

// The cases that miss what is wanted against the reference, beside what the limits need there.
Table missed_table(const std::vector<Work>& works, const Results& results);

}  // namespace jackfield::bench
