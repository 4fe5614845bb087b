#include "core/wire/json_text.hpp"

#include "tests/support/where.hpp"
#include "tests/unit/wire_json_table.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using jackfield::test::check;
using jackfield::test::JsonRow;

void check_rows(const std::vector<JsonRow>& rows) {
  for (const JsonRow& row : rows) {
    check(jackfield::wire::is_json(row.text) == row.taken,
          std::string(row.about) + ": " + row.text.substr(0, 100) +
              (row.taken ? "\n\tis refused" : "\n\tis taken"));
  }
}

TEST_GROUP(WireJsonTable) {};

TEST(WireJsonTable, agrees_with_a_browser) { check_rows(jackfield::test::json_rows()); }

TEST(WireJsonTable, text_that_is_not_utf8_is_no_json) {
  check_rows(jackfield::test::not_utf8_rows());
}

TEST(WireJsonTable, a_view_is_read_to_its_end_and_no_further) {
  const std::string_view text = "[1,23]";
  CHECK_TRUE(jackfield::wire::is_json(text.substr(3, 2)));
  CHECK_TRUE(jackfield::wire::is_json(text.substr(3, 1)));
  CHECK_FALSE(jackfield::wire::is_json(text.substr(0, 5)));
}

TEST(WireJsonTable, no_depth_ends_the_stack) {
  using jackfield::test::json_table::repeated;
  const std::size_t depth = 1 << 20;
  CHECK_TRUE(jackfield::wire::is_json(repeated("[", depth) + repeated("]", depth)));
  CHECK_FALSE(jackfield::wire::is_json(repeated("[", 2 * depth)));
}

}  // namespace
