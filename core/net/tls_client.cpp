#include "core/net/tls_client.hpp"

#include <new>

#include "core/net/openssl.hpp"

namespace jackfield::net {

using Made = base::Result<std::unique_ptr<TlsClient>>;

TlsClient::TlsClient(Trust trust) : trust_(trust), context_(SSL_CTX_new(TLS_client_method())) {
  if (context_ == nullptr) throw std::bad_alloc();
}

TlsClient::~TlsClient() { SSL_CTX_free(context_); }

Made TlsClient::make(const std::string& host, const std::string& authorities, Trust trust) {
  std::unique_ptr<TlsClient> client(new TlsClient(trust));
  SSL_CTX* const context = client->context_;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // libwebsockets keeps OpenSSL's reasons to itself.
  SSL_CTX_set_app_data(context, client.get());
  SSL_CTX_set_info_callback(context, [](const SSL* ssl, int where, int outcome) {
    auto* const self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const unsigned long error = ERR_peek_error();
    if ((where & SSL_CB_EXIT) == 0 || outcome > 0 || error == 0 || !self->reason_.empty()) return;
    const char* const reason = ERR_reason_error_string(error);
    self->reason_ = std::string("the TLS handshake failed: ") + (reason == nullptr ? "" : reason);
  });
  if (trust == Trust::kBlind) return client;
  ERR_clear_error();
  const int is_loaded = authorities.empty()
                            ? SSL_CTX_set_default_verify_paths(context)
                            : SSL_CTX_load_verify_file(context, authorities.c_str());
  if (is_loaded != 1) {
    const std::string whose = authorities.empty() ? "the system's authorities" : authorities;
    return Made::failure(whose + " cannot be used: " + take_openssl_reason());
  }
  X509_VERIFY_PARAM* const wanted = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1 &&
      X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) != 1) {
    return Made::failure("no certificate can name \"" + host + "\"");
  }
  ERR_clear_error();
  return client;
}

bool TlsClient::judge(x509_store_ctx_st* chain, bool is_well) {
  if (is_well) return true;
  if (trust_ == Trust::kBlind) {
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return true;
  }
  reason_ = std::string("its certificate is not trusted: ") +
            X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
  return false;
}

}  // namespace jackfield::net
