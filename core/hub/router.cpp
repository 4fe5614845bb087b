#include "core/hub/router.hpp"

#include <algorithm>

namespace jackfield::hub {

void Router::set(const std::vector<Channel*>& channels) {
  routes_.clear();
  for (Channel* channel : channels) routes_.push_back({&channel->pattern(), channel, false});
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
  for (const Route& route : routes_) {
    if (!route.pattern->match(topic, params)) continue;
    if (route.is_held) return {route.channel, true};
    const Request request{
        .connection = connection, .topic = topic, .params = params, .event = {}, .payload = {}};
    if (route.channel->match(request)) return {route.channel, false};
  }
  return {};
}

}  // namespace jackfield::hub
