#include "core/net/settings.hpp"

#include <algorithm>

namespace jackfield::net {

std::string to_text(const Endpoint& endpoint) {
  const std::string prefix = endpoint.is_tls ? "tls:" : "";
  const std::string port = std::to_string(endpoint.port);
  switch (endpoint.kind) {
    case Endpoint::Kind::kTcp4: return prefix + endpoint.host + ":" + port;
    case Endpoint::Kind::kTcp6: return prefix + "[" + endpoint.host + "]:" + port;
    case Endpoint::Kind::kUnix: return "unix:" + endpoint.path;
  }
  return {};
}

bool has_tls(const std::vector<Endpoint>& listen) {
  return std::any_of(listen.begin(), listen.end(),
                     [](const Endpoint& endpoint) { return endpoint.is_tls; });
}

}  // namespace jackfield::net
