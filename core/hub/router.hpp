// Which channel serves a topic: the first whose pattern matches and whose channel takes it, in the
// order of registration. Loop thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/hub/channel.hpp"
#include "core/hub/pattern.hpp"

namespace jackfield::hub {

// A pattern and the channel behind it. Stays at its address until it is removed.
struct Route {
  Pattern pattern;
  Channel& channel;
};

class Router {
 public:
  // The channel must outlive its route. Fails on a malformed pattern.
  base::Status add(std::string_view pattern, Channel& channel);

  // Its routes stay where they are, but find() passes them over.
  void hide(const Channel& channel);

  // REQUIRES: nothing holds a Route of this channel any more.
  void remove(const Channel& channel);

  // The route of a topic, or null. `params` is filled; it lives as long as the route and the topic.
  const Route* find(std::string_view topic, base::Id connection, Params& params) const;

 private:
  std::vector<std::unique_ptr<Route>> routes_;
  std::vector<std::unique_ptr<Route>> hidden_;
};

}  // namespace jackfield::hub
