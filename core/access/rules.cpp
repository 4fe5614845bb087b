#include "core/access/rules.hpp"

#include <algorithm>
#include <optional>

#include "core/access/identity.hpp"
#include "core/hub/pattern.hpp"

namespace jackfield::access {
namespace {

using hub::Action;

constexpr std::string_view kAnyone = "anyone";
constexpr std::string_view kKnown = "known";
constexpr std::string_view kGroupPrefix = "group:";
constexpr std::string_view kIdentity = "<identity>";
constexpr std::string_view kRest = "*";

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
    for (const std::string& text : rule.topics) compiled.topics.push_back(compile_topic(text));
    rules_.push_back(std::move(compiled));
  }
}

Rules::Topic Rules::compile_topic(std::string_view text) {
  Topic topic;
  while (true) {
    const std::string_view part = hub::first_segment(text);
    const bool is_last = part.size() == text.size();
    Segment segment;
    if (part == kIdentity) {
      segment.kind = Segment::Kind::kIdentity;
    } else if (part.starts_with('<') && part.ends_with('>')) {
      segment.kind = Segment::Kind::kAny;
    } else if (is_last && part == kRest) {
      segment.kind = Segment::Kind::kRest;
    } else {
      segment.text = std::string(part);
    }
    topic.push_back(std::move(segment));
    if (is_last) return topic;
    text.remove_prefix(part.size() + 1);
  }
}

Rules::Who Rules::compile_who(std::string_view text) {
  if (text == kAnyone) return {Who::Kind::kAnyone, {}};
  if (text == kKnown) return {Who::Kind::kKnown, {}};
  if (text.starts_with(kGroupPrefix)) {
    return {Who::Kind::kGroup, std::string(text.substr(kGroupPrefix.size()))};
  }
  if (text.ends_with(":*")) return {Who::Kind::kKind, std::string(text.substr(0, text.size() - 1))};
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

bool Rules::matches(const Topic& pattern, std::string_view topic, std::string_view name) {
  std::size_t begin = 0;  // of the next segment; one past the separator that the end stands for
  for (const Segment& segment : pattern) {
    if (begin > topic.size()) return false;
    const std::string_view part = hub::first_segment(topic.substr(begin));
    switch (segment.kind) {
      case Segment::Kind::kRest: return true;
      case Segment::Kind::kAny: break;
      case Segment::Kind::kIdentity:
        if (name.empty() || part != name) return false;
        break;
      case Segment::Kind::kLiteral:
        if (part != segment.text) return false;
        break;
    }
    begin += part.size() + 1;
  }
  return begin > topic.size();
}

bool Rules::may(const hub::ConnectionFacts& facts, Action action, std::string_view topic) const {
  if (rules_.empty()) return action != Action::kPublish;
  const std::string_view name = name_of(facts.identity());
  const auto allows = [&](const Compiled& rule) {
    if ((rule.actions & bit_of(action)) == 0) return false;
    const bool is_topic = std::any_of(rule.topics.begin(), rule.topics.end(),
                                      [&](const Topic& its) { return matches(its, topic, name); });
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
  if (text.empty() || text.size() > 1024 || text.find('\0') != std::string_view::npos) {
    return base::Status::failure(kForm);
  }
  std::string_view rest = text;
  while (true) {
    const std::string_view part = hub::first_segment(rest);
    const bool is_last = part.size() == rest.size();
    const bool is_rest = is_last && part == kRest;
    // A segment is one of a channel's patterns, which parse alone.
    if (!is_rest &&
        (part.find('*') != std::string_view::npos || !hub::Pattern::parse(part).is_ok())) {
      return base::Status::failure(kForm);
    }
    if (is_last) return base::Status::ok();
    rest.remove_prefix(part.size() + 1);
  }
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
