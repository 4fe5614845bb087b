#include "core/net/settings.hpp"

namespace jackfield::net {

std::string to_text(const Endpoint& endpoint) {
  switch (endpoint.kind) {
    case Endpoint::Kind::kTcp4: return endpoint.host + ":" + std::to_string(endpoint.port);
    case Endpoint::Kind::kTcp6: return "[" + endpoint.host + "]:" + std::to_string(endpoint.port);
    case Endpoint::Kind::kUnix: return "unix:" + endpoint.path;
  }
  return {};
}

}  // namespace jackfield::net
