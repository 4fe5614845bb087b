// Which channel serves a topic: the first whose pattern matches and whose channel takes it, in the
// order that the router was given. Loop thread.
#pragma once

#include <string_view>
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

  std::vector<Route> routes_;
};

}  // namespace jackfield::hub
