#include "tests/support/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tests/support/openssl_owned.hpp"
#include "tests/support/where.hpp"

namespace jackfield::test {
namespace {

std::string text_of(BIO* output) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(output, &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string pem(X509* certificate) {
  const OwnedBio output(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(output.get(), certificate);
  return text_of(output.get());
}

std::string pem(EVP_PKEY* key, const std::string* phrase = nullptr) {
  const OwnedBio output(BIO_new(BIO_s_mem()));
  const auto* const octets =
      phrase == nullptr ? nullptr : reinterpret_cast<const unsigned char*>(phrase->data());
  PEM_write_bio_PrivateKey(output.get(), key, phrase == nullptr ? nullptr : EVP_aes_128_cbc(),
                           octets, phrase == nullptr ? 0 : static_cast<int>(phrase->size()),
                           nullptr, nullptr);
  return text_of(output.get());
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  check(extension != nullptr, "no such extension: " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

OwnedX509 make(const CertificateOptions& options, EVP_PKEY* key, X509* issuer,
               EVP_PKEY* issuer_key) {
  OwnedX509 made(X509_new());
  X509* const certificate = made.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), options.serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), options.begins.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.ends.count());
  X509_set_pubkey(certificate, key);
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("Jackfield"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, issuer == nullptr ? name : X509_get_subject_name(issuer));
  if (options.is_authority) {
    add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  std::string names;
  for (const std::string& each : options.names) names += (names.empty() ? "" : ",") + each;
  if (!names.empty()) add_extension(certificate, issuer, NID_subject_alt_name, names);
  check(X509_sign(certificate, issuer_key == nullptr ? key : issuer_key, EVP_sha256()) > 0,
        "the certificate cannot be signed");
  return made;
}

OwnedKey make_key(const CertificateOptions& options) {
  const bool is_rsa = options.is_rsa || options.rsa_bits > 0;
  const unsigned bits = options.rsa_bits > 0 ? options.rsa_bits : 2048;
  return OwnedKey(is_rsa ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256"));
}

}  // namespace

struct Authority::Parts {
  OwnedKey key;
  OwnedX509 certificate;
};

Authority::Authority(const std::string& name, const Authority* above)
    : parts_(std::make_unique<Parts>()) {
  parts_->key = make_key({});
  const CertificateOptions options{.name = name, .names = {}, .is_authority = true};
  parts_->certificate =
      make(options, parts_->key.get(), above == nullptr ? nullptr : above->parts_->certificate.get(),
           above == nullptr ? nullptr : above->parts_->key.get());
  certificate_ = pem(parts_->certificate.get());
}

Authority::~Authority() = default;

Certificate Authority::issue(const CertificateOptions& options) const {
  const OwnedKey key = make_key(options);
  const OwnedX509 made = make(options, key.get(), parts_->certificate.get(), parts_->key.get());
  return {pem(made.get()), pem(key.get())};
}

Certificate self_signed(const CertificateOptions& options) {
  const OwnedKey key = make_key(options);
  const OwnedX509 made = make(options, key.get(), nullptr, nullptr);
  return {pem(made.get()), pem(key.get())};
}

std::string encrypted_key(const std::string& key, const std::string& phrase) {
  const OwnedBio input(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const OwnedKey read(PEM_read_bio_PrivateKey(input.get(), nullptr, nullptr, nullptr));
  return pem(read.get(), &phrase);
}

}  // namespace jackfield::test
