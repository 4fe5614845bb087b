// What is to be said of how old a certificate is. Any thread, no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/log.hpp"
#include "core/net/tls_credentials.hpp"

namespace jackfield::daemon {

// Before its end it is said that a certificate ends.
inline constexpr std::int64_t kCertificateNoticeDays = 14;

struct CertificateAge {
  enum class Phase : std::uint8_t { kNotYet, kValid, kOver };

  base::LogLevel level = base::LogLevel::kWarning;
  std::string sentence;  // "expires in 3 days, at 2026-12-01T00:00:00Z"
  Phase phase = Phase::kValid;
};

// `now`: seconds since 1970, UTC. Nothing where all is well, and where the clock is wrong: devices
// without a battery start in 1970.
std::optional<CertificateAge> judge_age(const net::TlsCertificate& certificate, std::int64_t now);

// Whether a certificate that was found is to replace the one that is kept: not where clients would
// refuse it for its age and not the other. Each as judged, nothing: nothing is said against it.
bool may_replace(const std::optional<CertificateAge>& found,
                 const std::optional<CertificateAge>& kept);

// "2026-12-01T00:00:00Z"
std::string to_date(std::int64_t seconds);

}  // namespace jackfield::daemon
