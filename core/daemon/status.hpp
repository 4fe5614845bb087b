// What a running server says of itself: its connections, the plugins that serve, the files that are
// refused and why, the images that stayed mapped. Loop thread.
#pragma once

#include <string>

#include "core/config/config.hpp"
#include "core/hub/hub.hpp"
#include "core/net/server.hpp"
#include "core/plugin/plugin_set.hpp"

namespace jackfield::daemon {

struct Status {
  std::string text;  // for people, a line each
  std::string json;  // the same as an object
};

Status make_status(const config::Config& config, const hub::Hub& hub, const net::Server& server,
                   const plugin::PluginSet& plugins);

}  // namespace jackfield::daemon
