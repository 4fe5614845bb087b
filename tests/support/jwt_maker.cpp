#include "tests/support/jwt_maker.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <vector>

namespace jackfield::test {
namespace {

void require(bool is_well) {
  if (!is_well) throw std::runtime_error("OpenSSL failed");
}

std::string text_of(BIO* bio) {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio, &octets);
  return {octets, static_cast<std::size_t>(size)};
}

// r and s of 32 octets each (RFC 7518, 3.4), where OpenSSL has them in DER.
std::string joined_pair(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  require(pair != nullptr);
  std::string octets(64, '\0');
  auto* out = reinterpret_cast<unsigned char*>(octets.data());
  require(BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32) == 32);
  require(BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32) == 32);
  ECDSA_SIG_free(pair);
  return octets;
}

}  // namespace

struct SigningKey::Pair {
  explicit Pair(EVP_PKEY* made) : key(made) { require(made != nullptr); }
  ~Pair() { EVP_PKEY_free(key); }
  EVP_PKEY* key;
};

SigningKey::SigningKey() = default;
SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;

SigningKey SigningKey::shared(std::string octets) {
  SigningKey key;
  key.file_ = std::move(octets);
  return key;
}

SigningKey SigningKey::rsa(int bits) {
  SigningKey key;
  key.pair_ = std::make_unique<Pair>(EVP_RSA_gen(static_cast<unsigned>(bits)));
  BIO* bio = BIO_new(BIO_s_mem());
  require(PEM_write_bio_PUBKEY(bio, key.pair_->key) == 1);
  key.file_ = text_of(bio);
  BIO_free(bio);
  return key;
}

SigningKey SigningKey::elliptic(const char* curve) {
  SigningKey key;
  key.pair_ = std::make_unique<Pair>(EVP_EC_gen(curve));
  BIO* bio = BIO_new(BIO_s_mem());
  require(PEM_write_bio_PUBKEY(bio, key.pair_->key) == 1);
  key.file_ = text_of(bio);
  BIO_free(bio);
  return key;
}

std::string SigningKey::private_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  require(PEM_write_bio_PrivateKey(bio, pair_->key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::string pem = text_of(bio);
  BIO_free(bio);
  return pem;
}

std::string SigningKey::sign(std::string_view text) const {
  const auto* octets = reinterpret_cast<const unsigned char*>(text.data());
  if (pair_ == nullptr) {
    std::string code(32, '\0');
    unsigned size = 0;
    HMAC(EVP_sha256(), file_.data(), static_cast<int>(file_.size()), octets, text.size(),
         reinterpret_cast<unsigned char*>(code.data()), &size);
    return code;
  }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  require(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, pair_->key) == 1);
  std::size_t size = 0;
  require(EVP_DigestSign(context, nullptr, &size, octets, text.size()) == 1);
  std::string signature(size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  require(EVP_DigestSign(context, out, &size, octets, text.size()) == 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  const bool is_elliptic = EVP_PKEY_get_base_id(pair_->key) == EVP_PKEY_EC;
  return is_elliptic ? joined_pair(signature) : signature;
}

std::string SigningKey::token(std::string_view header, std::string_view claims) const {
  const std::string text = base64url(header) + "." + base64url(claims);
  return text + "." + base64url(sign(text));
}

std::string base64url(std::string_view octets) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char c : octets) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += kLetters[(bits >> count) & 63];
    }
    bits &= (1u << count) - 1;
  }
  if (count > 0) text += kLetters[(bits << (6 - count)) & 63];
  return text;
}

}  // namespace jackfield::test
