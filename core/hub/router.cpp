#include "core/hub/router.hpp"

#include <algorithm>

namespace jackfield::hub {

void Router::set(const std::vector<Channel*>& channels) {
  routes_.clear();
  by_literal_.clear();
  with_param_.clear();
  for (Channel* channel : channels) {
    routes_.push_back({&channel->pattern(), channel, false});
    by_literal_.try_emplace(channel->pattern().first_literal());
  }
  by_literal_.erase(std::string_view());  // of those that begin with a parameter
  for (std::uint32_t place = 0; place < routes_.size(); ++place) {
    const std::string_view literal = routes_[place].pattern->first_literal();
    if (!literal.empty()) {
      by_literal_[literal].push_back(place);
      continue;
    }
    with_param_.push_back(place);
    for (auto& [other, places] : by_literal_) places.push_back(place);
  }
}

const Router::Places& Router::candidates(std::string_view topic) const {
  const auto found = by_literal_.find(first_segment(topic));
  return found == by_literal_.end() ? with_param_ : found->second;
}

void Router::hold(const std::vector<Channel*>& channels) {
  for (Route& route : routes_) {
    if (std::find(channels.begin(), channels.end(), route.channel) != channels.end()) {
      route.is_held = true;
    }
  }
}

void Router::release() {
  for (Route& route : routes_) route.is_held = false;
}

Router::Found Router::find(std::string_view topic, base::Id connection, Params& params) const {
  for (const std::uint32_t place : candidates(topic)) {
    const Route& route = routes_[place];
    if (!route.pattern->match(topic, params)) continue;
    if (route.is_held) return {route.channel, true};
    const Request request{
        .connection = connection, .topic = topic, .params = params, .event = {}, .payload = {}};
    if (route.channel->match(request)) return {route.channel, false};
  }
  return {};
}

}  // namespace jackfield::hub
