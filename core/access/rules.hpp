// Who may do what with which topics, as the configuration's [[access]] rules have it. A rule only
// allows; what no rule allows is refused. Without any rule everyone may subscribe and send, and
// nobody publish. Loop thread; asked for each message, and so compiled, and without an allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/access/settings.hpp"
#include "core/hub/access_policy.hpp"
#include "core/hub/topic_pattern.hpp"

namespace jackfield::access {

class Rules : public hub::AccessPolicy {
 public:
  Rules() = default;
  // REQUIRES: check_rule_topic and its like take the rules' texts.
  explicit Rules(const std::vector<Rule>& rules);

  bool are_none() const { return rules_.empty(); }

  bool may(const hub::ConnectionFacts& facts, hub::Action action,
           std::string_view topic) const override;

 private:
  struct Who {
    enum class Kind : std::uint8_t {
      kAnyone,
      kKnown,     // with an identity
      kIdentity,  // with this one
      kKind,      // with one that begins so, "jwt:"
      kGroup,     // in this group
    };
    Kind kind = Kind::kAnyone;
    std::string text;
  };

  struct Compiled {
    std::uint8_t actions = 0;  // a bit for each hub::Action
    std::vector<Who> who;
    std::vector<hub::TopicPattern> topics;
  };

  static Who compile_who(std::string_view text);
  static bool is_one(const Who& who, const hub::ConnectionFacts& facts);
  // `name`: of the identity; `<identity>` takes only that. `params`: to work with.
  static bool matches(const hub::TopicPattern& pattern, std::string_view topic,
                      std::string_view name, hub::Params& params);

  std::vector<Compiled> rules_;
};

}  // namespace jackfield::access
