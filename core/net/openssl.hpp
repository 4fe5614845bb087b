// OpenSSL's objects with an owner, and its words. Included by tls*.cpp only. Any thread.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::net {

template <auto kFree>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

template <class T, auto kFree>
using OpenSsl = std::unique_ptr<T, FreeBy<kFree>>;

using OwnedBio = OpenSsl<BIO, BIO_free>;
using OwnedKey = OpenSsl<EVP_PKEY, EVP_PKEY_free>;
using OwnedCertificate = OpenSsl<X509, X509_free>;

// Why the first of the calls failed since the errors were cleared last; clears them.
std::string take_openssl_reason();

// RFC 4514, in UTF-8.
std::string name_text(const X509_NAME* name);

// Hexadecimal, as `openssl x509 -serial` writes it.
std::string serial_text(const X509* certificate);

// SHA-256 of the octets.
std::string sha256(std::string_view octets);

// The names of a kind (GEN_DNS, GEN_EMAIL, GEN_URI, GEN_IPADD) in the subjectAltName; those with a
// NUL in them are left out.
void append_alternative_names(const X509* certificate, int kind, std::vector<std::string>& names);

}  // namespace jackfield::net
