#include "tests/support/tls_end.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <algorithm>

#include "tests/support/openssl_owned.hpp"

namespace jackfield::test {
namespace {

OwnedBio reader(const std::string& pem) {
  return OwnedBio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::string openssl_reason() {
  const unsigned long error = ERR_peek_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  const std::string text = reason == nullptr ? "the connection ended" : reason;
  ERR_clear_error();
  return text;
}

bool show(SSL_CTX* context, const TlsOptions& options) {
  const OwnedBio certificates = reader(options.certificate);
  bool is_first = true;
  while (X509* const next = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) {
    if (is_first) SSL_CTX_use_certificate(context, next);
    if (!is_first) SSL_CTX_add1_chain_cert(context, next);
    X509_free(next);
    is_first = false;
  }
  ERR_clear_error();
  const OwnedBio input = reader(options.key);
  const OwnedKey key(PEM_read_bio_PrivateKey(input.get(), nullptr, nullptr, nullptr));
  return SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

void trust(SSL_CTX* context, const TlsOptions& options) {
  const OwnedBio input = reader(options.authority);
  X509* const authority = PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority);
  X509_free(authority);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}

void allow_old(SSL_CTX* context, const TlsOptions& options) {
  // Level 0: a client from before TLS 1.2 may be played.
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, options.version);
  SSL_CTX_set_max_proto_version(context, options.version);
  if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context, options.ciphers.c_str());
}

std::string protocol_list(std::string_view names) {
  std::string list;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    list += static_cast<char>(name.size());
    list += name;
    names.remove_prefix(std::min(names.size(), name.size() + 1));
  }
  return list;
}

}  // namespace

struct TlsEnd::Parts {
  OwnedContext context;
  OwnedSsl ssl;
};

TlsEnd::TlsEnd(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

TlsEnd::~TlsEnd() = default;

std::unique_ptr<TlsEnd> TlsEnd::connect(int socket, const TlsOptions& options,
                                        const Deadline& deadline, std::string& reason) {
  ERR_clear_error();
  auto parts = std::make_unique<Parts>();
  parts->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = parts->context.get();
  allow_old(context, options);
  if (!options.authority.empty()) trust(context, options);
  if (!options.certificate.empty() && !show(context, options)) {
    reason = "the client's own certificate: " + openssl_reason();
    return nullptr;
  }
  const std::string protocols = protocol_list(options.protocols);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  parts->ssl.reset(SSL_new(context));
  SSL* const ssl = parts->ssl.get();
  SSL_set_fd(ssl, socket);
  if (!options.host.empty()) {
    SSL_set1_host(ssl, options.host.c_str());
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(options.host.c_str()));
  }
  while (true) {
    const int outcome = SSL_connect(ssl);
    if (outcome == 1) return std::unique_ptr<TlsEnd>(new TlsEnd(std::move(parts)));
    const int error = SSL_get_error(ssl, outcome);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      reason = openssl_reason();
      return nullptr;
    }
    pollfd each{socket, static_cast<short>(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    if (poll(&each, 1, deadline.milliseconds()) <= 0) {
      reason = "the time is over";
      return nullptr;
    }
  }
}

std::optional<std::size_t> TlsEnd::send(std::string_view bytes) {
  ERR_clear_error();
  std::size_t total = 0;
  while (!bytes.empty()) {
    std::size_t sent = 0;
    if (SSL_write_ex(parts_->ssl.get(), bytes.data(), bytes.size(), &sent) != 1) {
      const int error = SSL_get_error(parts_->ssl.get(), 0);
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return total;
      return std::nullopt;
    }
    total += sent;
    bytes.remove_prefix(sent);
  }
  return total;
}

void TlsEnd::send_in_pieces(std::string_view bytes, const std::vector<std::size_t>& pieces,
                            const std::function<void()>& between) {
  SSL* const ssl = parts_->ssl.get();
  const int socket = SSL_get_fd(ssl);
  BIO* const kept = BIO_new(BIO_s_mem());
  SSL_set0_wbio(ssl, kept);
  SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
  char* octets = nullptr;
  const long all = BIO_get_mem_data(kept, &octets);
  std::string_view record(octets, static_cast<std::size_t>(all));
  for (const std::size_t size : pieces) {
    record.remove_prefix(static_cast<std::size_t>(
        ::send(socket, record.data(), std::min(size, record.size()), MSG_NOSIGNAL)));
    between();
  }
  ::send(socket, record.data(), record.size(), MSG_NOSIGNAL);
  SSL_set0_wbio(ssl, BIO_new_socket(socket, BIO_NOCLOSE));
}

std::optional<std::size_t> TlsEnd::receive(std::string& bytes) {
  ERR_clear_error();
  std::array<char, 65536> buffer;
  std::size_t size = 0;
  if (SSL_read_ex(parts_->ssl.get(), buffer.data(), buffer.size(), &size) == 1) {
    bytes.append(buffer.data(), size);
    return size;
  }
  const int error = SSL_get_error(parts_->ssl.get(), 0);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
  return std::nullopt;
}

void TlsEnd::finish() {
  SSL_shutdown(parts_->ssl.get());
  ERR_clear_error();
}

bool TlsEnd::has_peer_finished() const {
  return (SSL_get_shutdown(parts_->ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

TlsFacts TlsEnd::facts() const {
  SSL* const ssl = parts_->ssl.get();
  TlsFacts facts;
  facts.version = SSL_get_version(ssl);
  facts.cipher = SSL_get_cipher_name(ssl);
  if (const char* group = OBJ_nid2sn(static_cast<int>(SSL_get_negotiated_group(ssl)))) {
    facts.group = group;
  }
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  if (size > 0) facts.protocol.assign(reinterpret_cast<const char*>(protocol), size);
  if (const X509* const certificate = SSL_get0_peer_certificate(ssl)) {
    BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
    char* const digits = BN_bn2hex(number);
    facts.serial = digits;
    OPENSSL_free(digits);
    BN_free(number);
  }
  facts.is_resumable = SSL_SESSION_is_resumable(SSL_get0_session(ssl)) == 1;
  return facts;
}

}  // namespace jackfield::test
