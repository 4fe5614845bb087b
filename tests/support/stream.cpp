#include "tests/support/stream.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace jackfield::test {
namespace {

// The bytes of a socket address, as connect() wants them.
struct Name {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

template <typename Specific>
Name name_of(const Specific& specific) {
  Name name;
  std::memcpy(&name.bytes, &specific, sizeof specific);
  name.size = sizeof specific;
  return name;
}

Name name_of_address(const Address& address) {
  if (!address.path.empty()) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    address.path.copy(local.sun_path, sizeof local.sun_path - 1);
    return name_of(local);
  }
  if (address.host.find(':') != std::string::npos) {
    sockaddr_in6 internet{};
    internet.sin6_family = AF_INET6;
    internet.sin6_port = htons(address.port);
    inet_pton(AF_INET6, address.host.c_str(), &internet.sin6_addr);
    return name_of(internet);
  }
  sockaddr_in internet{};
  internet.sin_family = AF_INET;
  internet.sin_port = htons(address.port);
  inet_pton(AF_INET, address.host.c_str(), &internet.sin_addr);
  return name_of(internet);
}

bool wait_for(int socket, short events, const Deadline& deadline) {
  pollfd each{socket, events, 0};
  while (true) {
    const int ready = poll(&each, 1, deadline.milliseconds());
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

Stream::Stream(const Address& address, int receive_buffer, const TlsOptions& tls, Where where) {
  if (!connect_to(address, receive_buffer)) {
    const std::string reason = std::strerror(errno);
    drop();
    fail("connect: " + reason, where);
  }
  if (!address.is_tls) return;
  std::string reason;
  tls_ = TlsEnd::connect(socket_, tls, Deadline(), reason);
  if (tls_ != nullptr) return;
  drop();
  fail("TLS: " + reason, where);
}

std::string Stream::tls_refusal(const Address& address, const TlsOptions& tls, Where where) {
  Stream stream;
  check(stream.connect_to(address, 0), "connect failed", where);
  std::string reason;
  stream.tls_ = TlsEnd::connect(stream.socket_, tls, Deadline(), reason);
  if (stream.tls_ == nullptr) return reason;
  // A request that is refused by HTTP comes back only from a server that has taken the client.
  stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string answer;
  return stream.receive(answer, where) ? "" : "refused after the handshake";
}

std::optional<Stream> Stream::try_connect(const Address& address) {
  Stream stream;
  if (!stream.connect_to(address, 0)) return std::nullopt;
  return stream;
}

bool Stream::is_accepted(const Address& address) { return try_connect(address).has_value(); }

bool Stream::connect_to(const Address& address, int receive_buffer) {
  const Name name = name_of_address(address);
  socket_ = socket(name.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return false;
  if (receive_buffer > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&name.bytes), name.size) != 0) {
    return false;
  }
  if (address.path.empty()) {
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  fcntl(socket_, F_SETFL, O_NONBLOCK);
  return true;
}

Stream::~Stream() { drop(); }

Stream::Stream(Stream&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), tls_(std::move(other.tls_)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(tls_, other.tls_);
  return *this;
}

bool Stream::send(std::string_view bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    const std::optional<std::size_t> sent = send_some(bytes);
    if (!sent) return false;
    bytes.remove_prefix(*sent);
    if (!bytes.empty() && !wait_for(socket_, POLLOUT, deadline)) return false;
  }
  return true;
}

std::optional<std::size_t> Stream::send_some(std::string_view bytes) {
  if (tls_ != nullptr) return tls_->send(bytes);
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  return std::nullopt;
}

void Stream::wait_until_read(Where where, const Deadline& deadline) {
  // No event tells; unix(7) has only the count.
  for (int unread = 1; ioctl(socket_, SIOCOUTQ, &unread) == 0 && unread > 0;) {
    check(deadline.milliseconds() > 0, "the server does not read, and the time is over", where);
    std::this_thread::yield();
  }
}

bool Stream::receive(std::string& bytes, Where where, const Deadline& deadline) {
  if (receive_within(bytes, deadline)) return true;
  check(deadline.milliseconds() > 0, "nothing arrives, and the time is over", where);
  return false;
}

bool Stream::receive_within(std::string& bytes, const Deadline& deadline) {
  if (tls_ != nullptr) {
    std::optional<std::size_t> size = tls_->receive(bytes);
    while (size == 0u && wait_for(socket_, POLLIN, deadline)) size = tls_->receive(bytes);
    return size > 0u;
  }
  std::array<char, 65536> buffer;
  while (wait_for(socket_, POLLIN, deadline)) {
    const ssize_t size = recv(socket_, buffer.data(), buffer.size(), 0);
    if (size > 0) {
      bytes.append(buffer.data(), static_cast<std::size_t>(size));
      return true;
    }
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) return false;
  }
  return false;
}

void Stream::finish() {
  if (tls_ != nullptr) tls_->finish();
  shutdown(socket_, SHUT_WR);
}

void Stream::drop() {
  if (tls_ != nullptr) tls_->finish();
  tls_.reset();
  if (socket_ >= 0) close(std::exchange(socket_, -1));
}

void Stream::reset() {
  if (socket_ < 0) return;
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  tls_.reset();
  drop();
}

}  // namespace jackfield::test
