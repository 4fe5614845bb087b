// TLS of the client behind `jackfield watch`: whom it trusts, and why it does not trust a server.
// One connection, one thread.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.hpp"

struct ssl_ctx_st;         // OpenSSL's SSL_CTX
struct x509_store_ctx_st;  // and X509_STORE_CTX

namespace jackfield::net {

class TlsClient {
 public:
  enum class Trust : bool { kVerified, kBlind };

  // For a server by its name or address. `authorities`: the file (PEM) of those to trust; empty:
  // the system's. kBlind takes any certificate. Fails with one sentence.
  static base::Result<std::unique_ptr<TlsClient>> make(const std::string& host,
                                                       const std::string& authorities, Trust trust);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Lives as long as this.
  ssl_ctx_st* context() const { return context_; }

  // For LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION: whether the certificate passes.
  bool judge(x509_store_ctx_st* chain, bool is_well);

  // Why there is no connection, where that was TLS; else empty.
  const std::string& reason() const { return reason_; }

 private:
  explicit TlsClient(Trust trust);

  const Trust trust_;
  ssl_ctx_st* const context_;
  std::string reason_;
};

}  // namespace jackfield::net
