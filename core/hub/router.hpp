// Which channel serves a topic: the first whose pattern matches and whose channel takes it, in the
// order that the router was given. Patterns are found by their first segment, so that what a topic
// costs does not grow with the number of plugins. Loop thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"
#include "core/hub/channel.hpp"
#include "core/hub/pattern.hpp"

namespace jackfield::hub {

class Router {
 public:
  struct Found {
    Channel* channel = nullptr;  // null: none serves it
    bool is_held = false;        // it may be this one; it could not be asked
  };

  // From now on these and no others; each outlives its time here. Those that were held are not.
  void set(const std::vector<Channel*>& channels);

  // While a channel is held it is not called: its pattern alone decides.
  void hold(const std::vector<Channel*>& channels);
  void release();

  // `params` is filled; it lives as long as the channel and the topic.
  Found find(std::string_view topic, base::Id connection, Params& params) const;

 private:
  struct Route {
    const Pattern* pattern;
    Channel* channel;
    bool is_held;
  };

  using Places = std::vector<std::uint32_t>;  // in routes_, ascending

  const Places& candidates(std::string_view topic) const;

  std::vector<Route> routes_;
  // Those that a topic can match, by its first segment. The key is a view into a pattern.
  std::unordered_map<std::string_view, Places> by_literal_;
  Places with_param_;  // what begins with a parameter: for the first segments that nobody names
};

}  // namespace jackfield::hub
