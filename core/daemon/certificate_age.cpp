#include "core/daemon/certificate_age.hpp"

#include <time.h>

#include <array>

namespace jackfield::daemon {
namespace {

using base::LogLevel;
using Phase = CertificateAge::Phase;

// 2026-01-01: this was written later.
constexpr std::int64_t kEarliestNow = 1767225600;
constexpr std::int64_t kDay = 86400;

}  // namespace

std::optional<CertificateAge> judge_age(const net::TlsCertificate& certificate, std::int64_t now) {
  if (now < kEarliestNow) return std::nullopt;
  const std::string begin = to_date(certificate.not_before);
  const std::string end = to_date(certificate.not_after);
  if (now < certificate.not_before) {
    return CertificateAge{LogLevel::kWarning, "is not valid before " + begin, Phase::kNotYet};
  }
  const std::int64_t left = certificate.not_after - now;
  if (left < 0) return CertificateAge{LogLevel::kError, "has expired at " + end, Phase::kOver};
  if (left >= kCertificateNoticeDays * kDay) return std::nullopt;
  const std::int64_t days = left / kDay;
  const std::string when = days == 0   ? "within a day"
                           : days == 1 ? "in 1 day"
                                       : "in " + std::to_string(days) + " days";
  return CertificateAge{LogLevel::kWarning, "expires " + when + ", at " + end, Phase::kValid};
}

bool may_replace(const std::optional<CertificateAge>& found,
                 const std::optional<CertificateAge>& kept) {
  const Phase of_found = found ? found->phase : Phase::kValid;
  const Phase of_kept = kept ? kept->phase : Phase::kValid;
  if (of_found == Phase::kOver) return of_kept == Phase::kOver;
  return of_found == Phase::kValid || of_kept != Phase::kValid;
}

std::string to_date(std::int64_t seconds) {
  const auto time = static_cast<time_t>(seconds);
  tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&time, &parts) == nullptr) return "a time without a name";
  ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace jackfield::daemon
