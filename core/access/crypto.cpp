#include "core/access/crypto.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/pem.h>

#include <memory>
#include <new>

namespace jackfield::access {
namespace {

constexpr int kLeastRsaBits = 2048;

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// No question on the terminal for a password.
int no_password(char* /*buffer*/, int /*size*/, int /*is_written*/, void* /*user*/) { return -1; }

}  // namespace

Digest sha256(std::string_view octets) {
  Digest digest{};
  if (EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, EVP_sha256(), nullptr) !=
      1) {
    throw std::bad_alloc();
  }
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view octets) {
  Digest code{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets_of(octets), octets.size(),
           code.data(), &size) == nullptr) {
    throw std::bad_alloc();
  }
  return code;
}

bool are_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool are_same(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void clear_errors() { ERR_clear_error(); }

base::Result<PublicKeyKind> public_key_kind(const std::string& pem) {
  using Kind = base::Result<PublicKeyKind>;
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  if (bio == nullptr) throw std::bad_alloc();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PUBKEY(bio.get(), nullptr, &no_password, nullptr), &EVP_PKEY_free);
  clear_errors();
  if (key == nullptr) return Kind::failure("holds no public key in PEM form");
  switch (EVP_PKEY_base_id(key.get())) {
    case EVP_PKEY_RSA:
      if (EVP_PKEY_bits(key.get()) < kLeastRsaBits) {
        return Kind::failure("holds an RSA key of " + std::to_string(EVP_PKEY_bits(key.get())) +
                             " bits, must have at least " + std::to_string(kLeastRsaBits));
      }
      return PublicKeyKind::kRsa;
    case EVP_PKEY_EC: {
      std::array<char, 32> curve{};
      std::size_t size = 0;
      const bool is_named =
          EVP_PKEY_get_group_name(key.get(), curve.data(), curve.size(), &size) == 1;
      if (is_named && std::string_view(curve.data(), size) == SN_X9_62_prime256v1) {
        return PublicKeyKind::kP256;
      }
      return Kind::failure("holds a key on another curve than P-256");
    }
    default: return Kind::failure("holds neither an RSA nor an EC key");
  }
}

}  // namespace jackfield::access
