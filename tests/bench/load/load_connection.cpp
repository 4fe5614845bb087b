#include "tests/bench/load/load_connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/bench/load/load.hpp"

namespace jackfield::bench {

LoadConnection::~LoadConnection() {
  if (socket_ >= 0) ::close(socket_);
}

void LoadConnection::connect(std::uint16_t port, const Dialect::Opening& opening) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) fail("cannot be made: " + std::string(std::strerror(errno)));
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket_, to, sizeof address) != 0 && errno != EINPROGRESS) {
    fail("cannot connect: " + std::string(std::strerror(errno)));
  }
  unsent_ = "GET " + opening.target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
            "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  if (!opening.subprotocol.empty()) {
    unsent_ += "Sec-WebSocket-Protocol: " + opening.subprotocol + "\r\n";
  }
  unsent_ += "\r\n";
  events_ = EPOLLIN | EPOLLOUT;
  epoll_event event{};
  event.events = events_;
  event.data.ptr = this;
  if (::epoll_ctl(load_.epoll_, EPOLL_CTL_ADD, socket_, &event) != 0) {
    fail("cannot be watched: " + std::string(std::strerror(errno)));
  }
}

void LoadConnection::reset_at_close() {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  if (socket_ >= 0) ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

void LoadConnection::subscribe(std::string_view topic, std::size_t number) {
  load_.dialect_.subscribe(topic, number, load_.frames_);
  send_frames();
}

void LoadConnection::unsubscribe(std::string_view topic, std::size_t number) {
  load_.dialect_.unsubscribe(topic, number, load_.frames_);
  send_frames();
}

void LoadConnection::publish(std::string_view topic, std::string_view body) {
  load_.dialect_.publish(topic, body, load_.frames_);
  send_frames();
  flush();
}

void LoadConnection::echo(std::string_view topic, std::string_view body) {
  load_.dialect_.echo(topic, body, load_.frames_);
  send_frames();
  flush();
}

void LoadConnection::send_frames() {
  const Opcode opcode = load_.dialect_.is_binary() ? Opcode::kBinary : Opcode::kText;
  for (const std::string& frame : load_.frames_) send(opcode, frame);
  load_.frames_.clear();
}

void LoadConnection::send(Opcode opcode, std::string_view payload) {
  append_frame(opcode, payload, unsent_);
  if (is_dirty_) return;
  is_dirty_ = true;
  load_.dirty_.push_back(this);
}

void LoadConnection::wait_for(std::uint32_t events) {
  if (events == events_) return;
  events_ = events;
  epoll_event event{};
  event.events = events;
  event.data.ptr = this;
  ::epoll_ctl(load_.epoll_, EPOLL_CTL_MOD, socket_, &event);
}

void LoadConnection::flush_at_turn() {
  is_dirty_ = false;
  flush();
}

void LoadConnection::flush() {
  while (sent_ < unsent_.size()) {
    const ssize_t size =
        ::send(socket_, unsent_.data() + sent_, unsent_.size() - sent_, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return wait_for(EPOLLIN | EPOLLOUT);
    if (size < 0) fail("cannot send: " + std::string(std::strerror(errno)));
    sent_ += static_cast<std::size_t>(size);
  }
  unsent_.clear();
  sent_ = 0;
  wait_for(EPOLLIN);
}

void LoadConnection::take_events(std::uint32_t events) {
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) fail("cannot connect: " + std::string(std::strerror(error)));
    if ((events & EPOLLOUT) == 0) return;
    state_ = State::kUpgrading;
  }
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void LoadConnection::read() {
  char* const octets = load_.buffer_.get();
  std::size_t count = partial_.size();
  std::memcpy(octets, partial_.data(), count);
  const ssize_t size = ::recv(socket_, octets + count, Load::kBuffer - count, 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size < 0) fail("cannot read: " + std::string(std::strerror(errno)));
  if (size == 0) fail("was ended by the server");
  load_.now_ = Clock::now();
  ++load_.received_;
  count += static_cast<std::size_t>(size);

  std::size_t used = 0;
  if (state_ == State::kUpgrading) used = read_upgrade({octets, count});
  if (state_ != State::kUpgrading) used += read_frames(octets + used, count - used);
  if (used < count) {
    partial_.assign(octets + used, count - used);
  } else if (!partial_.empty()) {
    partial_.clear();
  }
}

std::size_t LoadConnection::read_upgrade(std::string_view octets) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  constexpr std::size_t kLongest = 16 << 10;
  const std::size_t end = octets.find(kEnd);
  if (end == std::string_view::npos) {
    if (octets.size() > kLongest) fail("has no end of its upgrade");
    return 0;
  }
  if (!octets.starts_with("HTTP/1.1 101")) {
    fail("is refused: " + std::string(octets.substr(0, octets.find('\r'))));
  }
  state_ = State::kGreeting;
  load_.dialect_.greet(load_.frames_);
  send_frames();
  if (!load_.dialect_.waits_for_greeting()) ready();
  return end + kEnd.size();
}

std::size_t LoadConnection::read_frames(const char* octets, std::size_t count) {
  std::size_t used = 0;
  for (;;) {
    const Frame frame = read_frame(octets + used, count - used);
    if (frame.size == SIZE_MAX) fail("got a frame that is none");
    if (frame.size == 0) break;
    used += frame.size;
    if (frame.is_last && fragments_.empty() &&
        (frame.opcode == Opcode::kText || frame.opcode == Opcode::kBinary)) {
      take_payload(frame.payload);
    } else {
      take(frame);
    }
  }
  if (used == 0 && count == Load::kBuffer) fail("got too large a frame");
  return used;
}

// The rarer frames.
void LoadConnection::take(const Frame& frame) {
  switch (frame.opcode) {
    case Opcode::kPing: return send(Opcode::kPong, frame.payload);
    case Opcode::kPong: return;
    case Opcode::kClose: {
      const std::string_view text = frame.payload;
      std::string code = "no code";
      if (text.size() >= 2) {
        code = std::to_string(static_cast<unsigned char>(text[0]) << 8 |
                              static_cast<unsigned char>(text[1]));
        code += " " + std::string(text.substr(2));
      }
      fail("was closed by the server with " + code);
    }
    default: break;
  }
  fragments_ += frame.payload;
  if (!frame.is_last) return;
  const std::string whole = std::move(fragments_);
  fragments_.clear();
  take_payload(whole);
}

void LoadConnection::take_payload(std::string_view payload) {
  if (left_.empty()) {
    const std::size_t used = load_.dialect_.read(payload, load_.body_size_, *this);
    if (used < payload.size()) left_ = payload.substr(used);
    return;
  }
  left_ += payload;
  const std::size_t used = load_.dialect_.read(left_, load_.body_size_, *this);
  left_.erase(0, used);
}

void LoadConnection::ready() {
  if (state_ == State::kReady) return;
  state_ = State::kReady;
  --load_.opening_;
}

void LoadConnection::subscribed() {
  if (load_.unconfirmed_ > 0) --load_.unconfirmed_;
}

void LoadConnection::unsubscribed() { subscribed(); }

void LoadConnection::message(std::string_view body) {
  ++load_.messages_;
  if (load_.listener_ != nullptr) load_.listener_->message(*this, body);
}

void LoadConnection::answer(std::string_view payload) {
  send(load_.dialect_.is_binary() ? Opcode::kBinary : Opcode::kText, payload);
}

void LoadConnection::error(std::string_view text) {
  fail("is told: " + std::string(text.substr(0, 200)));
}

void LoadConnection::fail(const std::string& what) const {
  throw Failure("connection " + std::to_string(index_) + " " + what);
}

}  // namespace jackfield::bench
