// Objects of OpenSSL's that free themselves, for tests and benchmarks.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace jackfield::test {

template <auto kFree>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using OwnedBio = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using OwnedX509 = std::unique_ptr<X509, FreeBy<X509_free>>;
using OwnedContext = std::unique_ptr<SSL_CTX, FreeBy<SSL_CTX_free>>;
using OwnedSsl = std::unique_ptr<SSL, FreeBy<SSL_free>>;

}  // namespace jackfield::test
