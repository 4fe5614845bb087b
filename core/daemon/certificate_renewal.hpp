// Keeps what the listeners with TLS show up to date: reads its files again when one of them has
// changed, on SIGHUP, and where the configuration names others. Who is connected does not notice,
// and what cannot be used changes nothing; one that is not valid yet waits for its time. Says once
// a day that the certificate is about to expire, for which alone a server at rest is woken. Does
// nothing where no listener has TLS. Loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/config/config.hpp"
#include "core/files/file_watcher.hpp"
#include "core/net/server.hpp"

namespace jackfield::daemon {

class CertificateRenewal {
 public:
  // Certificate and key are mostly written one after the other; so long after the first of them has
  // changed nothing is said of files that do not belong together, or are not there.
  static constexpr std::chrono::milliseconds kPatience{5000};

  // All of them outlive it; `config` is what the server runs with.
  CertificateRenewal(const config::Config& config, base::Log& log, base::Loop& loop,
                     net::Server& server)
      : config_(config), log_(log), loop_(loop), server_(server) {}
  ~CertificateRenewal() { end(); }
  CertificateRenewal(const CertificateRenewal&) = delete;
  CertificateRenewal& operator=(const CertificateRenewal&) = delete;

  // Watches the files. Before the server reads them, so that no change is missed, and whenever the
  // configuration may name others.
  void watch();
  // The server has started: says how old the certificate is, from now on once a day.
  void begin();
  // Reads the files again, whether they have changed or not.
  void read_again();
  // Nothing is read any more.
  void end();

 private:
  enum class Failing : bool { kIsSaid, kMayPass };

  void file_changed();
  void read(Failing failing);
  void refuse(const std::string& reason);
  // Each key of [tls] that is not what the listeners go by.
  void say_not_in_force(const std::string& reason);
  void take(const net::TlsCredentials::Loaded& loaded);
  // Reads again when a certificate that is not valid yet begins (seconds since 1970).
  void wait_for(std::int64_t begin);
  void say_age();

  const config::Config& config_;
  base::Log& log_;
  base::Loop& loop_;
  net::Server& server_;
  std::vector<std::filesystem::path> watched_;
  std::vector<std::unique_ptr<files::FileWatcher>> watchers_;  // of watched_
  base::TimerId patience_timer_ = 0;
  base::TimerId begin_timer_ = 0;
  base::TimerId age_timer_ = 0;
};

}  // namespace jackfield::daemon
