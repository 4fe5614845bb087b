#include "core/daemon/daemon.hpp"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "core/daemon/privileges.hpp"
#include "core/plugin/runtime_directory.hpp"

namespace jackfield::daemon {
namespace {

// How long a plugin's running job may hold up the end of the process.
constexpr std::chrono::seconds kPluginPatience{5};

// Connections that are refused or on their way in, listeners, plugins' own files.
constexpr rlim_t kSpareDescriptors = 1024;
static_assert(net::Server::kSpareSockets + 256 <= kSpareDescriptors);

constexpr std::array kStopSignals{SIGTERM, SIGINT};

// Signals that ask for the end, counted where they arrive. With the next one the handlers are the
// process's only state outside objects: a signal handler has no other (signal-safety(7)).
std::atomic<int> stop_signals{0};
std::atomic<void (*)(int)> first_handler{nullptr};

// The first is the loop's matter. A second one ends the process there and then: the loop may be
// held up by a plugin.
void handle_stop_signal(int signal) {
  if (stop_signals.fetch_add(1) > 0) ::_exit(128 + signal);
  first_handler.load()(signal);
}

// REQUIRES: libuv handles the signal already.
void watch_for_second(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  first_handler = action.sa_handler;
  action.sa_handler = handle_stop_signal;
  ::sigaction(signal, &action, nullptr);
}

// Never waits for whoever reads the log: a line for which there is no room is dropped, and counted
// in the next one. A pipe that is writable has room for PIPE_BUF octets (pipe(7), poll(2)), and a
// line is no longer. A file takes it whole unless its disk is full.
class StderrSink {
 public:
  void operator()(std::string_view line) {
    static_assert(base::Log::kMaxLineOctets <= PIPE_BUF);
    if (!is_ready() || !say_dropped() || !write_whole(line)) ++dropped_;
  }

 private:
  static bool is_ready() {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&ready, 1, 0) != 0;
  }

  bool say_dropped() {
    if (is_cut_ && !write_whole("\n")) return false;
    is_cut_ = false;
    if (dropped_ == 0) return true;
    if (!write_whole("log lines dropped: " + std::to_string(dropped_) + "\n")) return false;
    dropped_ = 0;
    return true;
  }

  // False where not all of it could be: the disk is full, or nobody reads the log. The server goes
  // on.
  bool write_whole(std::string_view text) {
    bool has_begun = false;
    while (!text.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        is_cut_ = is_cut_ || has_begun;
        return false;
      }
      has_begun = true;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  std::uint64_t dropped_ = 0;
  bool is_cut_ = false;  // the last line in there has no end
};

// As many descriptors as are needed, as far as that is allowed; not more, for libwebsockets makes
// its tables for as many as there may be: for good, which is why max_connections cannot grow later
// (config/keys.cpp).
void limit_descriptors(std::size_t max_connections, base::Log& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = static_cast<rlim_t>(max_connections) + kSpareDescriptors;
  // Root may go over it (setrlimit(2)).
  const rlimit higher{wanted, wanted};
  if (wanted > limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &higher) == 0) return;
  if (wanted > limit.rlim_max) {
    log.warning("fewer descriptors than connections may need",
                {{"max_connections", max_connections}, {"descriptors", limit.rlim_max}});
  }
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Daemon::Daemon(ConfigSource source, config::Config config)
    : config_(std::move(config)),
      log_(config_.log_level, StderrSink()),
      gate_(loop_, log_),
      hub_(config_.limits, ids_, log_),
      plugins_(config_.plugins, hub_, loop_, ids_, log_),
      certificates_(config_, log_, loop_, server_),
      reconfiguration_(std::move(source), config_,
                       {log_, loop_, gate_, hub_, server_, plugins_, certificates_}),
      server_(config_.server, loop_, hub_, log_) {}

Daemon::~Daemon() = default;

base::Status Daemon::start() {
  // A peer that is gone, and a file that may not grow (setrlimit(2)), are error values of write(2).
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  // First, for without it the signal ends the process. It also comes when a terminal goes
  // (termios(3)).
  loop_.on_signal(SIGHUP, [this](int) { reconfiguration_.hang_up(); });
  const auto user = find_process_user(config_.process);
  if (!user.is_ok()) return base::Status::failure(user.message());
  // Nothing that is made from here on, by plugins too, is for others to write.
  ::umask(::umask(S_IWGRP | S_IWOTH) | S_IWGRP | S_IWOTH);
  limit_descriptors(config_.limits.max_connections, log_);
  certificates_.watch();
  hub_.set_backlog(config_.backlog);
  if (user.value()) {
    gate_.set_user(user.value()->user);
    server_.set_user(user.value()->user);
  }
  if (auto status = gate_.apply(config_.access, config_.watch); !status.is_ok()) return status;
  hub_.set_access(gate_.policy());
  server_.set_gate(&gate_);
  if (auto status = server_.start(); !status.is_ok()) return status;
  if (auto status = give_up_root(user.value()); !status.is_ok()) return status;
  if (auto status = plugins_.begin(); !status.is_ok()) return status;
  loop_.on_served([this] { server_.read_on(); });
  loop_.on_turn_end([this] { server_.end_turn(); });
  loop_.run_until([this] { return plugins_.is_settled(); });
  open_status_socket();
  certificates_.begin();
  reconfiguration_.begin();
  watch_signals();
  server_.begin_accepting();  // who is served may count on all the rest
  return base::Status::ok();
}

// Once it has all that only root may take, and before any thread or plugin is there that would keep
// root's rights.
base::Status Daemon::give_up_root(const std::optional<base::Account>& user) {
  if (!user || user->user == 0) {
    if (::geteuid() == 0) {
      log_.warning("runs as root", {{"reason", user ? "process.user is root: nothing is given up"
                                                    : "process.user names nobody to change to"}});
    }
    return base::Status::ok();
  }
  if (::geteuid() == 0) {
    auto prepared =
        plugin::prepare_runtime_directories(config_.plugins.runtime_directory, user->user,
                                            user->group, !config_.plugins.allow_writable_by_others);
    if (!prepared.is_ok()) return prepared;
    if (auto given = server_.give_sockets_to(user->user, user->group); !given.is_ok()) return given;
  }
  if (auto status = become_process_user(*user); !status.is_ok()) return status;
  log_.info("runs as",
            {{"user", base::user_name(user->user)}, {"group", base::group_name(user->group)}});
  return base::Status::ok();
}

// A server that cannot be asked serves all the same.
void Daemon::open_status_socket() {
  if (plugins_.runtime_folder().empty()) {
    log_.warning("no status can be asked for", {{"reason", "there is no runtime folder"}});
    return;
  }
  auto opened =
      StatusSocket::open(plugins_.runtime_folder() / kStatusSocketName, loop_, log_,
                         [this] { return make_status(config_, hub_, server_, plugins_); });
  if (opened.is_ok()) {
    status_socket_ = std::move(opened.value());
  } else {
    log_.warning("no status can be asked for", {{"reason", opened.message()}});
  }
}

void Daemon::watch_signals() {
  for (const int signal : kStopSignals) {
    loop_.on_signal(signal, [this](int number) {
      if (!std::exchange(is_stopping_, true)) stop(number);
    });
    watch_for_second(signal);
  }
}

void Daemon::run() {
  log_.info("serving", {{"version", JACKFIELD_VERSION},
                        {"plugins", plugins_.plugins().size()},
                        {"max_connections", config_.limits.max_connections}});
  loop_.run();
  finish_stop();
}

void Daemon::stop(int signal) {
  log_.info("shutting down", {{"signal", signal}, {"connections", hub_.connection_count()}});
  reconfiguration_.end();
  certificates_.end();
  server_.stop_listening();
  server_.on_empty([this] { loop_.stop(); });
  hub_.shut_down();
  if (server_.is_empty()) loop_.stop();
  loop_.start_timer(config_.server.shutdown_timeout, std::chrono::milliseconds(0), [this] {
    log_.warning("shutdown timed out", {{"connections", server_.connection_count()}});
    loop_.stop();
  });
}

void Daemon::finish_stop() {
  status_socket_.reset();
  const bool are_ended = stop_plugins();
  log_.info("stopped");
  // It is done already.
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);
  // A thread of a plugin may still use what destructors would take away.
  if (!are_ended || server_.is_damaged()) std::_Exit(EXIT_SUCCESS);
}

// Whether all of them have ended.
bool Daemon::stop_plugins() {
  plugins_.begin_stop();
  bool is_over = false;
  const base::TimerId timer = loop_.start_timer(kPluginPatience, std::chrono::milliseconds(0),
                                                [&is_over] { is_over = true; });
  loop_.run_until([&] { return is_over || plugins_.is_stopped(); });
  if (!is_over) loop_.cancel_timer(timer);
  return !plugins_.has_left_behind();
}

}  // namespace jackfield::daemon
