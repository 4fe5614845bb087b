#include "core/access/jwt_signature.hpp"

#include <jwt.h>

#include <memory>
#include <optional>

#include "core/access/crypto.hpp"
#include "core/access/jwt_text.hpp"

namespace jackfield::access {
namespace {

constexpr std::size_t kP256Signature = 64;  // octets (RFC 7518 section 3.4)

jwt_alg_t libjwt_algorithm(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256: return JWT_ALG_HS256;
    case Algorithm::kRs256: return JWT_ALG_RS256;
    case Algorithm::kEs256: return JWT_ALG_ES256;
  }
  return JWT_ALG_NONE;
}

}  // namespace

bool is_signed(const std::string& token, Algorithm algorithm, std::string_view key) {
  const std::optional<JwtParts> parts = split_jwt(token);
  if (!parts) return false;
  const std::optional<std::string> signature = decode_base64url(parts->signature);
  if (!signature) return false;
  if (algorithm == Algorithm::kHs256) {
    // libjwt before 1.17 compares by strcmp, which tells by its time how much of a signature was
    // right (CVE-2024-25189). What reaches it is right already.
    const Digest code = hmac_sha256(key, parts->signed_part);
    const std::string_view expected(reinterpret_cast<const char*>(code.data()), code.size());
    if (!are_same(*signature, expected)) return false;
  }
  if (algorithm == Algorithm::kEs256 && signature->size() != kP256Signature) return false;
  jwt_t* decoded = nullptr;
  const int failure =
      jwt_decode(&decoded, token.c_str(), reinterpret_cast<const unsigned char*>(key.data()),
                 static_cast<int>(key.size()));
  const std::unique_ptr<jwt_t, decltype(&jwt_free)> owned(decoded, &jwt_free);
  clear_errors();
  return failure == 0 && decoded != nullptr && jwt_get_alg(decoded) == libjwt_algorithm(algorithm);
}

}  // namespace jackfield::access
