// Patterns and topics. A topic is split at ':'; so is a pattern, and each of its segments is
// literal or, written `<name>`, a parameter that takes any segment, the empty one included. Both
// must have the same number of segments.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace jackfield::hub {

inline constexpr char kSeparator = ':';

inline std::string_view first_segment(std::string_view topic) {
  return topic.substr(0, topic.find(kSeparator));
}

// What a topic gave to one `<name>`. Views into the pattern and the topic.
struct Param {
  std::string_view name;
  std::string_view value;
};

// In the order of the pattern.
struct Params {
  static constexpr std::size_t kMax = 16;
  std::array<Param, kMax> items;
  std::size_t count = 0;
};

class Pattern {
 public:
  // Refuses an empty literal, a name that is no C identifier, a name used twice, a stray angle
  // bracket, a NUL, and more than Params::kMax parameters.
  static base::Result<Pattern> parse(std::string_view text);

  const std::string& text() const { return text_; }

  // The first segment where it is literal, else "". Lives as long as this pattern.
  std::string_view first_literal() const {
    return segments_.front().is_param ? std::string_view() : segments_.front().text;
  }

  // Whether the topic matches; `params` is filled where it does, and lives as long as this pattern
  // and the topic.
  bool match(std::string_view topic, Params& params) const;

 private:
  struct Segment {
    std::string text;  // a literal, or a parameter's name
    bool is_param = false;
  };

  std::string text_;
  std::vector<Segment> segments_;
};

}  // namespace jackfield::hub
