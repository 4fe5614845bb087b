#include "tests/bench/reload/ws_connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace jackfield::bench {
namespace {

constexpr std::size_t kChunk = 64 << 10;

// RFC 6455, 5.2.
constexpr unsigned kContinuation = 0x0;
constexpr unsigned kText = 0x1;
constexpr unsigned kClose = 0x8;
constexpr unsigned kPing = 0x9;
constexpr unsigned kPong = 0xA;

[[noreturn]] void fail(const std::string& what) {
  throw Failure("a client " + what + ": " + std::strerror(errno));
}

std::uint64_t big_endian(std::string_view octets) {
  std::uint64_t value = 0;
  for (const char octet : octets) value = value << 8 | static_cast<unsigned char>(octet);
  return value;
}

}  // namespace

WsConnection::WsConnection(std::uint16_t port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (socket_ < 0 || ::connect(socket_, to, sizeof address) != 0) fail("cannot connect");
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  upgrade(port);
}

WsConnection::~WsConnection() {
  if (socket_ >= 0) ::close(socket_);
}

WsConnection::WsConnection(WsConnection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      received_(std::move(other.received_)),
      used_(other.used_),
      unsent_(std::move(other.unsent_)),
      fragments_(std::move(other.fragments_)) {}

void WsConnection::upgrade(std::uint16_t port) {
  unsent_ = "GET / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
            "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  flush();
  constexpr std::string_view kEnd = "\r\n\r\n";
  std::size_t end = std::string::npos;
  while ((end = received_.find(kEnd)) == std::string::npos) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 30000) <= 0) throw Failure("the server does not answer an upgrade");
    read();
  }
  if (!received_.starts_with("HTTP/1.1 101")) {
    throw Failure("the server refuses a client: " + received_.substr(0, received_.find('\r')));
  }
  received_.erase(0, end + kEnd.size());
}

void WsConnection::send(std::string_view message) { send_frame(kText, message); }

void WsConnection::send_frame(unsigned opcode, std::string_view payload) {
  static constexpr unsigned char kMask[4] = {0x37, 0xfa, 0x21, 0x3d};
  unsent_ += static_cast<char>(0x80 | opcode);
  if (payload.size() < 126) {
    unsent_ += static_cast<char>(0x80 | payload.size());
  } else {
    const int octets = payload.size() <= 0xffff ? 2 : 8;
    unsent_ += static_cast<char>(0x80 | (octets == 2 ? 126 : 127));
    for (int i = octets - 1; i >= 0; --i) {
      unsent_ += static_cast<char>(payload.size() >> (8 * i) & 0xff);
    }
  }
  for (const unsigned char octet : kMask) unsent_ += static_cast<char>(octet);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    unsent_ += static_cast<char>(static_cast<unsigned char>(payload[i]) ^ kMask[i % 4]);
  }
  flush();
}

void WsConnection::flush() {
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    const ssize_t size =
        ::send(socket_, unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) fail("cannot send");
    sent += static_cast<std::size_t>(size);
  }
  unsent_.erase(0, sent);
}

bool WsConnection::read() {
  if (used_ > 0) {
    received_.erase(0, used_);
    used_ = 0;
  }
  std::array<char, kChunk> chunk;
  const ssize_t size = ::recv(socket_, chunk.data(), chunk.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size < 0) fail("cannot read");
  if (size == 0) throw Failure("the server closed a client's connection");
  received_.append(chunk.data(), static_cast<std::size_t>(size));
  return true;
}

std::optional<std::string_view> WsConnection::next() {
  for (;;) {
    const std::string_view octets = std::string_view(received_).substr(used_);
    if (octets.size() < 2) return std::nullopt;
    const auto first = static_cast<unsigned char>(octets[0]);
    std::size_t head = 2;
    std::uint64_t length = static_cast<unsigned char>(octets[1]) & 0x7fu;
    if (length >= 126) {
      const std::size_t extra = length == 126 ? 2 : 8;
      if (octets.size() < head + extra) return std::nullopt;
      length = big_endian(octets.substr(head, extra));
      head += extra;
    }
    if (octets.size() - head < length) return std::nullopt;
    const std::string_view payload = octets.substr(head, length);
    used_ += head + payload.size();

    const bool is_last = (first & 0x80) != 0;
    switch (first & 0x0fu) {
      case kPing: send_frame(kPong, payload); continue;
      case kPong: continue;
      case kClose:
        throw Failure("the server closed a client's connection with " +
                      std::to_string(payload.size() < 2 ? 0 : big_endian(payload.substr(0, 2))));
      case kContinuation:
        fragments_ += payload;
        if (!is_last) continue;
        received_.replace(0, used_, fragments_);
        used_ = fragments_.size();
        fragments_.clear();
        return std::string_view(received_).substr(0, used_);
      default:
        if (is_last) return payload;
        fragments_ = payload;
    }
  }
}

std::string_view WsConnection::receive(Clock::duration patience) {
  const auto end = Clock::now() + patience;
  for (;;) {
    if (const auto message = next()) return *message;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd ready{socket_, POLLIN, 0};
    if (has_unsent()) ready.events |= POLLOUT;
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) == 0) {
      throw Failure("no message comes from the server");
    }
    flush();
    read();
  }
}

}  // namespace jackfield::bench
