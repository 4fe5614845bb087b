// One WebSocket of libwebsockets as a link of the hub. Made when the handshake is done, destroyed
// when libwebsockets has closed the connection. Loop thread.
#pragma once

#include <libwebsockets.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/loop.hpp"
#include "core/hub/hub.hpp"
#include "core/hub/link.hpp"
#include "core/net/pieces.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::net {

class Server;

class WsLink : public hub::Link {
 public:
  WsLink(Server& server, lws* wsi, hub::ConnectionFacts facts);
  ~WsLink() override;
  WsLink(const WsLink&) = delete;
  WsLink& operator=(const WsLink&) = delete;

  // ---- hub::Link
  const hub::ConnectionFacts& facts() const override { return facts_; }
  bool is_congested() const override;
  bool write(std::string_view frames) override;
  void pause_reading() override;
  void resume_reading() override;
  void begin_close() override;
  void finish_close(std::string_view close_frame) override;

  // ---- from libwebsockets, by way of the Server

  // Hands it to the hub.
  void open();
  void receive(std::string_view piece);
  // The turn has ended in which the handshake was answered. What is received until then and was not
  // waited for came with the request, which RFC 6455 section 4.1 forbids.
  void end_early();
  // What was read in one go has been received. Throws nothing: who runs out of memory is cut.
  void read_ended();
  void writable();
  // The peer is there.
  void heard();
  // A pong came: one that nobody asked for counts as a message.
  void ponged();
  // The peer sent Close with this payload (RFC 6455 section 5.5.1); answers it. libwebsockets is to
  // close the connection then.
  void peer_closes(std::string_view payload);
  // libwebsockets closes the connection by itself.
  void dropped();
  // Nothing more goes through this connection. The hub cannot fail to know of that.
  void end() noexcept;

  // ---- from the Server's clock; milliseconds of the loop

  // Sends a ping before nothing was heard for `interval`; cuts the connection where nothing was for
  // `timeout` after it, so never without having asked; without `may_judge` it asks again instead.
  // Called each `period`, when all is read that there is: who is gone is cut within interval and
  // timeout after the last that was heard. Each link has its own part of the interval, from 80 to
  // 100 %: those that came at the same time are not pinged at the same time.
  void check_heartbeat(std::uint64_t now, std::uint64_t interval, std::uint64_t timeout,
                       std::uint64_t period, bool may_judge);

  // Whether it is not being closed, as far as the hub knows.
  bool is_open() const;
  // Closes the connection with 1008 and this reason.
  void expel(std::string_view reason);

  // Ends the connection without a handshake.
  void cut();

  // Whether what the peer sends is taken.
  bool is_read_from() const { return !is_deaf_ && !is_paused_ && !is_congested(); }
  int descriptor() const { return descriptor_; }

  // The Server's: its place in the list of links, and whether it is cut at the end of this turn.
  std::uint32_t index = 0;
  bool is_to_be_cut = false;

 private:
  // A message of which pieces have come, and more are to come.
  struct Incoming {
    explicit Incoming(Pieces& all) : pieces(all) {}

    Pieces::Of pieces;
    wire::Utf8Check utf8;  // where it is text
    bool is_text = false;
  };

  bool is_peer_there() const;
  void become_deaf();
  void allow_reading();
  void cut_after(std::chrono::milliseconds delay);
  bool is_too_big(std::string_view piece) const;
  void take_message(std::string_view message, bool is_text);
  void charge();
  void refuse_text();
  void refuse(hub::CloseCode code, std::string_view reason);

  const bool is_plain_;     // not TLS
  bool is_deaf_ = true;     // what is received is dropped: the connection is being closed, or
  bool is_early_ = true;    // its handshake was answered in this turn
  bool is_paused_ = false;  // not read from, because the hub asked for it
  bool has_sent_close_ = false;
  bool has_pinged_ = false;      // since something was heard
  bool brings_several_ = false;  // the read under way held several messages, or the last one did
  std::uint8_t messages_ = 0;    // of the read under way; 2: or more
  const int descriptor_;
  Server& server_;
  lws* const wsi_;
  hub::Connection* connection_ = nullptr;  // null before `open`, and once the hub knows of the end
  const hub::ConnectionFacts facts_;
  std::unique_ptr<Incoming> incoming_;  // null: none, as mostly
  std::uint64_t sign_at_ = 0;           // when it was pinged, or else when it was heard
  base::TimerId close_timer_ = 0;
};

}  // namespace jackfield::net
