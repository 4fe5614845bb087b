#include "tests/support/fake_host_damaged.hpp"

#include <jackfield_json.hpp>

#include <random>
#include <string_view>
#include <vector>

namespace jackfield::test {
namespace {

constexpr std::size_t kMebi = std::size_t{1} << 20;

// Each value within `json`, itself first.
void collect(const jf::Json& json, std::vector<jf::Json>& all) {
  all.push_back(json);
  for (const jf::Json& element : json.elements()) collect(element, all);
  for (const jf::Member& member : json.members()) collect(member.value, all);
}

// Its beginnings, and octets that never were a state.
std::vector<std::string> not_json_states(const std::string& state) {
  std::vector<std::string> all;
  for (std::size_t size = 0; size < state.size(); size += size < 200 ? 1 : 7) {
    all.push_back(state.substr(0, size));
  }
  all.push_back(state + "}");
  all.push_back(state + '\0');
  all.push_back("\xEF\xBB\xBF" + state);
  std::string random(kMebi, '\0');
  std::mt19937 engine(5);
  for (char& c : random) c = static_cast<char>(engine());
  all.push_back(random);
  all.push_back(std::string(kMebi, '\0'));
  all.push_back(std::string(kMebi, '['));
  all.push_back(std::string(kMebi, '\xFF'));
  all.push_back(state + std::string(kMebi, 'x'));
  return all;
}

// JSON with one value changed, each in turn.
std::vector<std::string> altered_states(const std::string& state) {
  std::vector<jf::Json> values;
  collect(jf::Json(state), values);
  std::vector<std::string> all;
  for (const jf::Json& value : values) {
    const std::string before =
        state.substr(0, static_cast<std::size_t>(value.raw().data() - state.data()));
    const std::string after = state.substr(before.size() + value.raw().size());
    for (const char* other :
         {"null", "true", "0", "-1", "1.5", "1e400", "9007199254740993", "99999999999999999999999",
          "\"\"", "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[]]", "{\"x\":{}}"}) {
      all.push_back(before + other + after);
    }
    // A thousand levels of nothing, and the same once more.
    all.push_back(before + std::string(1000, '[') + std::string(1000, ']') + after);
    const bool is_element = !before.empty() && (before.back() == '[' || before.back() == ',');
    const std::string same(value.raw());
    if (is_element) all.push_back(before + same + "," + same + after);
  }
  for (const jf::Json& value : values) {
    for (const jf::Member& member : value.members()) {
      // Without the member; the comma beside it goes too.
      std::size_t from =
          static_cast<std::size_t>(member.quoted_key.raw().data() - state.data());
      std::size_t to = static_cast<std::size_t>(member.value.raw().data() - state.data()) +
                       member.value.raw().size();
      if (state[to] == ',') {
        ++to;
      } else if (state[from - 1] == ',') {
        --from;
      }
      all.push_back(state.substr(0, from) + state.substr(to));
    }
  }
  return all;
}

void expect_refused(FakeHost& host, std::uint32_t version, const std::string& state,
                    std::string_view reason, Where where) {
  const std::int32_t result = host.replace_with_state(version, state);
  check(result == JF_E_STATE, "the result is " + std::to_string(result), where);
  const std::string& line = host.log().back();
  check(line.find(reason) != std::string::npos, line, where);
}

}  // namespace

std::string expect_damaged_refused(FakeHost& host, Where where) {
  std::string state;
  std::uint32_t version = 0;
  const std::int32_t result = host.save(&state, &version);
  check(result == JF_OK, "save gives " + std::to_string(result), where);
  check(version == 1, "the state is of version " + std::to_string(version), where);
  for (const std::string& damaged : not_json_states(state)) {
    expect_refused(host, 1, damaged,
                   "the state of version 1 from 1.0.0 is refused: it is not JSON", where);
  }
  expect_refused(host, 2, state, "this version takes 1", where);
  return state;
}

void replace_with_altered(FakeHost& host, const std::string& state,
                          const std::function<void()>& check_after, Where where) {
  std::size_t refused = 0;
  for (const std::string& altered : altered_states(state)) {
    const std::int32_t result = host.replace_with_state(1, altered);
    check(result == JF_OK || result == JF_E_STATE, "the result is " + std::to_string(result),
          where);
    if (result == JF_E_STATE) ++refused;
    check_after();
  }
  check(refused > 100, std::to_string(refused) + " were refused", where);
}

}  // namespace jackfield::test
