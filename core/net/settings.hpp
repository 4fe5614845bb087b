// What the network layer is told, as plain values. Filled by core/config and the command line.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::net {

// Where to listen: an IP address and port, or the path of a Unix socket.
struct Endpoint {
  enum class Kind { kTcp4, kTcp6, kUnix };
  Kind kind = Kind::kTcp4;
  std::string host;        // numeric address without brackets; empty for kUnix
  std::uint16_t port = 0;  // 0: any free one
  std::string path;        // kUnix only
};

// "127.0.0.1:3001", "[::1]:3001", "unix:/run/jackfield.sock".
std::string to_text(const Endpoint& endpoint);

struct Settings {
  std::vector<Endpoint> listen{{Endpoint::Kind::kTcp4, "127.0.0.1", 3001, {}}};
  std::string path;                                // the one path that is upgraded; empty: any
  std::chrono::milliseconds ping_interval{30000};  // 0: no pings
  std::chrono::milliseconds ping_timeout{10000};   // without a pong: the connection is lost
  std::chrono::milliseconds handshake_timeout{10000};
  std::chrono::milliseconds close_timeout{5000};     // for the peer's Close after ours
  std::chrono::milliseconds shutdown_timeout{5000};  // for all of them together
  std::vector<std::string> forward_headers;          // names in lower case, for the plugins
  // What each connection reads into, 128 to 65,536 octets; 0: by hub::Limits::max_connections.
  std::size_t read_buffer_bytes = 0;
};

}  // namespace jackfield::net
