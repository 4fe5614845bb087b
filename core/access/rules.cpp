#include "core/access/rules.hpp"

#include <algorithm>
#include <optional>

#include "core/access/identity.hpp"
#include "core/hub/topic_pattern.hpp"

namespace jackfield::access {
namespace {

using hub::Action;

constexpr std::string_view kAnyone = "anyone";
constexpr std::string_view kKnown = "known";
constexpr std::string_view kGroupPrefix = "group:";
constexpr std::string_view kIdentity = "identity";  // the name of a pattern's parameter
constexpr std::size_t kMaxTopic = 1024;             // octets

std::uint8_t bit_of(Action action) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(action));
}

std::optional<Action> action_of(std::string_view text) {
  if (text == "subscribe") return Action::kSubscribe;
  if (text == "send") return Action::kSend;
  if (text == "publish") return Action::kPublish;
  return std::nullopt;
}

bool is_identity_kind(std::string_view kind) {
  return kind == "token" || kind == "jwt" || kind == "cert" || kind == "unix";
}

// Whether the comma-separated list holds the item.
bool holds(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == item) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

Rules::Rules(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) {
    Compiled compiled;
    for (const std::string& text : rule.may) {
      if (const auto action = action_of(text)) compiled.actions |= bit_of(*action);
    }
    for (const std::string& text : rule.who) compiled.who.push_back(compile_who(text));
    for (const std::string& text : rule.topics) {
      compiled.topics.push_back(std::move(hub::TopicPattern::parse(text).value()));
    }
    rules_.push_back(std::move(compiled));
  }
}

Rules::Who Rules::compile_who(std::string_view text) {
  if (text == kAnyone) return {Who::Kind::kAnyone, {}};
  if (text == kKnown) return {Who::Kind::kKnown, {}};
  if (text.starts_with(kGroupPrefix)) {
    return {Who::Kind::kGroup, std::string(text.substr(kGroupPrefix.size()))};
  }
  if (text.substr(text.find(':')) == ":*") {  // and not of a name that ends so
    return {Who::Kind::kKind, std::string(text.substr(0, text.size() - 1))};
  }
  return {Who::Kind::kIdentity, std::string(text)};
}

bool Rules::is_one(const Who& who, const hub::ConnectionFacts& facts) {
  switch (who.kind) {
    case Who::Kind::kAnyone: return true;
    case Who::Kind::kKnown: return !facts.identity().empty();
    case Who::Kind::kIdentity: return facts.identity() == who.text;
    case Who::Kind::kKind: return facts.identity().starts_with(who.text);
    case Who::Kind::kGroup: return holds(facts.groups(), who.text);
  }
  return false;
}

bool Rules::matches(const hub::TopicPattern& pattern, std::string_view topic, std::string_view name,
                    hub::Params& params) {
  if (!pattern.match(topic, params)) return false;
  const auto is_right = [&](const hub::Param& param) {
    return param.name != kIdentity || (!name.empty() && param.value == name);
  };
  return std::all_of(params.items.begin(), params.items.begin() + params.count, is_right);
}

bool Rules::may(const hub::ConnectionFacts& facts, Action action, std::string_view topic) const {
  if (rules_.empty()) return action != Action::kPublish;
  const std::string_view name = name_of(facts.identity());
  hub::Params params;  // once: it takes time to make sixteen empty ones
  const auto allows = [&](const Compiled& rule) {
    if ((rule.actions & bit_of(action)) == 0) return false;
    const bool is_topic = std::any_of(
        rule.topics.begin(), rule.topics.end(),
        [&](const hub::TopicPattern& its) { return matches(its, topic, name, params); });
    return is_topic && std::any_of(rule.who.begin(), rule.who.end(),
                                   [&](const Who& who) { return is_one(who, facts); });
  };
  return std::any_of(rules_.begin(), rules_.end(), allows);
}

// ---- the texts of rules

base::Status check_rule_topic(std::string_view text) {
  constexpr const char* kForm =
      "a topic such as \"room:lab\", with <name> for any segment, <identity> for the one that is "
      "the client's own name, or * as the last for all the rest";
  const bool is_one = text.size() <= kMaxTopic && hub::TopicPattern::parse(text).is_ok();
  return is_one ? base::Status::ok() : base::Status::failure(kForm);
}

base::Status check_rule_who(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view name =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const bool ok = text == kAnyone || text == kKnown || (kind == "group" && is_group(name)) ||
                  (is_identity_kind(kind) && is_name(name));
  if (ok) return base::Status::ok();
  return base::Status::failure(
      R"("anyone", "known", "group:NAME", or an identity such as "jwt:alice" or "token:*")");
}

base::Status check_rule_action(std::string_view text) {
  if (action_of(text)) return base::Status::ok();
  return base::Status::failure(R"("subscribe", "send" or "publish")");
}

}  // namespace jackfield::access
