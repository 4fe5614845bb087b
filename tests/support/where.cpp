#include "tests/support/where.hpp"

#include <cstdlib>

#include <CppUTest/TestHarness.h>

namespace jackfield::test {

void fail(const std::string& message, Where where) {
  UtestShell::getCurrent()->fail(message.c_str(), where.file, where.line);
  std::abort();  // `fail` throws; it is only not declared so.
}

void check(bool holds, const std::string& message, Where where) {
  UtestShell::getCurrent()->countCheck();
  if (!holds) fail(message, where);
}

}  // namespace jackfield::test
