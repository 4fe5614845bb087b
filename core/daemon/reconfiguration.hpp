// Reads the configuration again while the server runs, because of SIGHUP or because its file has
// changed, and gives each part what is new for it. A file with any mistake changes nothing. One
// reading at a time: what asks for more meanwhile is answered by the next one. The file is read on
// the loop: it is small, and a local one. Loop thread.
#pragma once

#include <memory>
#include <vector>

#include "core/access/gate.hpp"
#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/config/changes.hpp"
#include "core/config/config.hpp"
#include "core/daemon/certificate_renewal.hpp"
#include "core/daemon/config_source.hpp"
#include "core/files/file_watcher.hpp"
#include "core/hub/hub.hpp"
#include "core/net/server.hpp"
#include "core/plugin/plugin_set.hpp"

namespace jackfield::daemon {

class Reconfiguration {
 public:
  // Mistakes of one reading that are logged; of the others the number is.
  static constexpr std::size_t kMaxMistakes = 20;

  // What runs by the configuration. All of it outlives this.
  struct Parts {
    base::Log& log;
    base::Loop& loop;
    access::Gate& gate;
    hub::Hub& hub;
    net::Server& server;
    plugin::PluginSet& plugins;
    CertificateRenewal& certificates;
  };

  // `config` is what the server starts with, read from `source`; it is kept at what it runs with,
  // and outlives this.
  Reconfiguration(ConfigSource source, config::Config& config, const Parts& parts);
  Reconfiguration(const Reconfiguration&) = delete;
  Reconfiguration& operator=(const Reconfiguration&) = delete;

  // All parts run: what was asked for before is done now, and the file is watched.
  void begin();
  // Nothing is read any more.
  void end();

  // SIGHUP: the file is read again, the certificate too, and the plugins folder looked at. At any
  // time.
  void hang_up();

 private:
  enum class Stage : std::uint8_t { kNew, kOpen, kEnded };

  void ask();
  void look();
  void read();
  void refuse(const std::vector<config::Mistake>& mistakes);
  void take(const config::Config& wanted);
  void say_changes(const std::vector<config::Change>& changes);
  void say_distrust();
  void warn_of_unreadable();
  void say_postponed(const std::vector<config::Change>& postponed);
  void apply();
  void apply_access();
  void gate_changed();
  void watch();

  ConfigSource source_;
  const config::Config started_;
  config::Config& config_;
  const Parts parts_;
  std::unique_ptr<files::FileWatcher> watcher_;
  Stage stage_ = Stage::kNew;
  bool is_asked_ = false;
};

}  // namespace jackfield::daemon
