#include "tests/soak/wire.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "tests/bench/support/figures.hpp"

namespace jackfield::soak {
namespace {

using bench::Opcode;

constexpr std::string_view kHeadEnd = "\r\n\r\n";

}  // namespace

std::string Wire::right_request(std::uint16_t port) {
  return "GET / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}

Wire::Wire(int epoll, const Options& options, Owner& owner)
    : epoll_(epoll),
      owner_(owner),
      unsent_(options.request.empty() ? right_request(options.port) : options.request) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) throw bench::Failure("the soak has no descriptors left");
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (options.receive_buffer > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer,
                 sizeof options.receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket_, to, sizeof address) != 0 && errno != EINPROGRESS) {
    ::close(socket_);
    throw bench::Failure("nobody listens where the server did");
  }
  epoll_event event{};
  event.events = waited_for_ = EPOLLOUT;
  event.data.ptr = this;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event);
}

Wire::~Wire() {
  if (socket_ >= 0) ::close(socket_);
}

void Wire::wait_for(std::uint32_t events) {
  if (socket_ < 0 || waited_for_ == events) return;
  epoll_event event{};
  event.events = waited_for_ = events;
  event.data.ptr = this;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_, &event);
}

void Wire::take(std::uint32_t events) {
  if (socket_ < 0) return;
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return end();
    state_ = State::kUpgrading;
  }
  if ((events & EPOLLOUT) != 0) flush();
  if (socket_ >= 0 && is_reading_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
  // Who does not read hears only of the end.
  if (socket_ >= 0 && !is_reading_ && (events & (EPOLLHUP | EPOLLERR)) != 0) end();
}

void Wire::flush() {
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    const ssize_t size =
        ::send(socket_, unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) break;  // full, or its end, which is read
    sent += static_cast<std::size_t>(size);
  }
  unsent_.erase(0, sent);
  wait_for((is_reading_ ? EPOLLIN : 0u) | (unsent_.empty() ? 0u : EPOLLOUT));
}

void Wire::read() {
  std::array<char, 64 << 10> chunk;
  const ssize_t size = ::recv(socket_, chunk.data(), chunk.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return end();
  received_.append(chunk.data(), static_cast<std::size_t>(size));
  if (state_ == State::kUpgrading) take_response();
  if (state_ == State::kOpen) take_frames();
}

void Wire::take_response() {
  const std::size_t at = received_.find(kHeadEnd);
  if (at == std::string::npos) return;
  constexpr std::string_view kVersion = "HTTP/1.";  // 0 or 1: libwebsockets has both
  const int status =
      received_.starts_with(kVersion) ? std::atoi(received_.c_str() + kVersion.size() + 2) : 0;
  received_.erase(0, at + kHeadEnd.size());
  state_ = status == 101 ? State::kOpen : State::kRefused;
  if (status == 101) {
    owner_.opened();
  } else {
    owner_.refused(status);
  }
}

void Wire::take_frames() {
  std::size_t used = 0;
  while (socket_ >= 0 && is_reading_) {
    const bench::Frame frame = bench::read_frame(received_.data() + used, received_.size() - used);
    if (frame.size == 0) break;
    if (frame.size == SIZE_MAX) return end();
    used += frame.size;
    take_frame(frame);
  }
  received_.erase(0, used);
}

void Wire::take_frame(const bench::Frame& frame) {
  switch (frame.opcode) {
    case Opcode::kPing: send_frame(Opcode::kPong, frame.payload); return;
    case Opcode::kPong: return;
    case Opcode::kClose: {
      unsigned code = 0;
      if (frame.payload.size() >= 2) {
        code = static_cast<unsigned>(static_cast<unsigned char>(frame.payload[0])) << 8 |
               static_cast<unsigned char>(frame.payload[1]);
      }
      if (!has_sent_close_) {
        has_sent_close_ = true;
        send_frame(Opcode::kClose, frame.payload.substr(0, 2));
      }
      owner_.closed(code);
      return;
    }
    default: break;
  }
  if (frame.is_last && frame.opcode != Opcode::kContinuation) return owner_.message(frame.payload);
  fragments_ += frame.payload;
  if (!frame.is_last) return;
  owner_.message(std::exchange(fragments_, {}));
}

void Wire::end() {
  ::close(std::exchange(socket_, -1));
  owner_.ended();
}

void Wire::send_frame(Opcode opcode, std::string_view payload) {
  if (socket_ < 0) return;
  bench::append_frame(opcode, payload, unsent_);
  if (state_ == State::kOpen) flush();
}

void Wire::send_octets(std::string_view octets) {
  if (socket_ < 0) return;
  unsent_ += octets;
  if (state_ != State::kConnecting) flush();
}

void Wire::send_close(unsigned code) {
  if (has_sent_close_) return;
  const std::array<char, 2> payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  send_frame(Opcode::kClose, {payload.data(), payload.size()});
  has_sent_close_ = true;
}

void Wire::stop_reading() {
  is_reading_ = false;
  wait_for(unsent_.empty() ? 0u : EPOLLOUT);
}

void Wire::reset() {
  if (socket_ < 0) return;
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(socket_, -1));
}

void Wire::finish_writing() {
  if (socket_ >= 0) ::shutdown(socket_, SHUT_WR);
}

}  // namespace jackfield::soak
