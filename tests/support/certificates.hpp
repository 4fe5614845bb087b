// Authorities and certificates for tests, made when a test wants them: nothing that expires lies
// about in the repository. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace jackfield::test {

// A certificate with its key, both PEM.
struct Certificate {
  std::string text;
  std::string key;
};

struct CertificateOptions {
  std::string name = "localhost";                           // CN
  std::vector<std::string> names{"DNS:localhost", "IP:127.0.0.1"};  // as openssl.cnf has them
  long serial = 1;
  std::chrono::seconds begins = std::chrono::hours(-1);  // from now
  std::chrono::seconds ends = std::chrono::hours(24);
  bool is_rsa = false;
  unsigned rsa_bits = 0;  // 0: of a sound key
  bool is_authority = false;
};

class Authority {
 public:
  // A root, or one that another has signed.
  explicit Authority(const std::string& name, const Authority* above = nullptr);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // PEM.
  const std::string& certificate() const { return certificate_; }

  Certificate issue(const CertificateOptions& options = {}) const;

 private:
  struct Parts;

  std::unique_ptr<Parts> parts_;
  std::string certificate_;
};

// One that has signed itself.
Certificate self_signed(const CertificateOptions& options = {});

// The key (PEM) under a pass phrase.
std::string encrypted_key(const std::string& key, const std::string& phrase);

}  // namespace jackfield::test
