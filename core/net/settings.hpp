// What the network layer is told, as plain values. Filled by core/config and the command line.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
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
  bool is_tls = false;     // not for kUnix
};

// "127.0.0.1:3001", "[::1]:3001", "tls:127.0.0.1:3443", "unix:/run/jackfield.sock".
std::string to_text(const Endpoint& endpoint);

// What the listeners with TLS show, and what they ask of their clients. All files are PEM.
struct TlsSettings {
  enum class Version : std::uint8_t { k1_2, k1_3 };
  enum class ClientCertificate : std::uint8_t { kNone, kOptional, kRequired };

  std::filesystem::path certificate;  // the server's own first, then those on the way to the root
  std::filesystem::path key;          // without a pass phrase
  Version minimum_version = Version::k1_2;
  std::filesystem::path client_ca;  // the authorities whose clients are let in
  ClientCertificate client_certificate = ClientCertificate::kNone;
  std::size_t hsts_max_age_s = 31536000;  // RFC 6797 section 6.1.1; 0: not said

  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

struct Settings {
  std::vector<Endpoint> listen{{Endpoint::Kind::kTcp4, "127.0.0.1", 3001, {}}};
  unsigned unix_mode = 0600;  // of Unix sockets: who may write to one may connect
  std::string path;           // the one path that is upgraded; empty: any
  std::chrono::milliseconds ping_interval{30000};  // 0: no pings
  std::chrono::milliseconds ping_timeout{10000};   // without a pong: the connection is lost
  std::chrono::milliseconds handshake_timeout{10000};
  std::chrono::milliseconds first_message_timeout{0};  // 0: none
  std::chrono::milliseconds close_timeout{5000};       // for the peer's Close after ours
  std::chrono::milliseconds shutdown_timeout{5000};    // for all of them together
  std::vector<std::string> forward_headers;            // names in lower case, for the plugins
  std::size_t max_connections_per_address = 50;        // 0: any number
  std::size_t max_header_bytes = 4096;                 // of a request, about
  // What each connection reads into, 128 to 65,536 octets; 0: by hub::Limits::max_connections.
  std::size_t read_buffer_bytes = 0;
  TlsSettings tls;
};

// Whether one of the listeners has TLS.
bool has_tls(const std::vector<Endpoint>& listen);

}  // namespace jackfield::net
