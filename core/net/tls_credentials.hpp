// What the listeners with TLS show, and whom they let in: certificate, chain and key, and the
// authorities of clients. Read from their files and checked against each other; made whole or not
// at all, and never changed after that. A connection keeps alive what its handshake was begun with.
// Loop thread, or any other where there is no loop.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/net/settings.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace jackfield::net {

// The server's own certificate, for the log.
struct TlsCertificate {
  std::string subject;             // RFC 4514
  std::string serial;              // hexadecimal
  std::vector<std::string> names;  // host names and addresses (subjectAltName)
  std::int64_t not_before = 0;     // seconds since 1970, UTC
  std::int64_t not_after = 0;
};

class TlsCredentials {
 public:
  struct Loaded;

  // Reads and checks the files; `certificate` and `key` are named. `user`: whom the server will be,
  // where it is still root.
  static Loaded load(const TlsSettings& settings, uid_t user = ::geteuid());

  ~TlsCredentials();
  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;

  const TlsCertificate& certificate() const { return certificate_; }
  // What it was made by.
  const TlsSettings& settings() const { return settings_; }

  // Whether both have the same certificates, authorities and settings.
  bool is_same(const TlsCredentials& other) const {
    return settings_ == other.settings_ && has_same_certificate(other) &&
           authorities_digest_ == other.authorities_digest_;
  }
  // Whether both show the same certificates.
  bool has_same_certificate(const TlsCredentials& other) const {
    return certificate_digest_ == other.certificate_digest_;
  }

  ssl_ctx_st* context() const { return context_; }

 private:
  explicit TlsCredentials(TlsSettings settings);

  const TlsSettings settings_;
  ssl_ctx_st* const context_;
  TlsCertificate certificate_;
  std::string certificate_digest_;  // of its file; the key belongs to the certificate
  std::string authorities_digest_;  // of their file; empty: none
};

struct TlsCredentials::Loaded {
  enum class Failure : std::uint8_t {
    kNone,
    kForbidden,  // a file that this user may not read
    kMismatch,   // sound files that do not belong together, as between two steps of a renewal
    kOther,
  };

  std::shared_ptr<const TlsCredentials> credentials;  // null where it failed
  Failure failure = Failure::kNone;
  std::string sentence;               // that it failed by
  std::vector<std::string> warnings;  // sentences, where it did not fail
};

// The rules that every handshake is held to (RFC 9325): TLS 1.2 with forward secrecy and
// authenticated encryption only, the server's choice first; no compression, no renegotiation. No
// session is resumed: a ticket's key would have to be kept and rotated, each ticket be held against
// the authorities of today, and who comes back to a WebSocket comes back rarely. False where this
// OpenSSL lacks them.
[[nodiscard]] bool set_tls_rules(ssl_ctx_st* context);

}  // namespace jackfield::net
