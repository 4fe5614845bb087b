// libwebsockets as the server runs it: its context on the server's loop, a vhost for each kind of
// listener, its log, and the header that its answers over TLS have. One in a process, for
// libwebsockets has one log. Loop thread.
#pragma once

#include <libwebsockets.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/net/counts.hpp"
#include "core/net/loop_uv.hpp"
#include "core/net/settings.hpp"

namespace jackfield::net {

class Vhosts {
 public:
  // All of them outlive it.
  Vhosts(LoopUv& loop, base::Log& log, Counts& counts) : loop_(loop), log_(log), counts_(counts) {}
  ~Vhosts() { end(); }
  Vhosts(const Vhosts&) = delete;
  Vhosts& operator=(const Vhosts&) = delete;

  // `protocols`: a list that outlives this, the end marked as libwebsockets has it; with the same
  // rx_buffer_size each. `user`: what lws_context_user() gives the protocols' callbacks. Fails with
  // one sentence.
  base::Status start(const Settings& settings, const lws_protocols* protocols, void* user);

  // What libwebsockets logs, and the HSTS header, from now on.
  void apply(const Settings& settings);

  // Cuts what is connected, each with its callbacks, and turns the loop until libwebsockets has let
  // go of it. Nothing happens the second time.
  void end();

  // Gives it the socket, which is closed where that fails: null then, and where `is_tls` also for
  // octets that came with the connection and are no TLS.
  lws* adopt(int descriptor, bool is_tls) {
    return lws_adopt_socket_vhost(is_tls ? tls_vhost_ : vhost_, descriptor);
  }

  lws_context* context() const { return context_; }

  // Adds to a 101 over TLS what other answers have by their vhost (LWS_CALLBACK_ADD_HEADERS).
  // Whether there was room.
  bool add_hsts(lws* wsi, lws_process_html_args& headers) const;
  // What an answer without libwebsockets' headers must say by Strict-Transport-Security; empty
  // without TLS.
  std::string_view hsts_of(lws* wsi) const {
    return lws_is_ssl(wsi) == 0 ? std::string_view() : std::string_view(hsts_);
  }

  // Nobody is connected: stops libwebsockets' timers, so that nothing wakes an idle server.
  void rest();

 private:
  base::Status add_plain(lws_context_creation_info& info);
  base::Status add_tls(lws_context_creation_info& info);
  void set_hsts(const Settings& settings);
  void show_log() const;

  LoopUv& loop_;
  base::Log& log_;
  Counts& counts_;
  lws_context* context_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  lws_vhost* tls_vhost_ = nullptr;  // null: no listener has TLS
  // libwebsockets points to these.
  std::string hsts_;  // empty: not said
  lws_protocol_vhost_options first_header_{};
  lws_protocol_vhost_options hsts_header_{};
  std::vector<uv_timer_t*> timers_;  // of the context, as long as that is there
};

}  // namespace jackfield::net
