#include "core/net/ws_link.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/net/heartbeat.hpp"
#include "core/net/server.hpp"
#include "core/wire/frame.hpp"

namespace jackfield::net {
namespace {

using hub::CloseCode;

// For the Close frame to reach a peer that broke a rule.
constexpr std::chrono::milliseconds kFailLinger{500};

// A fragment of a message costs as much as a whole one where it brings fewer octets than this.
constexpr std::size_t kSmallFragment = 64;

// What a received Close is answered with (RFC 6455 sections 5.5.1 and 7.4): its own code, or why it
// breaks a rule. 0: without a code. libwebsockets has put 1002 already for most codes that may not
// be sent.
std::uint16_t answer_to_close(std::string_view payload) {
  if (payload.empty()) return 0;
  constexpr auto kProtocolError = static_cast<std::uint16_t>(CloseCode::kProtocolError);
  if (payload.size() == 1) return kProtocolError;
  const auto code = static_cast<std::uint16_t>((static_cast<unsigned char>(payload[0]) << 8) |
                                               static_cast<unsigned char>(payload[1]));
  const bool is_reserved = code < 1000 || (code >= 1004 && code <= 1006) || code == 1015;
  const bool is_unassigned = (code > 1015 && code < 3000) || code >= 5000;
  if (is_reserved || is_unassigned) return kProtocolError;
  if (!wire::is_utf8(payload.substr(2))) {
    return static_cast<std::uint16_t>(CloseCode::kInvalidPayload);
  }
  return code;
}

// send(2) without glibc's function: that is a point where a thread may be cancelled (pthreads(7)),
// and says so before and after as soon as the process has had a second thread. Nobody cancels this
// one.
long send_now(int descriptor, std::string_view bytes) {
#ifdef SYS_sendto
  return ::syscall(SYS_sendto, descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
#else
  return ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
#endif
}

}  // namespace

WsLink::WsLink(Server& server, lws* wsi, hub::ConnectionFacts facts)
    : is_plain_(lws_is_ssl(wsi) == 0),
      descriptor_(lws_get_socket_fd(wsi)),
      server_(server),
      wsi_(wsi),
      facts_(std::move(facts)) {}

WsLink::~WsLink() {
  if (close_timer_ != 0) server_.loop().cancel_timer(close_timer_);
}

void WsLink::open() {
  sign_at_ = server_.loop().turn_time();
  connection_ = &server_.hub().open(*this);
}

void WsLink::become_deaf() {
  is_deaf_ = true;
  is_early_ = false;
  incoming_.reset();
}

void WsLink::end() noexcept {
  become_deaf();
  if (connection_ == nullptr) return;
  hub::Connection& connection = *std::exchange(connection_, nullptr);
  server_.hub().lost(connection);
}

void WsLink::cut() {
  if (!is_plain_) end_tls(wsi_);
  // Whatever libwebsockets still has to write or read fails at once, and so it closes; but of one
  // that is not read from and has nothing to write it would not hear.
  ::shutdown(descriptor_, SHUT_RDWR);
  end();
  if (std::exchange(is_paused_, false)) lws_rx_flow_control(wsi_, 1);
}

// ---- in

void WsLink::receive(std::string_view piece) {
  heard();
  server_.count_read(*this, piece.size());
  if (is_deaf_) {
    if (!is_early_) return;
    if (!server_.is_waiting()) {
      // It was read with the request. libwebsockets makes its answer to that in the same buffer, so
      // this may be damaged.
      refuse(CloseCode::kProtocolError, "Sent before the handshake was answered");
      return;
    }
    end_early();
  }
  const bool is_first = lws_is_first_fragment(wsi_) != 0;
  const bool is_final = lws_is_final_fragment(wsi_) != 0;
  if (is_first) incoming_.reset();
  if (is_too_big(piece)) {
    ++server_.counts().messages_too_big;
    refuse(CloseCode::kTooBig, "Message is too big");
    return;
  }
  if (is_first && is_final) {
    const bool is_text = lws_frame_is_binary(wsi_) == 0;
    if (is_text && !wire::is_utf8(piece)) {
      refuse_text();
      return;
    }
    take_message(piece, is_text);
    return;
  }
  if (incoming_ == nullptr) {
    incoming_ = std::make_unique<Incoming>(server_.pieces());
    incoming_->is_text = lws_frame_is_binary(wsi_) == 0;
  }
  wire::Utf8Check& utf8 = incoming_->utf8;
  if (incoming_->is_text && (!utf8.feed(piece) || (is_final && !utf8.is_complete()))) {
    refuse_text();
    return;
  }
  const hub::Limits& limits = server_.hub().limits();
  if (!incoming_->pieces.append(piece, limits.max_incoming_bytes, limits.max_connections)) {
    ++server_.counts().pieces_over_budget;
    refuse(CloseCode::kTryAgainLater, "Too much has come in part");
    return;
  }
  if (!is_final) {
    const bool is_frame = lws_remaining_packet_payload(wsi_) == 0;
    if (is_frame && piece.size() < kSmallFragment) charge();
    return;
  }
  const std::unique_ptr<Incoming> whole = std::move(incoming_);
  take_message(whole->pieces.text(), whole->is_text);
}

// For what costs as much as a message, and is none.
void WsLink::charge() {
  if (!is_deaf_) server_.hub().charge(*connection_, server_.loop().turn_time());
}

void WsLink::ponged() {
  const bool is_answer = has_pinged_;
  heard();
  if (!is_answer) charge();
}

void WsLink::end_early() {
  if (std::exchange(is_early_, false)) is_deaf_ = false;
}

// With what is still to come of its frame.
bool WsLink::is_too_big(std::string_view piece) const {
  const std::size_t size =
      (incoming_ == nullptr ? 0 : incoming_->pieces.text().size()) + piece.size();
  const std::size_t limit = server_.hub().limits().max_message_bytes;
  return size > limit || lws_remaining_packet_payload(wsi_) > limit - size;
}

void WsLink::take_message(std::string_view message, bool is_text) {
  server_.count_message(*this);
  server_.hub().receive(*connection_, message, is_text, server_.loop().turn_time());
  if (messages_ < 2) ++messages_;
  if (messages_ == 2) brings_several_ = true;
  if (connection_ == nullptr) return;
  // An answer leaves at once where it is not to be expected that others of the same read join it.
  // Large ones do in any case: they wait with the peer rather than here.
  const bool is_large = connection_->outbox.bytes() > hub::Outbox::kMaxBatch;
  if (!brings_several_ || is_large) server_.hub().flush(*connection_);
}

void WsLink::read_ended() {
  brings_several_ = messages_ == 2;
  messages_ = 0;
  if (connection_ == nullptr) return;
  try {
    server_.hub().flush(*connection_);
  } catch (const std::bad_alloc& error) {
    ++server_.counts().connections_failed;
    server_.log().error("connection dropped", {{"what", error.what()}});
    cut();
  }
}

void WsLink::refuse_text() {
  ++server_.counts().messages_not_utf8;
  refuse(CloseCode::kInvalidPayload, "Text is not UTF-8");
}

void WsLink::refuse(CloseCode code, std::string_view reason) {
  become_deaf();
  server_.hub().close(*connection_, code, reason);
}

bool WsLink::is_open() const {
  return connection_ != nullptr && connection_->state == hub::Connection::State::kOpen;
}

void WsLink::expel(std::string_view reason) {
  if (connection_ != nullptr) refuse(CloseCode::kPolicy, reason);
}

void WsLink::heard() {
  sign_at_ = server_.loop().turn_time();
  has_pinged_ = false;
}

void WsLink::peer_closes(std::string_view payload) {
  become_deaf();
  if (!has_sent_close_ && connection_ != nullptr) {
    // What it asked for before it closed is answered first.
    server_.hub().flush(*connection_);
    if (!has_sent_close_ && !is_congested()) {
      const std::uint16_t code = answer_to_close(payload);
      const std::string_view reason =
          payload.size() > 2 && code >= 1000 && wire::is_utf8(payload.substr(2))
              ? payload.substr(2)
              : std::string_view();
      write(wire::make_close_frame(code, reason).bytes());
      has_sent_close_ = true;
    }
  }
  end();
}

void WsLink::dropped() {
  if (has_sent_close_) {
    // Nothing more may be sent (RFC 6455 section 5.5.1), also not the Close with which
    // libwebsockets would answer a violation that came later.
    if (!is_plain_) end_tls(wsi_);
    ::shutdown(descriptor_, SHUT_WR);
  } else if (lws_get_close_length(wsi_) != 0) {
    // libwebsockets says why, in its own time. The peer's answer need not be awaited after a
    // violation (RFC 6455 section 7.1.7), and after some libwebsockets would not recognise it.
    cut_after(std::min(server_.settings().close_timeout, kFailLinger));
  } else if (is_peer_there() && !is_congested()) {
    // It says nothing of some violations: a control frame with a long length, a length of 64 bits.
    constexpr auto kCode = static_cast<std::uint16_t>(CloseCode::kProtocolError);
    write(wire::make_close_frame(kCode, "Protocol error").bytes());
  }
  end();
}

bool WsLink::is_peer_there() const {
  if (!is_plain_ && has_peer_ended_tls(wsi_)) return false;
  char octet = 0;
  const ssize_t peeked = ::recv(descriptor_, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  return peeked > 0 || (peeked < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

// ---- out

bool WsLink::is_congested() const { return lws_partial_buffered(wsi_) != 0; }

bool WsLink::write(std::string_view frames) {
  if (has_sent_close_) return true;
  if (is_plain_ && !is_congested()) {
    // Bytes that need no encryption, and before which nothing waits, go the short way: what
    // libwebsockets looks at for each write is mostly not in the cache.
    const long sent = send_now(descriptor_, frames);
    if (sent == static_cast<long>(frames.size())) return true;
    if (sent > 0) frames.remove_prefix(static_cast<std::size_t>(sent));
  }
  // On a WebSocket, LWS_WRITE_HTTP passes the bytes through as they are. They are not written to:
  // only libwebsockets' own framing does that.
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(frames.data()));
  if (lws_write(wsi_, bytes, frames.size(), LWS_WRITE_HTTP) < 0) {
    server_.cut_later(*this);
    return true;
  }
  if (!is_congested()) return true;
  // Who does not take answers is not asked for more questions. And libwebsockets, which drops a
  // connection that sends Close while something waits for it, sees that Close only afterwards.
  lws_rx_flow_control(wsi_, 0);
  return false;
}

void WsLink::writable() {
  heard();  // it takes what it is sent
  // All that waits goes before anything more is read: a Close may be next.
  if (connection_ != nullptr) server_.hub().writable(*connection_);
  allow_reading();
}

void WsLink::pause_reading() {
  is_paused_ = true;
  lws_rx_flow_control(wsi_, 0);
}

void WsLink::resume_reading() {
  is_paused_ = false;
  heard();  // it was not listened to
  allow_reading();
}

void WsLink::allow_reading() {
  if (is_paused_ || is_congested()) return;
  lws_rx_flow_control(wsi_, 1);
  if (is_plain_) return;
  try {
    server_.resume_tls(wsi_);
  } catch (const std::bad_alloc&) {
    server_.cut_later(*this);
  }
}

void WsLink::begin_close() {
  become_deaf();
  try {
    cut_after(server_.settings().close_timeout);
  } catch (const std::bad_alloc&) {
    server_.cut_later(*this);
  }
}

void WsLink::cut_after(std::chrono::milliseconds delay) {
  if (close_timer_ != 0) return;
  close_timer_ = server_.loop().start_timer(delay, std::chrono::milliseconds(0), [this] {
    close_timer_ = 0;
    cut();
  });
}

void WsLink::finish_close(std::string_view close_frame) {
  write(close_frame);
  has_sent_close_ = true;
}

// ---- heartbeat

void WsLink::check_heartbeat(std::uint64_t now, std::uint64_t interval, std::uint64_t timeout,
                             std::uint64_t period, bool may_judge) {
  if (is_paused_) return;
  const std::uint64_t silence = now - sign_at_;
  const bool is_due =
      has_pinged_ ? silence >= timeout : heartbeat::is_due(silence, interval, period, descriptor_);
  if (!is_due) return;
  if (has_pinged_ && may_judge) {
    ++server_.counts().heartbeats_missed;
    server_.log().info("connection lost: no answer to pings", {{"peer", facts_.peer()}});
    cut();
    return;
  }
  has_pinged_ = true;
  sign_at_ = now;
  // Nothing may follow a Close of libwebsockets' own, after a protocol error.
  const bool is_free = !is_congested() && lws_get_close_length(wsi_) == 0;
  if (is_free) write(wire::make_ping_frame().bytes());
}

}  // namespace jackfield::net
