// Whether a JSON web token was signed with a key. The only door to libjwt. Any thread, no state.
#pragma once

#include <string>
#include <string_view>

#include "core/access/settings.hpp"

namespace jackfield::access {

// Octets of the shared key that HS256 takes at least (RFC 7518 section 3.2).
inline constexpr std::size_t kLeastSharedKey = 32;

// Whether the signature is this key's. REQUIRES: split_jwt and a strict reading of the header took
// the token, and its header says just this algorithm: the key decides how a token is checked, never
// the token. `key` is the shared key, or a public key in PEM form of the algorithm's kind.
bool is_signed(const std::string& token, Algorithm algorithm, std::string_view key);

}  // namespace jackfield::access
