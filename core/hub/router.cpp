#include "core/hub/router.hpp"

#include <algorithm>

namespace jackfield::hub {

base::Status Router::add(std::string_view text, Channel& channel) {
  auto pattern = Pattern::parse(text);
  if (!pattern.is_ok()) return base::Status::failure(pattern.message());
  routes_.push_back(std::make_unique<Route>(Route{std::move(pattern.value()), channel}));
  return base::Status::ok();
}

void Router::hide(const Channel& channel) {
  for (auto& route : routes_) {
    if (&route->channel == &channel) hidden_.push_back(std::move(route));
  }
  std::erase(routes_, nullptr);
}

void Router::remove(const Channel& channel) {
  const auto is_of_channel = [&](const auto& route) { return &route->channel == &channel; };
  std::erase_if(routes_, is_of_channel);
  std::erase_if(hidden_, is_of_channel);
}

const Route* Router::find(std::string_view topic, base::Id connection, Params& params) const {
  for (const auto& route : routes_) {
    if (!route->pattern.match(topic, params)) continue;
    const Request request{
        .connection = connection, .topic = topic, .params = params, .event = {}, .payload = {}};
    if (route->channel.match(request)) return route.get();
  }
  return nullptr;
}

}  // namespace jackfield::hub
