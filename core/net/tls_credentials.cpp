#include "core/net/tls_credentials.hpp"

#include <fcntl.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "core/base/descriptor.hpp"
#include "core/base/file_trust.hpp"
#include "core/net/openssl.hpp"

namespace jackfield::net {
namespace {

using Loaded = TlsCredentials::Loaded;
using Failure = Loaded::Failure;
void free_chain(STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); }
void free_names(STACK_OF(X509_NAME) * names) { sk_X509_NAME_pop_free(names, X509_NAME_free); }

using OwnedChain = OpenSsl<STACK_OF(X509), free_chain>;
using OwnedNames = OpenSsl<STACK_OF(X509_NAME), free_names>;

constexpr std::size_t kMaxFileOctets = 1 << 20;  // all of a system's authorities are 220 KiB

// RFC 9325 section 4.2: ECDHE and AEAD. ChaCha20 comes first for clients that put it first, which
// are those without AES in hardware.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr int kSecurityLevel = 2;  // 112 bits at least: SSL_CTX_set_security_level(3)

struct File {
  std::string name;  // "the key /etc/ssl/key.pem"
  std::string text;
  std::string distrust;  // a key's: who else could read or change it; empty: nobody

  ~File() { OPENSSL_cleanse(text.data(), text.size()); }
};

OwnedBio reader(const File& file) {
  OwnedBio input(BIO_new_mem_buf(file.text.data(), static_cast<int>(file.text.size())));
  if (input == nullptr) throw std::bad_alloc();
  ERR_clear_error();
  return input;
}

// Whether the last reading failed because nothing of its kind was left.
bool is_end_of_pem() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<std::int64_t>(::timegm(&parts));
}

TlsCertificate describe(X509* certificate) {
  TlsCertificate facts;
  facts.subject = name_text(X509_get_subject_name(certificate));
  facts.serial = serial_text(certificate);
  append_alternative_names(certificate, GEN_DNS, facts.names);
  append_alternative_names(certificate, GEN_IPADD, facts.names);
  facts.not_before = seconds_of(X509_get0_notBefore(certificate));
  facts.not_after = seconds_of(X509_get0_notAfter(certificate));
  return facts;
}

int verify_mode(TlsSettings::ClientCertificate choice) {
  using ClientCertificate = TlsSettings::ClientCertificate;
  switch (choice) {
    case ClientCertificate::kNone: return SSL_VERIFY_NONE;
    case ClientCertificate::kOptional: return SSL_VERIFY_PEER;
    case ClientCertificate::kRequired: return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

// The server speaks HTTP/1.1 alone: RFC 6455 over HTTP/2 (RFC 8441) is another protocol. Who offers
// others only is refused (RFC 7301 section 3.2), which also keeps out what was meant for a server
// of another protocol (RFC 9325 section 3.7).
int select_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr std::array<unsigned char, 9> kHttp1 = {8,   'h', 't', 't', 'p',
                                                          '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  const int outcome =
      SSL_select_next_proto(&found, size, kHttp1.data(), kHttp1.size(), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// One loading: what is read, and the first thing that is wrong with it. A step is false, or null,
// where it has refused.
class Loading {
 public:
  bool run(TlsCredentials& credentials, const TlsSettings& settings, uid_t user);

  Loaded outcome;
  TlsCertificate certificate;
  std::string certificate_digest;
  std::string authorities_digest;

 private:
  bool refuse(std::string sentence, Failure failure = Failure::kOther);
  bool refuse_unread(const File& file, int error);
  bool read_file(const char* what, const std::filesystem::path& path, File& file,
                 std::optional<uid_t> keeper = std::nullopt);
  OwnedChain read_certificates(const File& file);
  OwnedKey read_key(const File& file);
  bool check_pair(const File& file, STACK_OF(X509) * chain, const File& key_file, EVP_PKEY* key);
  bool use_certificate(SSL_CTX* context, const File& file, OwnedChain chain, EVP_PKEY* key);
  bool use_authorities(SSL_CTX* context, const File& file);
  void warn(const File& file, const X509* own, const File& key_file);
};

bool Loading::refuse(std::string sentence, Failure failure) {
  ERR_clear_error();
  outcome.failure = failure;
  outcome.sentence = std::move(sentence);
  return false;
}

bool Loading::refuse_unread(const File& file, int error) {
  const bool is_forbidden = error == EACCES || error == EPERM;
  return refuse(file.name + " cannot be read: " + std::generic_category().message(error),
                is_forbidden ? Failure::kForbidden : Failure::kOther);
}

// `keeper`: whose secret it is.
bool Loading::read_file(const char* what, const std::filesystem::path& path, File& file,
                        std::optional<uid_t> keeper) {
  file.name = std::string(what) + " " + path.string();
  // A pipe is not waited for.
  const base::Descriptor input(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat facts {};
  if (!input.is_open() || ::fstat(input.number(), &facts) != 0) return refuse_unread(file, errno);
  if (!S_ISREG(facts.st_mode)) return refuse(file.name + " is no regular file");
  if (static_cast<std::size_t>(facts.st_size) > kMaxFileOctets) {
    return refuse(file.name + " is larger than " + std::to_string(kMaxFileOctets) + " octets");
  }
  if (keeper) {
    const base::Status trust = base::check_secret_file(input.number(), path, *keeper);
    if (!trust.is_ok()) file.distrust = trust.message();
  }
  file.text.resize(static_cast<std::size_t>(facts.st_size));
  std::size_t size = 0;
  while (size < file.text.size()) {
    const ssize_t count = ::read(input.number(), file.text.data() + size, file.text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse_unread(file, errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  file.text.resize(size);
  return true;
}

// All certificates of the file, at least one.
OwnedChain Loading::read_certificates(const File& file) {
  const OwnedBio input = reader(file);
  OwnedChain chain(sk_X509_new_null());
  while (X509* const next = PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr)) {
    if (chain == nullptr || sk_X509_push(chain.get(), next) == 0) {
      X509_free(next);
      throw std::bad_alloc();
    }
  }
  if (!is_end_of_pem()) {
    refuse(file.name + " is damaged: " + take_openssl_reason());
    return nullptr;
  }
  ERR_clear_error();
  if (sk_X509_num(chain.get()) > 0) return chain;
  refuse(file.name + " holds no certificate (PEM)");
  return nullptr;
}

OwnedKey Loading::read_key(const File& file) {
  const OwnedBio input = reader(file);
  bool is_encrypted = false;
  // Without this OpenSSL would ask on the terminal.
  const auto ask = [](char*, int, int, void* asked) -> int {
    *static_cast<bool*>(asked) = true;
    return -1;
  };
  OwnedKey key(PEM_read_bio_PrivateKey(input.get(), nullptr, ask, &is_encrypted));
  if (key != nullptr) return key;
  if (is_encrypted) {
    refuse(file.name + " has a pass phrase; one without is needed");
  } else if (file.text.find("PRIVATE KEY-----") == std::string::npos) {
    refuse(file.name + " holds no private key (PEM)");
  } else {
    refuse(file.name + " is damaged: " + take_openssl_reason());
  }
  return nullptr;
}

bool Loading::check_pair(const File& file, STACK_OF(X509) * chain, const File& key_file,
                         EVP_PKEY* key) {
  if (X509_check_private_key(sk_X509_value(chain, 0), key) == 1) return true;
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    if (X509_check_private_key(sk_X509_value(chain, i), key) != 1) continue;
    return refuse(file.name + " must begin with the server's own certificate, which is number " +
                  std::to_string(i + 1) + " in it");
  }
  return refuse(key_file.name + " does not belong to " + file.name, Failure::kMismatch);
}

bool Loading::use_certificate(SSL_CTX* context, const File& file, OwnedChain chain, EVP_PKEY* key) {
  const OwnedCertificate own(sk_X509_shift(chain.get()));
  ERR_clear_error();
  if (SSL_CTX_use_cert_and_key(context, own.get(), key, chain.get(), 1) == 1) return true;
  return refuse(file.name + " cannot be used: " + take_openssl_reason());
}

bool Loading::use_authorities(SSL_CTX* context, const File& file) {
  const OwnedChain authorities = read_certificates(file);
  if (authorities == nullptr) return false;
  OpenSsl<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  OwnedNames names(sk_X509_NAME_new_null());
  if (store == nullptr || names == nullptr) throw std::bad_alloc();
  for (int i = 0; i < sk_X509_num(authorities.get()); ++i) {
    X509* const authority = sk_X509_value(authorities.get(), i);
    X509_NAME* const name = X509_NAME_dup(X509_get_subject_name(authority));
    if (name == nullptr || sk_X509_NAME_push(names.get(), name) == 0 ||
        X509_STORE_add_cert(store.get(), authority) != 1) {
      return refuse(file.name + " cannot be used: " + take_openssl_reason());
    }
  }
  // Who is named is trusted, be it an authority below another one.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_cert_store(context, store.release());
  SSL_CTX_set_client_CA_list(context, names.release());
  return true;
}

void Loading::warn(const File& file, const X509* own, const File& key_file) {
  if (X509_check_purpose(const_cast<X509*>(own), X509_PURPOSE_SSL_SERVER, 0) != 1) {
    outcome.warnings.push_back(file.name + " is not made for a server");
  }
  if (certificate.names.empty()) {
    outcome.warnings.push_back(file.name + " names no host (subjectAltName): clients refuse it");
  }
  if (!key_file.distrust.empty()) outcome.warnings.push_back("tls.key: " + key_file.distrust);
}

bool Loading::run(TlsCredentials& credentials, const TlsSettings& settings, uid_t user) {
  SSL_CTX* const context = credentials.context();
  File file;
  File key_file;
  if (!read_file("the certificate", settings.certificate, file)) return false;
  if (!read_file("the key", settings.key, key_file, user)) return false;
  OwnedChain chain = read_certificates(file);
  if (chain == nullptr) return false;
  const OwnedKey key = read_key(key_file);
  if (key == nullptr || !check_pair(file, chain.get(), key_file, key.get())) return false;
  certificate = describe(sk_X509_value(chain.get(), 0));
  certificate_digest = sha256(file.text);
  warn(file, sk_X509_value(chain.get(), 0), key_file);

  if (!set_tls_rules(context)) {
    return refuse("OpenSSL lacks the ciphers that are needed: " + take_openssl_reason());
  }
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
  if (settings.minimum_version == TlsSettings::Version::k1_3) {
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  }
  if (!use_certificate(context, file, std::move(chain), key.get())) return false;
  SSL_CTX_set_verify(context, verify_mode(settings.client_certificate), nullptr);
  if (settings.client_certificate == TlsSettings::ClientCertificate::kNone) return true;
  File authorities;
  if (!read_file("the file of authorities", settings.client_ca, authorities)) return false;
  authorities_digest = sha256(authorities.text);
  return use_authorities(context, authorities);
}

}  // namespace

bool set_tls_rules(ssl_ctx_st* context) {
  SSL_CTX_set_security_level(context, kSecurityLevel);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_num_tickets(context, 0) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1;
}

TlsCredentials::TlsCredentials(TlsSettings settings)
    : settings_(std::move(settings)), context_(SSL_CTX_new(TLS_server_method())) {
  if (context_ == nullptr) throw std::bad_alloc();
}

TlsCredentials::~TlsCredentials() { SSL_CTX_free(context_); }

Loaded TlsCredentials::load(const TlsSettings& settings, uid_t user) {
  const std::shared_ptr<TlsCredentials> credentials(new TlsCredentials(settings));
  Loading loading;
  if (loading.run(*credentials, settings, user)) {
    credentials->certificate_ = std::move(loading.certificate);
    credentials->certificate_digest_ = std::move(loading.certificate_digest);
    credentials->authorities_digest_ = std::move(loading.authorities_digest);
    loading.outcome.credentials = credentials;
  } else {
    loading.outcome.warnings.clear();
  }
  return std::move(loading.outcome);
}

}  // namespace jackfield::net
