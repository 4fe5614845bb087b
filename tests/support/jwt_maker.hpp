// Keys made for a test, and JSON web tokens signed with them, right ones and odd ones: header and
// claims are whatever text the test gives. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace jackfield::test {

// Without padding (RFC 7515, 2).
std::string base64url(std::string_view octets);

class SigningKey {
 public:
  // For HS256: the key itself.
  static SigningKey shared(std::string octets);
  // For RS256.
  static SigningKey rsa(int bits = 2048);
  // For ES256, or on another curve.
  static SigningKey elliptic(const char* curve = "P-256");
  ~SigningKey();
  SigningKey(SigningKey&&) noexcept;

  // What the server's file holds: the shared key, or the public one in PEM form.
  const std::string& file() const { return file_; }
  // Private, in PEM form.
  std::string private_pem() const;

  std::string sign(std::string_view text) const;
  // HEADER.CLAIMS.SIGNATURE
  std::string token(std::string_view header, std::string_view claims) const;

 private:
  struct Pair;
  SigningKey();

  std::unique_ptr<Pair> pair_;  // none: it is shared
  std::string file_;
};

}  // namespace jackfield::test
