#include "core/net/tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <exception>
#include <string_view>
#include <utility>

#include "core/net/openssl.hpp"

namespace jackfield::net {
namespace {

// A record that holds as much was cut from more (RFC 8446 section 5.1: 2^14 octets at most).
constexpr std::size_t kFullRecord = 16 << 10;

std::string common_name(const X509_NAME* name) {
  int last = -1;
  for (int i = -1; (i = X509_NAME_get_index_by_NID(name, NID_commonName, i)) >= 0;) last = i;
  if (last < 0) return {};
  unsigned char* text = nullptr;
  const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(name, last);
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) return {};
  std::string value(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return value.find('\0') == std::string::npos ? value : std::string();
}

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 0xf];
  }
  return text;
}

std::string peer_address(const ssl_st* ssl) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  std::array<char, INET6_ADDRSTRLEN> text{};
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (::getpeername(SSL_get_fd(ssl), address, &size) != 0) return "gone";
  const void* const octets =
      storage.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr)
          : &reinterpret_cast<const sockaddr_in&>(storage).sin_addr;
  if (inet_ntop(storage.ss_family, octets, text.data(), text.size()) == nullptr) return "gone";
  return text.data();
}

}  // namespace

std::optional<PeerCertificate> peer_certificate(lws* wsi) {
  ssl_st* const ssl = lws_get_ssl(wsi);
  if (ssl == nullptr || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return std::nullopt;
  const X509* const shown = SSL_get0_peer_certificate(ssl);
  if (shown == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  PeerCertificate facts;
  facts.common_name = common_name(X509_get_subject_name(shown));
  facts.subject = name_text(X509_get_subject_name(shown));
  facts.issuer = name_text(X509_get_issuer_name(shown));
  facts.serial = serial_text(shown);
  append_alternative_names(shown, GEN_DNS, facts.dns_names);
  append_alternative_names(shown, GEN_EMAIL, facts.emails);
  append_alternative_names(shown, GEN_URI, facts.uris);
  facts.fingerprint = fingerprint(shown);
  return facts;
}

bool has_peer_ended_tls(lws* wsi) {
  const ssl_st* const ssl = lws_get_ssl(wsi);
  return ssl == nullptr || (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

void end_tls(lws* wsi) {
  if (ssl_st* const ssl = lws_get_ssl(wsi)) SSL_shutdown(ssl);
  ERR_clear_error();
}

struct Tls::Connection {
  Connection(Tls& its_owner, ssl_st* its_ssl) : owner(its_owner), ssl(its_ssl) {}

  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  Tls& owner;
  ssl_st* const ssl;
  std::size_t place = kNowhere;     // in unread_
  bool is_record_full = false;      // the last one, as far as it was asked for in one piece
  bool has_failed = false;          // its handshake
  std::string refused_certificate;  // whose, where that is why
};

Tls::~Tls() = default;

// ---- from OpenSSL: nothing may be thrown through it. It calls it const where it shows a
// connection

// OpenSSL has one list of such places for the process, hence the static.
int Tls::connection_index() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* kept, CRYPTO_EX_DATA*, int, long, void*) {
        if (kept == nullptr) return;
        auto* const connection = static_cast<Connection*>(kept);
        connection->owner.forget(*connection);
        delete connection;
      });
  return index;
}

Tls::Connection* Tls::find(const ssl_st* ssl) {
  return static_cast<Connection*>(SSL_get_ex_data(ssl, connection_index()));
}

bool Tls::prepare(ssl_ctx_st* shell) {
  if (connection_index() < 0 || !set_tls_rules(shell)) return false;
  // libwebsockets would look for a vhost by the name that the client asks for.
  SSL_CTX_callback_ctrl(shell, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, nullptr);
  SSL_CTX_set_client_hello_cb(
      shell,
      [](SSL* ssl, int*, void* self) {
        return static_cast<Tls*>(self)->begin_handshake(ssl) ? SSL_CLIENT_HELLO_SUCCESS
                                                             : SSL_CLIENT_HELLO_ERROR;
      },
      this);
  SSL_CTX_set_app_data(shell, this);
  SSL_CTX_set_info_callback(shell, note_step);
  return true;
}

bool Tls::begin_handshake(ssl_st* ssl) {
  SSL_CTX* const context = credentials_->context();
  if (SSL_set_SSL_CTX(ssl, context) == nullptr) return false;
  // What a connection has by itself, and does not take from the new one; or the other way round.
  SSL_set_info_callback(ssl, note_step);
  SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context), [](int is_well, X509_STORE_CTX* chain) {
    if (is_well == 0) note_refused(chain);
    return is_well;
  });
  return SSL_set_min_proto_version(ssl, SSL_CTX_get_min_proto_version(context)) == 1;
}

void Tls::note_start(ssl_st* ssl) {
  try {
    auto made = std::make_unique<Connection>(*this, ssl);
    if (SSL_set_ex_data(ssl, connection_index(), made.get()) != 1) return;
    BIO* const input = SSL_get_rbio(ssl);
    BIO_set_callback_arg(input, reinterpret_cast<char*>(made.release()));
    BIO_set_callback_ex(input, note_read);
  } catch (const std::exception&) {  // out of memory, which others say
  }
}

void Tls::note_step(const ssl_st* ssl, int where, int outcome) {
  if ((where & SSL_CB_HANDSHAKE_START) != 0 && find(ssl) == nullptr) {
    auto* const self = static_cast<Tls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (self != nullptr) self->note_start(const_cast<ssl_st*>(ssl));
  }
  if ((where & SSL_CB_HANDSHAKE_DONE) != 0) {
    // Without tickets the server has nothing to say after the client's Finished. Who waits for its
    // acknowledgement before he sends the request (RFC 896) would wait for the kernel's 40 ms.
    const int on = 1;
    ::setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  }
  Connection* const connection = find(ssl);
  const bool is_end = (where & SSL_ST_ACCEPT) != 0 && (where & SSL_CB_EXIT) != 0;
  // Without an error it only waits for more.
  if (connection == nullptr || !is_end || outcome > 0 || ERR_peek_error() == 0) return;
  connection->owner.note_failure(*connection);
}

void Tls::note_refused(x509_store_ctx_st* chain) {
  const auto* const ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Connection* const connection = find(ssl);
  if (connection == nullptr) return;
  try {
    const X509* const shown = X509_STORE_CTX_get0_cert(chain);
    connection->refused_certificate = name_text(X509_get_subject_name(shown));
  } catch (const std::exception&) {  // refused it is, only not named
  }
}

void Tls::note_failure(Connection& connection) {
  if (std::exchange(connection.has_failed, true)) return;
  ++counts_.tls_handshakes_failed;
  const int error = ERR_GET_REASON(ERR_peek_error());
  const long verified = SSL_get_verify_result(connection.ssl);
  try {
    const std::string peer = peer_address(connection.ssl);
    if (verified != X509_V_OK) {
      ++counts_.client_certificates_refused;
      log_.info("client certificate refused",
                {{"peer", peer},
                 {"subject", connection.refused_certificate},
                 {"reason", X509_verify_cert_error_string(verified)}});
    } else if (error == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
      ++counts_.client_certificates_refused;
      log_.info("client certificate refused", {{"peer", peer}, {"reason", "none was shown"}});
    } else {
      const char* const reason = ERR_reason_error_string(ERR_peek_error());
      log_.info("TLS handshake failed",
                {{"peer", peer}, {"reason", reason == nullptr ? "unknown" : reason}});
    }
  } catch (const std::exception&) {  // counted it is
  }
}

// Each read of the socket. A record is asked for in two: its header, then the rest of it.
long Tls::note_read(bio_st* input, int operation, const char*, std::size_t size, int, long,
                    int outcome, std::size_t*) {
  if (operation != (BIO_CB_READ | BIO_CB_RETURN)) return outcome;
  auto* const connection =
      reinterpret_cast<Connection*>(const_cast<char*>(BIO_get_callback_arg(input)));
  connection->is_record_full = size >= kFullRecord;
  if (outcome <= 0) return outcome;
  try {
    connection->owner.note_unread(*connection);
  } catch (const std::exception&) {  // out of memory: it is read when more comes
  }
  return outcome;
}

// ---- reading on

void Tls::note_unread(Connection& connection) {
  if (connection.place != Connection::kNowhere) return;
  unread_.push_back(&connection);
  connection.place = unread_.size() - 1;
}

void Tls::forget(Connection& connection) {
  if (connection.place != Connection::kNowhere) unread_[connection.place] = nullptr;
}

void Tls::resume(lws* wsi) {
  const ssl_st* const ssl = lws_get_ssl(wsi);
  Connection* const connection = ssl == nullptr ? nullptr : find(ssl);
  if (connection != nullptr && SSL_pending(ssl) > 0) note_unread(*connection);
}

void Tls::read_on(const std::function<void(int descriptor)>& read,
                  const std::function<bool()>& is_enough) {
  // What is read may be as much again: then it is added behind the others.
  std::size_t next = 0;
  for (; next < unread_.size(); ++next) {
    Connection* const connection = unread_[next];
    if (connection == nullptr) continue;
    const int pending = SSL_pending(connection->ssl);
    if (pending > 0 || connection->is_record_full) {
      if (is_enough()) break;
      connection->is_record_full = false;
      read(SSL_get_fd(connection->ssl));
      if (unread_[next] == nullptr) continue;  // it has ended
    }
    unread_[next] = nullptr;
    connection->place = Connection::kNowhere;
    const int left = SSL_pending(connection->ssl);
    const bool has_taken = left != pending || connection->is_record_full;
    if (has_taken && (left > 0 || connection->is_record_full)) note_unread(*connection);
  }
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(next));
  std::erase(unread_, nullptr);
  for (std::size_t i = 0; i < unread_.size(); ++i) unread_[i]->place = i;
}

}  // namespace jackfield::net
