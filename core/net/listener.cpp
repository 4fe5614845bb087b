#include "core/net/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace jackfield::net {
namespace {

using Opened = base::Result<std::unique_ptr<Listener>>;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  template <class T>
  T& as() {
    return *reinterpret_cast<T*>(&storage);
  }
};

bool fill(const Endpoint& endpoint, Address& address) {
  switch (endpoint.kind) {
    case Endpoint::Kind::kTcp4: {
      auto& in = address.as<sockaddr_in>();
      in.sin_family = AF_INET;
      in.sin_port = htons(endpoint.port);
      address.size = sizeof in;
      return inet_pton(AF_INET, endpoint.host.c_str(), &in.sin_addr) == 1;
    }
    case Endpoint::Kind::kTcp6: {
      auto& in = address.as<sockaddr_in6>();
      in.sin6_family = AF_INET6;
      in.sin6_port = htons(endpoint.port);
      address.size = sizeof in;
      return inet_pton(AF_INET6, endpoint.host.c_str(), &in.sin6_addr) == 1;
    }
    case Endpoint::Kind::kUnix: {
      auto& un = address.as<sockaddr_un>();
      un.sun_family = AF_UNIX;
      address.size = sizeof un;
      if (endpoint.path.size() >= sizeof un.sun_path) return false;
      std::memcpy(un.sun_path, endpoint.path.c_str(), endpoint.path.size() + 1);
      return true;
    }
  }
  return false;
}

// A socket file that nobody listens on any more is in the way of bind(2); one that is in use stays.
void remove_stale_socket(const Endpoint& endpoint, Address& address) {
  struct stat info {};
  if (::lstat(endpoint.path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  const base::Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.is_open()) return;
  const bool is_dead =
      ::connect(probe.number(), address.get(), address.size) != 0 && errno == ECONNREFUSED;
  if (is_dead) ::unlink(endpoint.path.c_str());
}

// Who may write to a Unix socket's file may connect (unix(7)): so it has its mode from the begin.
bool bind_with_mode(int descriptor, Address& address, unsigned mode) {
  const mode_t before = ::umask(0777 & ~static_cast<mode_t>(mode));
  const bool is_bound = ::bind(descriptor, address.get(), address.size) == 0;
  const int error = errno;
  ::umask(before);
  errno = error;
  return is_bound;
}

std::uint16_t bound_port(int descriptor) {
  Address address;
  address.size = sizeof address.storage;
  if (::getsockname(descriptor, address.get(), &address.size) != 0) return 0;
  return ntohs(address.storage.ss_family == AF_INET6 ? address.as<sockaddr_in6>().sin6_port
                                                     : address.as<sockaddr_in>().sin_port);
}

}  // namespace

Opened Listener::open(const Endpoint& endpoint, base::Loop& loop, base::Log& log, Counts& counts,
                      Accepted accepted, unsigned unix_mode) {
  const auto refuse = [&](const std::string& why) {
    return Opened::failure("cannot listen on " + to_text(endpoint) + ": " + why);
  };
  Address address;
  if (!fill(endpoint, address)) return refuse("malformed address");
  base::Descriptor socket(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return refuse(std::strerror(errno));
  const int on = 1;
  if (endpoint.kind == Endpoint::Kind::kUnix) {
    remove_stale_socket(endpoint, address);
  } else {
    ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (endpoint.kind == Endpoint::Kind::kTcp6) {
    ::setsockopt(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  const bool is_bound = endpoint.kind == Endpoint::Kind::kUnix
                            ? bind_with_mode(socket.number(), address, unix_mode)
                            : ::bind(socket.number(), address.get(), address.size) == 0;
  if (!is_bound || ::listen(socket.number(), SOMAXCONN) != 0) {
    return refuse(std::strerror(errno));
  }
  Endpoint bound = endpoint;
  if (endpoint.kind != Endpoint::Kind::kUnix) bound.port = bound_port(socket.number());
  return std::unique_ptr<Listener>(
      new Listener(std::move(bound), std::move(socket), loop, log, counts, std::move(accepted)));
}

Listener::Listener(Endpoint endpoint, base::Descriptor socket, base::Loop& loop, base::Log& log,
                   Counts& counts, Accepted accepted)
    : endpoint_(std::move(endpoint)),
      socket_(std::move(socket)),
      log_(log),
      accepted_(std::move(accepted)),
      acceptor_(socket_.number(), to_text(endpoint_), loop, log, &counts.accepts_paused,
                [this](base::Descriptor peer) { accept(std::move(peer)); }) {}

Listener::~Listener() {
  // Before the socket is closed: a successor may bind the name at once, and keeps it.
  if (endpoint_.kind != Endpoint::Kind::kUnix) return;
  if (::unlink(endpoint_.path.c_str()) == 0 || errno == ENOENT) return;
  // Where root bound it, in a folder that the user may not write to whom the server became.
  log_.warning("socket left behind", {{"path", endpoint_.path}, {"reason", std::strerror(errno)}});
}

base::Status Listener::give_to(uid_t user, gid_t group) {
  if (endpoint_.kind != Endpoint::Kind::kUnix) return base::Status::ok();
  const auto refuse = [&](const char* why) {
    return base::Status::failure("cannot give " + to_text(endpoint_) +
                                 " to the user of the server: " + why);
  };
  // The descriptor of the socket is not the file. Nor need the name be it still.
  const base::Descriptor file(::open(endpoint_.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!file.is_open() || ::fstat(file.number(), &info) != 0) return refuse(std::strerror(errno));
  if (!S_ISSOCK(info.st_mode) || info.st_uid != ::geteuid() || info.st_nlink != 1) {
    return refuse("something else has its name");
  }
  if (::fchownat(file.number(), "", user, group, AT_EMPTY_PATH) != 0) {
    return refuse(std::strerror(errno));
  }
  return base::Status::ok();
}

void Listener::accept(base::Descriptor peer) {
  if (endpoint_.kind != Endpoint::Kind::kUnix) {
    const int on = 1;  // what is written in one go is meant to leave at once
    ::setsockopt(peer.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  accepted_(peer.release());
}

std::string to_url(const Endpoint& endpoint, const std::string& path) {
  if (endpoint.kind == Endpoint::Kind::kUnix) return to_text(endpoint);
  Endpoint address = endpoint;
  address.is_tls = false;
  return (endpoint.is_tls ? "wss://" : "ws://") + to_text(address) + (path.empty() ? "/" : path);
}

}  // namespace jackfield::net
