// The WebSocket server over libwebsockets: listeners, handshakes, and a link for each connection.
// Nothing outside this folder knows libwebsockets or its loop. Loop thread.
#pragma once

#include <libwebsockets.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/access/gate.hpp"
#include "core/base/descriptor.hpp"
#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/hub/hub.hpp"
#include "core/net/addresses.hpp"
#include "core/net/admission.hpp"
#include "core/net/counts.hpp"
#include "core/net/first_messages.hpp"
#include "core/net/handshake.hpp"
#include "core/net/handshakes.hpp"
#include "core/net/heartbeats.hpp"
#include "core/net/listener.hpp"
#include "core/net/loop_uv.hpp"
#include "core/net/pieces.hpp"
#include "core/net/reads.hpp"
#include "core/net/settings.hpp"
#include "core/net/tls.hpp"
#include "core/net/vhosts.hpp"
#include "core/net/warrants.hpp"
#include "core/net/ws_link.hpp"

namespace jackfield::net {

class Server {
 public:
  // Links that were refused and have not ended yet; with one more the oldest is cut. So a flood of
  // them takes no descriptors from the others.
  static constexpr std::size_t kMaxRefused = 256;
  // Sockets of one address beyond its limit: more are closed as soon as they are accepted.
  static constexpr std::size_t kAddressSpare = 16;
  // Sockets beyond the most connections, whatever their state: more are closed likewise.
  static constexpr std::size_t kSpareSockets = Handshakes::kMax + kMaxRefused;

  // All of them outlive it.
  Server(const Settings& settings, LoopUv& loop, hub::Hub& hub, base::Log& log);
  // Cuts what is still connected, and turns the loop until libwebsockets has let go of it.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens on every endpoint of the settings, and reads what TLS needs where one of them has it;
  // who connects waits for `begin_accepting`. Fails with one sentence.
  base::Status start();

  // Makes the Unix sockets a user's, who may then connect by their mode; only root can. Fails with
  // one sentence.
  base::Status give_sockets_to(uid_t user, gid_t group);

  // Whom the process will be, where it is still root: he may own the key of TLS. Until then whoever
  // it is. Before `start`.
  void set_user(uid_t user) { user_ = user; }

  // Serves whoever connects.
  void begin_accepting();

  // With the ports that were given.
  std::vector<Endpoint> endpoints() const;

  // New settings, for what comes from now on; but pings and the time for handshakes also for those
  // who are connected. Where it listens stays as it is. The log's level counts here too.
  void apply(const Settings& settings);

  // ---- TLS: what `start` has read, and what takes its place
  bool has_tls() const { return tls_ != nullptr; }
  // REQUIRES: has_tls(), and `start` has succeeded.
  const TlsCredentials& tls_credentials() const { return *tls_->credentials(); }
  // For who connects from now on. REQUIRES: has_tls(), and not null.
  void use_tls_credentials(std::shared_ptr<const TlsCredentials> credentials) {
    tls_->use(std::move(credentials));
  }

  // ---- who may come in
  // Asked for each request from now on; outlives this. Null: nobody is, everybody is let in.
  void set_gate(const access::Gate* gate);
  // The gate has changed: closes those that it would not let in any more by what they came with.
  void recheck_warrants() { warrants_.recheck(links_); }

  void stop_listening() { listeners_.clear(); }

  // Called whenever the last connection has ended. Set once.
  void on_empty(std::function<void()> task) { on_empty_ = std::move(task); }
  bool is_empty() const { return links_.empty(); }
  // WebSockets that have not ended yet, those that are closing included.
  std::size_t connection_count() const { return links_.size(); }

  // libwebsockets had no memory for a connection. What it has made of one by then, a handle on the
  // loop among it, it forgets, and calls into its unloaded plugin for libuv when the loop ends it
  // (4.1.6): this must not be destroyed then, the process ends without.
  bool is_damaged() const { return is_damaged_; }

  // Counted since its start.
  const Counts& counts() const { return counts_; }

  // Once the loop has served what was readable: reads on where there may be more, and then judges
  // whose time is up.
  void read_on();

  // At the end of each turn: lets the hub write, then cuts what turned out broken.
  void end_turn();

  // ---- for links
  hub::Hub& hub() { return hub_; }
  LoopUv& loop() { return loop_; }
  base::Log& log() { return log_; }
  const Settings& settings() const { return settings_; }
  Counts& counts() { return counts_; }
  // Whether the loop serves what it has waited for: sockets, as it finds them readable.
  bool is_waiting() const { return is_waiting_; }
  Pieces& pieces() { return pieces_; }
  // So many octets of a message came.
  void count_read(WsLink& link, std::size_t octets) { reads_.came(link, octets); }
  // A link with TLS takes again what was read for it, or will be.
  void resume_tls(lws* wsi) { tls_->resume(wsi); }
  // A message came whole.
  void count_message(WsLink& link) { first_messages_.end(link); }
  // Cuts the link at the end of this turn: not within a call of the hub.
  void cut_later(WsLink& link);

 private:
  static int callback(lws* wsi, lws_callback_reasons reason, void* user, void* in,
                      std::size_t size);
  int dispatch(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size);

  // One for each reason; the result is libwebsockets'.
  int request(lws* wsi);
  int confirm_upgrade(lws* wsi);
  int refuse(lws* wsi, const Refusal& refusal);
  int established(lws* wsi);
  int peer_closes(WsLink& link, std::string_view payload);
  int closed(lws* wsi, WsLink& link);

  void accepted(int descriptor, bool is_tls);
  bool is_crowded(Handshakes::Arrival& arrival);
  void limit_refused(WsLink& link);
  void show_peer_certificate(lws* wsi);
  void remove(WsLink& link);

  Settings settings_;
  uid_t user_ = ::geteuid();
  LoopUv& loop_;
  hub::Hub& hub_;
  base::Log& log_;
  Counts counts_;
  // What the request under way offers and is to be found: libwebsockets selects a subprotocol by
  // comparing with the names of its protocols, and one of those is this buffer. Emptied behind
  // that, the answer names none.
  std::array<char, kMaxSubprotocol + 1> offered_{};
  std::array<lws_protocols, 3> protocols_{};
  std::unique_ptr<Tls> tls_;  // null: no listener has TLS
  Vhosts vhosts_;             // its end calls back; so ~Server ends it first of all
  std::vector<std::unique_ptr<Listener>> listeners_;
  Pieces pieces_;
  std::vector<std::unique_ptr<WsLink>> links_;
  bool is_waiting_ = false;
  std::vector<WsLink*> early_;  // whose handshake was answered in this turn
  std::vector<WsLink*> to_cut_;
  std::deque<WsLink*> refused_;  // the oldest first; not those that are to be cut
  const access::Gate* gate_ = nullptr;
  std::optional<Admission> admission_;  // of the upgrade under way
  Addresses addresses_;
  Handshakes handshakes_;
  FirstMessages first_messages_;
  Heartbeats heartbeats_;
  Warrants warrants_;
  Reads reads_;
  bool is_damaged_ = false;
  std::function<void()> on_empty_;
};

}  // namespace jackfield::net
