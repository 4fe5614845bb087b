#include "core/daemon/certificate_renewal.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/config/changes.hpp"
#include "core/daemon/certificate_age.hpp"

namespace jackfield::daemon {
namespace {

using base::LogLevel;
using Loaded = net::TlsCredentials::Loaded;

constexpr std::chrono::hours kDay{24};

std::int64_t now() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Each once.
std::vector<std::filesystem::path> files_of(const net::TlsSettings& tls) {
  std::vector<std::filesystem::path> files{tls.certificate};
  for (const auto& file : {tls.key, tls.client_ca}) {
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }
  std::erase(files, std::filesystem::path());
  return files;
}

}  // namespace

void CertificateRenewal::watch() {
  const bool is_wanted = config_.watch && net::has_tls(config_.server.listen);
  std::vector<std::filesystem::path> files;
  if (is_wanted) files = files_of(config_.server.tls);
  if (files == watched_) return;
  watchers_.clear();
  watched_ = std::move(files);
  for (const std::filesystem::path& file : watched_) {
    files::FileWatcher::Options options;
    options.path = file;
    watchers_.push_back(std::make_unique<files::FileWatcher>(
        std::move(options), loop_, log_,
        [this](const std::filesystem::path& /*file*/) { file_changed(); }));
    watchers_.back()->start();
  }
}

void CertificateRenewal::begin() {
  if (!server_.has_tls()) return;
  say_age();
  age_timer_ = loop_.start_timer(kDay, kDay, [this] { say_age(); });
}

void CertificateRenewal::end() {
  watchers_.clear();
  watched_.clear();
  loop_.cancel_timer(std::exchange(patience_timer_, 0));
  loop_.cancel_timer(std::exchange(begin_timer_, 0));
  loop_.cancel_timer(std::exchange(age_timer_, 0));
}

void CertificateRenewal::read_again() { read(Failing::kIsSaid); }

void CertificateRenewal::file_changed() { read(Failing::kMayPass); }

void CertificateRenewal::read(Failing failing) {
  const net::TlsSettings& tls = config_.server.tls;
  // Without a certificate: the new configuration has no listener with TLS, which takes a start.
  if (!server_.has_tls() || tls.certificate.empty() || tls.key.empty()) return;
  const Loaded loaded = net::TlsCredentials::load(tls);
  if (loaded.credentials == nullptr && failing == Failing::kMayPass) {
    if (patience_timer_ != 0) return;
    patience_timer_ = loop_.start_timer(kPatience, std::chrono::milliseconds(0), [this] {
      patience_timer_ = 0;
      read(Failing::kIsSaid);
    });
    return;
  }
  loop_.cancel_timer(std::exchange(patience_timer_, 0));
  loop_.cancel_timer(std::exchange(begin_timer_, 0));
  if (loaded.credentials == nullptr) {
    refuse(loaded.sentence);
  } else if (!loaded.credentials->is_same(server_.tls_credentials())) {
    take(loaded);
  }
}

void CertificateRenewal::refuse(const std::string& reason) {
  const net::TlsCertificate& kept = server_.tls_credentials().certificate();
  log_.write_each(
      LogLevel::kError, "certificate not renewed",
      {{"reason", reason}, {"kept", kept.serial}, {"kept_until", to_date(kept.not_after)}});
  say_not_in_force(reason);
}

// The configuration was announced, and may ask for more than what is kept: for certificates of
// clients, say. HSTS is no matter of the files and counts already.
void CertificateRenewal::say_not_in_force(const std::string& reason) {
  config::Config in_force = config_;
  in_force.server.tls = server_.tls_credentials().settings();
  in_force.server.tls.hsts_max_age_s = config_.server.tls.hsts_max_age_s;
  for (const config::Change& change : config::find_changes(in_force, config_)) {
    log_.write_each(
        LogLevel::kError, "not in force",
        {{"key", change.key}, {"now", change.before}, {"then", change.after}, {"reason", reason}});
  }
}

void CertificateRenewal::take(const Loaded& loaded) {
  const net::TlsCertificate& found = loaded.credentials->certificate();
  const auto age = judge_age(found, now());
  const auto kept_age = judge_age(server_.tls_credentials().certificate(), now());
  if (!may_replace(age, kept_age)) {
    if (age->phase == CertificateAge::Phase::kNotYet) wait_for(found.not_before);
    return refuse("the certificate " + config_.server.tls.certificate.string() + " " +
                  age->sentence);
  }
  const bool is_renewed = !loaded.credentials->has_same_certificate(server_.tls_credentials());
  server_.use_tls_credentials(loaded.credentials);
  log_.write_each(LogLevel::kInfo,
                  is_renewed ? "certificate renewed" : "TLS settings taken, same certificate",
                  {{"subject", found.subject},
                   {"serial", found.serial},
                   {"expires", to_date(found.not_after)}});
  for (const std::string& warning : loaded.warnings) {
    log_.write_each(LogLevel::kWarning, "TLS", {{"warning", warning}});
  }
  say_age();
}

// At the latest in a day, for the clock may be set meanwhile.
void CertificateRenewal::wait_for(std::int64_t begin) {
  const std::chrono::seconds left(begin - now());
  const auto delay = std::clamp<std::chrono::milliseconds>(left, std::chrono::seconds(1), kDay);
  begin_timer_ = loop_.start_timer(delay, std::chrono::milliseconds(0), [this] {
    begin_timer_ = 0;
    read(Failing::kIsSaid);
  });
}

void CertificateRenewal::say_age() {
  const auto age = judge_age(server_.tls_credentials().certificate(), now());
  if (!age) return;
  log_.write_each(age->level, "certificate",
                  {{"file", config_.server.tls.certificate.string()}, {"state", age->sentence}});
}

}  // namespace jackfield::daemon
