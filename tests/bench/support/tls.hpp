// TLS for the one work that measures what it costs: a certificate for the server, and clients that
// open a WebSocket over it, subscribe, and are silent then. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace jackfield::bench {

// Writes cert.pem and key.pem (P-256, for 127.0.0.1, signed by itself) into the folder. Throws
// Failure.
void write_tls_files(const std::filesystem::path& folder);

class TlsClients {
 public:
  TlsClients();
  ~TlsClients();
  TlsClients(const TlsClients&) = delete;
  TlsClients& operator=(const TlsClients&) = delete;

  // One more, connected to 127.0.0.1 by TLS 1.3, upgraded and subscribed; `subscribe` is the payload
  // of its one frame, and something must come back for it. Throws Failure.
  void open(std::uint16_t port, const std::string& subscribe);

 private:
  struct Client;
  struct Context;

  std::unique_ptr<Context> context_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace jackfield::bench
