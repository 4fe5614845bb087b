// TLS of the server's connections: what their handshakes are begun with, what went wrong with them,
// and what OpenSSL holds of them that no socket tells of. libwebsockets has one SSL_CTX for a
// vhost, for good; here that one is a shell, and each handshake takes what is in force when it
// begins. So a renewed certificate is taken whole, and nobody who is connected notices. Loop
// thread.
#pragma once

#include <libwebsockets.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.hpp"
#include "core/net/counts.hpp"
#include "core/net/tls_credentials.hpp"

namespace jackfield::net {

// What a client's certificate says of it. It was signed by one of the authorities of the
// configuration, and was valid at the handshake. What it says is as the authority let it be: a
// text may hold any characters but NUL.
struct PeerCertificate {
  std::string common_name;  // the most specific one of the subject; empty: none
  std::string subject;      // RFC 4514: "CN=lamp-7,O=Example"
  std::string issuer;       // likewise
  std::string serial;       // hexadecimal
  // Of its subjectAltName.
  std::vector<std::string> dns_names;
  std::vector<std::string> emails;
  std::vector<std::string> uris;
  std::string fingerprint;  // SHA-256 of the certificate (DER), hexadecimal
};

// The client's certificate; nothing without TLS, and for a client that has shown none. From the end
// of the TLS handshake on, so from the upgrade request.
std::optional<PeerCertificate> peer_certificate(lws* wsi);

// Whether the peer has ended its side of TLS (close_notify, RFC 8446 section 6.1). REQUIRES: TLS.
bool has_peer_ended_tls(lws* wsi);

// Ends our side of it: says so to the peer, and nothing can be written any more. REQUIRES: TLS.
void end_tls(lws* wsi);

class Tls {
 public:
  // Both outlive it.
  Tls(base::Log& log, Counts& counts) : log_(log), counts_(counts) {}
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Makes a vhost's SSL_CTX the shell. False where this OpenSSL does not do.
  bool prepare(ssl_ctx_st* shell);

  // For handshakes that begin from now on. REQUIRES: not null.
  void use(std::shared_ptr<const TlsCredentials> credentials) {
    credentials_ = std::move(credentials);
  }
  const TlsCredentials* credentials() const { return credentials_.get(); }

  // Reads on, by calling `read` with the descriptor, which reads once: where OpenSSL holds octets
  // that the socket does not tell of any more, and where what came filled its record, so that more
  // may have come. libwebsockets empties a record by itself, but not after a pause of the reading,
  // and not for a request; of the next record it waits to be told. A connection from which nothing
  // is taken then is left alone until `resume`, or until more is received. Ends when nothing is
  // left, or where `is_enough` says so; then there `is_unread`.
  void read_on(const std::function<void(int descriptor)>& read,
               const std::function<bool()>& is_enough);
  bool is_unread() const { return !unread_.empty(); }
  // The connection takes what it is sent again.
  void resume(lws* wsi);

 private:
  // What is kept for a connection of OpenSSL's, as long as that lives.
  struct Connection;

  static int connection_index();
  static Connection* find(const ssl_st* ssl);
  static long note_read(bio_st* input, int operation, const char* octets, std::size_t size, int,
                        long, int outcome, std::size_t* processed);
  void note_start(ssl_st* ssl);
  static void note_step(const ssl_st* ssl, int where, int outcome);
  static void note_refused(x509_store_ctx_st* chain);
  bool begin_handshake(ssl_st* ssl);
  void note_unread(Connection& connection);
  void forget(Connection& connection);
  void note_failure(Connection& connection);

  base::Log& log_;
  Counts& counts_;
  std::shared_ptr<const TlsCredentials> credentials_;
  std::vector<Connection*> unread_;  // null: forgotten
};

}  // namespace jackfield::net
