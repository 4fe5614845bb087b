#include "tests/support/run_tests.hpp"

int main(int argc, char** argv) { return jackfield::test::run_tests(argc, argv); }
