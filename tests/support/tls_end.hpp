// The client's end of TLS on a socket, for Stream: OpenSSL without any opinion of its own, so that a
// test can show any certificate, take any, and speak old versions. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/deadline.hpp"

namespace jackfield::test {

struct TlsOptions {
  std::string authority{};    // PEM; empty: whatever the server shows is taken
  std::string host{};         // that the server's certificate must name, where `authority` is given
  std::string certificate{};  // PEM, with its chain; empty: none is shown
  std::string key{};          // PEM
  int version = 0;          // TLS1_2_VERSION and the like, the only one; 0: any
  std::string ciphers{};      // of TLS 1.2 and before; empty: OpenSSL's
  std::string protocols{};    // ALPN, separated by commas; empty: none is offered
};

// What the server is found to be.
struct TlsFacts {
  std::string version;  // "TLSv1.3"
  std::string cipher;
  std::string group;
  std::string protocol;  // ALPN
  std::string serial;    // of its certificate, hexadecimal
  bool is_resumable = false;
};

class TlsEnd {
 public:
  // The handshake on a non-blocking socket; null where it fails, and `reason` says why.
  static std::unique_ptr<TlsEnd> connect(int socket, const TlsOptions& options,
                                         const Deadline& deadline, std::string& reason);
  ~TlsEnd();
  TlsEnd(const TlsEnd&) = delete;
  TlsEnd& operator=(const TlsEnd&) = delete;

  // How much was sent, 0 where nothing can be now; nothing where the peer is gone. What was begun
  // with some octets goes on with the same.
  std::optional<std::size_t> send(std::string_view bytes);
  // Sends it as one record, which takes the socket in pieces: so many octets each, and then the rest.
  // Calls `between` after each piece but the last. Needs room for all of it in the socket.
  void send_in_pieces(std::string_view bytes, const std::vector<std::size_t>& pieces,
                      const std::function<void()>& between);
  // Appends what is there. How much that was, 0 where nothing is there; nothing at the end.
  std::optional<std::size_t> receive(std::string& bytes);
  // Says that nothing more is sent (close_notify).
  void finish();

  // Whether the peer has said that nothing more comes, before its end.
  bool has_peer_finished() const;
  TlsFacts facts() const;

 private:
  struct Parts;

  explicit TlsEnd(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace jackfield::test
