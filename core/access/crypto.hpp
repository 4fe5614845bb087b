// What this layer takes of OpenSSL: digests, message authentication codes, comparing without
// telling by time, and what kind of public key a file holds. The only door to libcrypto here. Any
// thread, no state.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace jackfield::access {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view octets);

// RFC 2104 with SHA-256.
Digest hmac_sha256(std::string_view key, std::string_view octets);

// Whether they are the same; takes the same time wherever they differ. Only their sizes may show.
bool are_same(std::string_view a, std::string_view b);
bool are_same(const Digest& a, const Digest& b);

// Forgets what OpenSSL noted as failed on this thread: who else uses it there (TLS does) would take
// it for an error of its own (SSL_get_error(3)).
void clear_errors();

enum class PublicKeyKind : std::uint8_t {
  kRsa,   // of at least 2,048 bits (RFC 7518 section 3.3)
  kP256,  // elliptic, on NIST's P-256 (RFC 7518 section 3.4)
};

// What kind of key the PEM text holds (-----BEGIN PUBLIC KEY-----). A failure says what is wrong
// with it: "holds no public key in PEM form".
base::Result<PublicKeyKind> public_key_kind(const std::string& pem);

}  // namespace jackfield::access
