#include "core/daemon/certificate_age.hpp"

#include <optional>

#include <CppUTest/TestHarness.h>

namespace {

using jackfield::base::LogLevel;
using jackfield::daemon::judge_age;
using jackfield::daemon::may_replace;
using Phase = jackfield::daemon::CertificateAge::Phase;
using jackfield::net::TlsCertificate;

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kBegin = 1767225600 + 100 * kDay;  // 2026-04-11
constexpr std::int64_t kEnd = kBegin + 90 * kDay;

std::string said(std::int64_t now) {
  TlsCertificate certificate;
  certificate.not_before = kBegin;
  certificate.not_after = kEnd;
  const auto age = judge_age(certificate, now);
  return age ? age->sentence : "";
}

}  // namespace

TEST_GROUP(CertificateAge){};

TEST(CertificateAge, nothing_is_said_until_14_days_before_its_end) {
  STRCMP_EQUAL("", said(kBegin).c_str());
  STRCMP_EQUAL("", said(kEnd - 14 * kDay).c_str());
  STRCMP_EQUAL("expires in 13 days, at 2026-07-10T00:00:00Z", said(kEnd - 14 * kDay + 1).c_str());
  STRCMP_EQUAL("expires in 1 day, at 2026-07-10T00:00:00Z", said(kEnd - kDay).c_str());
  STRCMP_EQUAL("expires within a day, at 2026-07-10T00:00:00Z", said(kEnd).c_str());
}

TEST(CertificateAge, one_that_is_over_or_has_not_begun_is_said) {
  STRCMP_EQUAL("has expired at 2026-07-10T00:00:00Z", said(kEnd + 1).c_str());
  STRCMP_EQUAL("is not valid before 2026-04-11T00:00:00Z", said(kBegin - 1).c_str());
}

TEST(CertificateAge, a_clock_from_before_this_was_written_judges_nothing) {
  STRCMP_EQUAL("", said(0).c_str());
  STRCMP_EQUAL("", said(1767225599).c_str());
  STRCMP_EQUAL("is not valid before 2026-04-11T00:00:00Z", said(1767225600).c_str());
}

TEST(CertificateAge, only_an_expired_one_is_an_error) {
  TlsCertificate certificate;
  certificate.not_before = kBegin;
  certificate.not_after = kEnd;
  CHECK(judge_age(certificate, kEnd + 1)->level == LogLevel::kError);
  CHECK(judge_age(certificate, kEnd + 1)->phase == Phase::kOver);
  CHECK(judge_age(certificate, kEnd)->level == LogLevel::kWarning);
  CHECK(judge_age(certificate, kEnd)->phase == Phase::kValid);
  CHECK(judge_age(certificate, kBegin - 1)->phase == Phase::kNotYet);
}

TEST(CertificateAge, none_replaces_one_that_clients_would_rather_take) {
  using Judged = std::optional<jackfield::daemon::CertificateAge>;
  const auto in = [](Phase phase) { return Judged({LogLevel::kWarning, "", phase}); };
  const Judged sound;
  for (const Judged& kept : {sound, in(Phase::kValid), in(Phase::kNotYet), in(Phase::kOver)}) {
    CHECK(may_replace(sound, kept));
    CHECK(may_replace(in(Phase::kValid), kept));
  }
  for (const Judged& kept : {sound, in(Phase::kValid)}) {
    CHECK_FALSE(may_replace(in(Phase::kNotYet), kept));
    CHECK_FALSE(may_replace(in(Phase::kOver), kept));
  }
  CHECK_FALSE(may_replace(in(Phase::kOver), in(Phase::kNotYet)));
  CHECK(may_replace(in(Phase::kNotYet), in(Phase::kNotYet)));
  CHECK(may_replace(in(Phase::kNotYet), in(Phase::kOver)));
  CHECK(may_replace(in(Phase::kOver), in(Phase::kOver)));
}
