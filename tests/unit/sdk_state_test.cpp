// jackfield_state.hpp: what `start` gets from the generation before, and the checks for it.
#include <jackfield.hpp>

#include <random>
#include <string>
#include <string_view>

#include "core/wire/json_text.hpp"
#include "tests/support/where.hpp"
#include "tests/unit/wire_json_table.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::test::check;

namespace {

jf::Start started(std::uint32_t version, std::string_view state) {
  return jf::Start{jf::Json("{}"), version, state, "1.2.3"};
}

template <class Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const jf::StateError& error) {
    return error.what();
  }
  return "(taken)";
}

}  // namespace

TEST_GROUP(sdk_state){};

TEST(sdk_state, tells_json_from_other_text_as_a_browser_does) {
  for (const auto& rows : {jackfield::test::json_rows(), jackfield::test::not_utf8_rows()}) {
    for (const jackfield::test::JsonRow& row : rows) {
      check(jf::is_json(row.text) == row.taken,
            std::string(row.about) + ": " + row.text.substr(0, 100));
    }
  }
}

TEST(sdk_state, no_depth_ends_the_stack) {
  using jackfield::test::json_table::repeated;
  const std::size_t depth = 1 << 20;
  CHECK_TRUE(jf::is_json(repeated("[", depth) + repeated("]", depth)));
  CHECK_FALSE(jf::is_json(repeated("[", 2 * depth)));
  CHECK_FALSE(jf::is_json(repeated("{\"a\":[", depth)));
}

TEST(sdk_state, says_of_damaged_json_what_the_server_says) {
  const std::string whole =
      R"({"a":[1,-2.5e+3,"x\u00e9\ud83d\n",{"b":null}],"c":{"d":[[],{}],"e":true},"f":")"
      "\xC3\xA9\"}";
  CHECK_TRUE(jf::is_json(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(jf::is_json(whole.substr(0, size)));
  }
  std::mt19937 random(7);
  const std::string_view pieces = "{}[]\",:0-eu\\ \x80\xED\xA0\n";
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] = pieces[random() % pieces.size()];
    check(jf::is_json(damaged) == jackfield::wire::is_json(damaged), damaged);
  }
}

TEST(sdk_state, is_empty_where_there_is_none) {
  const jf::Start fresh = started(0, "");
  CHECK_FALSE(fresh.has_state());
  CHECK_TRUE(fresh.state_of(5).empty());
  CHECK_FALSE(fresh.json_state_of(5, jf::want::object()).exists());
  fresh.expect_none();
}

TEST(sdk_state, is_given_to_who_knows_its_version) {
  CHECK_EQUAL(std::string("bytes"), std::string(started(3, "bytes").state_of(3)));
  const jf::Start start = started(1, " {\"a\":5} ");
  LONGS_EQUAL(5, start.json_state_of(1)["a"].integer().value_or(0));
}

TEST(sdk_state, is_refused_with_the_reason) {
  const std::string begin = "the state of version 2 from 1.2.3 is refused: ";
  const jf::Want want = jf::want::object({{"a", jf::want::integer()}});
  CHECK_EQUAL(begin + "this version takes 1", refusal([] { started(2, "{}").state_of(1); }));
  CHECK_EQUAL(begin + "this version takes 1",
              refusal([] { started(2, "{}").json_state_of(1); }));
  CHECK_EQUAL(begin + "this version takes none", refusal([] { started(2, "").expect_none(); }));
  CHECK_EQUAL(begin + "it is not JSON", refusal([&] { started(2, "").json_state_of(2, want); }));
  CHECK_EQUAL(begin + "it is not JSON",
              refusal([&] { started(2, "{\"a\":5").json_state_of(2, want); }));
  CHECK_EQUAL(begin + "state: must be an object",
              refusal([&] { started(2, "[]").json_state_of(2, want); }));
  CHECK_EQUAL(begin + "state.a: must be an integer",
              refusal([&] { started(2, "{\"a\":\"5\"}").json_state_of(2, want); }));
}
