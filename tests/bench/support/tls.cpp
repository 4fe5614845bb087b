#include "tests/bench/support/tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "tests/bench/support/figures.hpp"
#include "tests/support/openssl_owned.hpp"

namespace jackfield::bench {
namespace {

using test::OwnedContext;
using test::OwnedKey;
using test::OwnedSsl;
using test::OwnedX509;

template <class Write>
void write_file(const std::filesystem::path& path, Write write) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  const bool is_written = file != nullptr && write(file) == 1;
  if (file != nullptr) std::fclose(file);
  if (!is_written) throw Failure("cannot write " + path.string());
}

constexpr const char* kRequest =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// A text frame with the mask 0, so that the payload stays as it is.
std::string text_frame(std::string_view payload) {
  if (payload.size() > 125) throw Failure("too long for one octet of length");
  std::string frame = {'\x81', static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0};
  return frame.append(payload);
}

}  // namespace

void write_tls_files(const std::filesystem::path& folder) {
  const OwnedKey key(EVP_EC_gen("P-256"));
  const OwnedX509 certificate(X509_new());
  if (key == nullptr || certificate == nullptr) throw Failure("OpenSSL makes no certificate");
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 90L * 86400);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* const names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
    throw Failure("OpenSSL signs no certificate");
  }
  write_file(folder / "cert.pem",
             [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
  write_file(folder / "key.pem", [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

struct TlsClients::Context {
  OwnedContext ssl{SSL_CTX_new(TLS_client_method())};
};

struct TlsClients::Client {
  ~Client() {
    if (socket >= 0) ::close(socket);
  }

  void send(std::string_view bytes) {
    if (SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size())) > 0) return;
    throw Failure("a client with TLS cannot send");
  }
  void receive() {
    std::array<char, 4096> buffer;
    if (SSL_read(ssl.get(), buffer.data(), buffer.size()) > 0) return;
    throw Failure("a client with TLS is not answered");
  }

  int socket = -1;
  OwnedSsl ssl;
};

TlsClients::TlsClients() : context_(std::make_unique<Context>()) {}

TlsClients::~TlsClients() = default;

void TlsClients::open(std::uint16_t port, const std::string& subscribe) {
  auto client = std::make_unique<Client>();
  client->socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  const timeval timeout{10, 0};
  ::setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  if (::connect(client->socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw Failure("a client with TLS cannot connect");
  }
  client->ssl.reset(SSL_new(context_->ssl.get()));
  SSL_set_fd(client->ssl.get(), client->socket);
  if (SSL_connect(client->ssl.get()) != 1) throw Failure("a TLS handshake failed");
  client->send(kRequest);
  client->receive();
  client->send(text_frame(subscribe));
  client->receive();
  clients_.push_back(std::move(client));
}

}  // namespace jackfield::bench
