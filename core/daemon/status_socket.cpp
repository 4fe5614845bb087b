#include "core/daemon/status_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace jackfield::daemon {
namespace {

using base::Descriptor;
using Opened = base::Result<std::unique_ptr<StatusSocket>>;

// Stands behind each form of the status, so that a reader knows that it has all of it. No form
// holds one: JSON escapes it, and what is for people has no control characters.
constexpr char kEnd = '\f';
constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMaxStatusOctets = 16 << 20;

std::optional<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) return std::nullopt;
  std::strcpy(address.sun_path, path.c_str());
  return address;
}

const sockaddr* as_address(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Opened StatusSocket::open(const std::filesystem::path& path, base::Loop& loop, base::Log& log,
                          Source source) {
  const auto refuse = [&](const std::string& why) {
    return Opened::failure("cannot listen on " + path.string() + ": " + why);
  };
  const auto address = address_of(path);
  if (!address) return refuse("the path is too long for a socket");
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return refuse(std::strerror(errno));
  // The folder lets nobody else in already (mkdir with 0700); this is for where it is shared.
  const mode_t before = ::umask(0177);
  const bool is_bound = ::bind(socket.number(), as_address(*address), sizeof *address) == 0;
  const int error = errno;
  ::umask(before);
  if (!is_bound) return refuse(std::strerror(error));
  if (::listen(socket.number(), 8) != 0) {
    const int why = errno;
    ::unlink(path.c_str());
    return refuse(std::strerror(why));
  }
  std::unique_ptr<StatusSocket> opened(
      new StatusSocket(path, std::move(socket), loop, log, std::move(source)));
  opened->acceptor_.begin();
  return opened;
}

StatusSocket::StatusSocket(std::filesystem::path path, Descriptor socket, base::Loop& loop,
                           base::Log& log, Source source)
    : path_(std::move(path)),
      socket_(std::move(socket)),
      source_(std::move(source)),
      acceptor_(socket_.number(), path_.string(), loop, log, nullptr,
                [this](const Descriptor& peer) { answer(peer); }) {}

StatusSocket::~StatusSocket() { ::unlink(path_.c_str()); }

// A status fits into the socket's buffer by far; who gets only a part of a larger one notices.
void StatusSocket::answer(const Descriptor& peer) const {
  const Status status = source_();
  const std::string answer = status.text + kEnd + status.json + kEnd;
  std::string_view rest = answer;
  while (!rest.empty()) {
    const ssize_t sent = ::send(peer.number(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

base::Result<Status> ask_for_status(const std::filesystem::path& path) {
  using Answer = base::Result<Status>;
  const auto refuse = [&](const std::string& why) {
    return Answer::failure("no status from " + path.string() + ": " + why);
  };
  const auto address = address_of(path);
  if (!address) return refuse("the path is too long for a socket");
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return refuse(std::strerror(errno));
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.number(), as_address(*address), sizeof *address) != 0) {
    return refuse(std::strerror(errno));
  }
  std::string answer;
  std::array<char, 16384> chunk{};
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (answer.size() < kMaxStatusOctets && std::chrono::steady_clock::now() < end) {
    const ssize_t got = ::recv(socket.number(), chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse(std::strerror(errno));
    if (got == 0) break;
    answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  const std::size_t middle = answer.find(kEnd);
  const bool is_whole =
      middle != std::string::npos && middle + 1 < answer.size() && answer.back() == kEnd;
  if (!is_whole) return refuse("the answer is cut off");
  Status status;
  status.text = answer.substr(0, middle);
  status.json = answer.substr(middle + 1, answer.size() - middle - 2);
  return status;
}

}  // namespace jackfield::daemon
