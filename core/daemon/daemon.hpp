// The server as a whole: makes the layers, ties them together, runs them, and ends them in order.
// Everything in it belongs to the thread that makes it.
#pragma once

#include <memory>
#include <optional>

#include "core/access/gate.hpp"
#include "core/base/account_names.hpp"
#include "core/base/ids.hpp"
#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/config/config.hpp"
#include "core/daemon/certificate_renewal.hpp"
#include "core/daemon/config_source.hpp"
#include "core/daemon/reconfiguration.hpp"
#include "core/daemon/status_socket.hpp"
#include "core/hub/hub.hpp"
#include "core/net/loop_uv.hpp"
#include "core/net/server.hpp"
#include "core/plugin/plugin_set.hpp"

namespace jackfield::daemon {

class Daemon {
 public:
  // `config` was read from `source`.
  Daemon(ConfigSource source, config::Config config);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Listens, becomes the user that the settings name, loads the plugins, and then accepts. Fails
  // with one sentence. REQUIRES: there is no other thread.
  base::Status start();

  // Serves until SIGTERM or SIGINT, then closes everyone, at most for the time that the settings
  // give, and stops the plugins. A second of these signals ends the process at once. SIGHUP, from
  // `start` on, has the configuration read again.
  void run();

  const net::Server& server() const { return server_; }
  const plugin::PluginSet& plugins() const { return plugins_; }
  // As it runs; changes with Reconfiguration.
  const config::Config& config() const { return config_; }

 private:
  void watch_signals();
  base::Status give_up_root(const std::optional<base::Account>& user);
  void open_status_socket();
  void stop(int signal);
  void finish_stop();
  bool stop_plugins();

  config::Config config_;
  base::Log log_;
  base::IdSource ids_;
  net::LoopUv loop_;
  access::Gate gate_;
  hub::Hub hub_;
  plugin::PluginSet plugins_;
  CertificateRenewal certificates_;
  Reconfiguration reconfiguration_;  // before the server, which turns the loop once more at its end
  net::Server server_;
  std::unique_ptr<StatusSocket> status_socket_;
  bool is_stopping_ = false;
};

}  // namespace jackfield::daemon
