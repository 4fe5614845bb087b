// conformance_tests [--report | --table | CppUTest's options]
//
// --report plays every row and prints the table with what came of it; --table prints the table
// as the README has it.
#include <cstdio>
#include <string_view>

#include "tests/conformance/report.hpp"
#include "tests/support/run_tests.hpp"

int main(int argc, char** argv) {
  using namespace jackfield;
  const std::string_view option = argc > 1 ? argv[1] : "";
  if (option == "--table") {
    std::fputs(conformance::table_text(conformance::all_subjects()).c_str(), stdout);
    return 0;
  }
  if (option != "--report") return test::run_tests(argc, argv);
  const int result = test::run_tests(1, argv);
  std::fputs(
      conformance::report_text(conformance::all_subjects(), conformance::found_verdicts()).c_str(),
      stdout);
  return result;
}
