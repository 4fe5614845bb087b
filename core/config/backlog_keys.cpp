#include "core/config/backlog_keys.hpp"

#include <algorithm>
#include <utility>

#include "core/config/toml_text.hpp"
#include "core/hub/settings.hpp"

namespace jackfield::config {
namespace {

constexpr std::string_view kRowsForm = "tables, [[backlog]]";
constexpr std::string_view kTopicsForm =
    "a list of topics such as \"system:<metric>\", \"telemetry:*\"";
constexpr std::string_view kPolicyForm = R"("close", "drop_oldest", "drop_new" or "latest")";
constexpr std::size_t kMaxRules = 1000;

void read_topics(Field& field, std::vector<std::string>& topics) {
  field.texts(topics, kTopicsForm, [](const std::string& text) {
    const auto pattern = hub::TopicPattern::parse(text);
    return pattern.is_ok() ? base::Result<std::string>(text)
                           : base::Result<std::string>::failure(pattern.message());
  });
  const bool is_empty = field.value().kind == Value::Kind::kList && field.value().items.empty();
  if (is_empty) field.refuse(kTopicsForm);
}

void read_policy(Field& field, hub::SlowPolicy& policy) {
  const std::string* const text = field.text(kPolicyForm);
  if (text == nullptr) return;
  const auto& names = hub::kSlowPolicyNames;
  const auto found = std::find(names.begin(), names.end(), *text);
  if (found == names.end()) return field.refuse(kPolicyForm);
  policy = static_cast<hub::SlowPolicy>(found - names.begin());
}

void read_row(Field& row, hub::BacklogRule& rule) {
  if (row.value().kind != Value::Kind::kTable) return row.refuse(kRowsForm);
  bool has_policy = false;
  bool has_topics = false;
  for (const Member& member : row.value().members) {
    Field field = row.part("." + member.key, member.value);
    if (member.key == "topics") {
      has_topics = true;
      read_topics(field, rule.topics);
    } else if (member.key == "policy") {
      has_policy = true;
      read_policy(field, rule.policy);
    } else {
      field.note("unknown; there are topics and policy");
    }
  }
  if (!has_topics) row.note("must have topics");
  if (!has_policy) row.note("must have policy");
}

}  // namespace

void read_backlog(Field& field, const Target& target) {
  if (field.value().kind != Value::Kind::kList) return field.refuse(kRowsForm);
  if (field.value().items.size() > kMaxRules) {
    return field.note("has more than " + std::to_string(kMaxRules) + " entries");
  }
  std::vector<hub::BacklogRule> rules;
  for (std::size_t i = 0; i < field.value().items.size(); ++i) {
    Field row = field.part("[" + std::to_string(i) + "]", field.value().items[i]);
    read_row(row, rules.emplace_back());
  }
  target.config.backlog = std::move(rules);
}

std::string to_toml(const std::vector<hub::BacklogRule>& rules) {
  std::string text = "[";
  for (const hub::BacklogRule& rule : rules) {
    text += text.size() > 1 ? ", " : "";
    text += "{topics = " + to_toml(rule.topics) + ", policy = " +
            to_toml(std::string(hub::kSlowPolicyNames[static_cast<std::size_t>(rule.policy)])) +
            "}";
  }
  return text + "]";
}

}  // namespace jackfield::config
