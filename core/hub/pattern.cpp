#include "core/hub/pattern.hpp"

#include <algorithm>

namespace jackfield::hub {
namespace {

bool is_identifier(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || !is_letter(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || is_digit(c); });
}

// Takes the segment at the front of `rest`, and its separator; false after the last.
bool take_segment(std::string_view& rest, bool& is_last, std::string_view& segment) {
  if (is_last) return false;
  const std::size_t end = rest.find(kSeparator);
  is_last = end == std::string_view::npos;
  segment = rest.substr(0, end);
  if (!is_last) rest.remove_prefix(end + 1);
  return true;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

base::Result<Pattern> Pattern::parse(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return base::Result<Pattern>::failure("malformed pattern " + quoted(text) + ": " + why);
  };
  if (text.find('\0') != std::string_view::npos) return refuse("holds a NUL");
  Pattern pattern;
  pattern.text_ = std::string(text);
  std::size_t params = 0;
  std::string_view rest = text;
  std::string_view part;
  bool is_last = false;
  while (take_segment(rest, is_last, part)) {
    if (part.empty()) return refuse("an empty segment");
    Segment segment;
    segment.is_param = part.size() >= 2 && part.front() == '<' && part.back() == '>';
    if (segment.is_param) {
      part = part.substr(1, part.size() - 2);
      if (!is_identifier(part)) return refuse(quoted(part) + " is no identifier");
      const bool is_twice =
          std::any_of(pattern.segments_.begin(), pattern.segments_.end(),
                      [&](const Segment& other) { return other.is_param && other.text == part; });
      if (is_twice) return refuse("the name " + quoted(part) + " is used twice");
      if (++params > Params::kMax) return refuse("more than 16 parameters");
    } else if (part.find_first_of("<>") != std::string_view::npos) {
      return refuse(quoted(part) + " is neither a literal nor <name>");
    }
    segment.text = std::string(part);
    pattern.segments_.push_back(std::move(segment));
  }
  return pattern;
}

bool Pattern::match(std::string_view topic, Params& params) const {
  params.count = 0;
  std::size_t begin = 0;  // of the next segment; one past the separator that the end stands for
  for (const Segment& segment : segments_) {
    if (begin > topic.size()) return false;
    std::string_view part = topic.substr(begin);
    if (segment.is_param) {
      part = first_segment(part);
      params.items[params.count++] = {segment.text, part};
      begin += part.size() + 1;
      continue;
    }
    if (!part.starts_with(segment.text)) return false;
    begin += segment.text.size();
    if (begin < topic.size() && topic[begin] != kSeparator) return false;
    ++begin;
  }
  return begin > topic.size();
}

}  // namespace jackfield::hub
