#include <jackfield_json.hpp>

#include <random>

#include "tests/support/fake_host_damaged.hpp"

namespace jackfield::test {
namespace {

constexpr std::size_t kMebi = std::size_t{1} << 20;

// Each value within `json`, itself first.
void collect(const jf::Json& json, std::vector<jf::Json>& all) {
  all.push_back(json);
  for (const jf::Json& element : json.elements()) collect(element, all);
  for (const jf::Member& member : json.members()) collect(member.value, all);
}

}  // namespace

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

}  // namespace jackfield::test
