#include "core/hub/topic_pattern.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace jackfield::hub {

base::Result<TopicPattern> TopicPattern::parse(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return base::Result<TopicPattern>::failure("malformed pattern \"" + std::string(text) +
                                               "\": " + why);
  };
  TopicPattern made;
  std::string_view begin = text;
  if (text == "*") {
    made.takes_rest_ = true;
    return made;
  }
  if (text.ends_with(":*")) {
    made.takes_rest_ = true;
    begin.remove_suffix(2);
  }
  if (begin.find('*') != std::string_view::npos) return refuse("* stands only as a last segment");
  base::Result<Pattern> pattern = Pattern::parse(begin);
  if (!pattern.is_ok()) return base::Result<TopicPattern>::failure(pattern.message());
  made.pattern_ = std::move(pattern.value());
  made.segments_ = 1 + static_cast<std::size_t>(std::count(begin.begin(), begin.end(), kSeparator));
  return made;
}

bool TopicPattern::match(std::string_view topic) const {
  Params params;
  return match(topic, params);
}

bool TopicPattern::match(std::string_view topic, Params& params) const {
  params.count = 0;  // of whichever pattern was asked before
  if (!pattern_) return true;
  if (!takes_rest_) return pattern_->match(topic, params);
  std::size_t end = 0;  // of the segments that the pattern has
  for (std::size_t i = 0; i < segments_; ++i) {
    end = topic.find(kSeparator, i == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) return false;
  }
  return pattern_->match(topic.substr(0, end), params);
}

}  // namespace jackfield::hub
