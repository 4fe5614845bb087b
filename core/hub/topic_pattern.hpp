// A pattern of topics as the configuration writes them: as channels have them, or with a last
// segment `*`, which takes one segment or more. A value; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/result.hpp"
#include "core/hub/pattern.hpp"

namespace jackfield::hub {

class TopicPattern {
 public:
  // Refuses what Pattern::parse does, and `*` where it is not the last segment.
  static base::Result<TopicPattern> parse(std::string_view text);

  bool match(std::string_view topic) const;
  // As Pattern::match does it: `params` is filled where it matches, and lives as long as this
  // pattern and the topic.
  bool match(std::string_view topic, Params& params) const;

 private:
  std::optional<Pattern> pattern_;  // none: the text is `*` alone
  std::size_t segments_ = 0;        // of the pattern
  bool takes_rest_ = false;
};

}  // namespace jackfield::hub
