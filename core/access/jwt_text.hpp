// The text of a JSON web token (RFC 7519, in the compact form of RFC 7515 section 7.1), read more
// strictly than libraries do: what is odd in any way is no token. Any thread, no state.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::access {

// A longer text is no token.
inline constexpr std::size_t kMaxJwt = 8192;  // octets

// HEADER.CLAIMS.SIGNATURE, each in base64url. Views into the token.
struct JwtParts {
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
  std::string_view signed_part;  // header and claims with the dot between them
};

// Nothing where the text has not this form.
std::optional<JwtParts> split_jwt(std::string_view token);

// What base64url without padding stands for (RFC 7515 section 2). Nothing where it holds another
// character, ends in the middle of an octet, or has bits set that no octet has.
std::optional<std::string> decode_base64url(std::string_view text);

// A JSON object's members, none twice. Views into the text that it was made from.
class JsonObject {
 public:
  static constexpr std::size_t kMaxMembers = 256;

  // Nothing where the text is no JSON object in UTF-8, has a key twice, or more than kMaxMembers.
  static std::optional<JsonObject> read(std::string_view json);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  // The string under the key; nothing where there is none.
  std::optional<std::string> text(std::string_view key) const;
  // The number under the key; nothing where there is none.
  std::optional<double> number(std::string_view key) const;
  // The strings of the list under the key, or the one string. Nothing where there is neither, or
  // where the list holds something else.
  std::optional<std::vector<std::string>> texts(std::string_view key) const;

 private:
  struct Member {
    std::string key;
    std::string_view value;
  };

  const std::string_view* find(std::string_view key) const;

  std::vector<Member> members_;
};

}  // namespace jackfield::access
