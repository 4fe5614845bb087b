// The main function of every test executable.
#pragma once

namespace jackfield::test {

// Runs the tests that the command line (CppUTest's) asks for. The result is 0 only where at least
// one test ran and none failed, so a misspelt group is a failure.
int run_tests(int argc, char** argv);

}  // namespace jackfield::test
