#include "tests/bench/servers/limit/loop.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "tests/bench/servers/limit/upgrade.hpp"
#include "tests/bench/servers/limit/wire.hpp"

namespace jackfield::bench::limit {
namespace {

constexpr std::size_t kBuffer = 512 << 10;
constexpr std::size_t kMaxRequest = 8 << 10;
constexpr int kEvents = 1024;  // of one turn

[[noreturn]] void fail(const std::string& what) {
  throw Failure(what + ": " + std::strerror(errno));
}

}  // namespace

Mailbox::Mailbox() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (event_ < 0) fail("no eventfd");
}

Mailbox::~Mailbox() { ::close(event_); }

void Mailbox::put(const std::vector<Letter>& letters) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = letters_.empty();
    letters_.insert(letters_.end(), letters.begin(), letters.end());
  }
  if (was_empty) ::eventfd_write(event_, 1);
}

std::vector<Letter> Mailbox::take() {
  eventfd_t ignored = 0;
  ::eventfd_read(event_, &ignored);  // before the letters: who comes between writes it again
  const std::lock_guard lock(mutex_);
  return std::exchange(letters_, {});
}

Loop::Loop(const Options& options, Mailbox& mailbox, std::vector<Mailbox*> others)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      mailbox_(mailbox),
      others_(std::move(others)),
      buffer_(kBuffer) {
  if (epoll_ < 0) fail("no epoll");
  if (options.joins) {
    delivery_ = std::make_unique<JoinedDelivery>(epoll_);
  } else {
    delivery_ = std::make_unique<DirectDelivery>(epoll_);
  }
  listen(options.port);
  watch(listener_, &listener_);
  watch(mailbox_.descriptor(), &mailbox_);
}

Loop::~Loop() {
  for (const auto& [key, connection] : connections_) ::close(connection->descriptor);
  if (listener_ >= 0) ::close(listener_);
  ::close(epoll_);
}

void Loop::listen(std::uint16_t port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) fail("no socket");
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!others_.empty()) ::setsockopt(listener_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const where = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(listener_, where, sizeof address) != 0 || ::listen(listener_, SOMAXCONN) != 0) {
    fail("cannot listen on port " + std::to_string(port));
  }
}

void Loop::watch(int descriptor, void* what) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = what;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("cannot watch a socket");
}

void Loop::run() {
  std::array<epoll_event, kEvents> events;
  for (;;) {
    const int count = ::epoll_wait(epoll_, events.data(), kEvents, -1);
    if (count < 0 && errno != EINTR) fail("cannot wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == &listener_) {
        accept();
      } else if (event.data.ptr == &mailbox_) {
        read_letters();
      } else {
        Connection& connection = *static_cast<Connection*>(event.data.ptr);
        if ((event.events & EPOLLOUT) != 0 && !connection.is_doomed) {
          delivery_->writable(connection);
        }
        if ((event.events & ~EPOLLOUT) != 0 && !connection.is_doomed) read(connection);
      }
    }
    end_turn();
  }
}

void Loop::end_turn() {
  delivery_->end_turn();
  if (!letters_.empty()) {
    for (Mailbox* const other : others_) other->put(letters_);
    letters_.clear();
  }
  for (Connection* const connection : delivery_->take_doomed()) {
    topics_.unsubscribe_all(*connection);
    ::close(connection->descriptor);
    connections_.erase(connection);
  }
}

void Loop::accept() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) return;
      fail("cannot accept a connection");
    }
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>();
    connection->descriptor = descriptor;
    watch(descriptor, connection.get());
    Connection* const key = connection.get();
    connections_.emplace(key, std::move(connection));
  }
}

void Loop::read(Connection& connection) {
  const ssize_t received = ::recv(connection.descriptor, buffer_.data(), buffer_.size(), 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received <= 0) {
    delivery_->doom(connection);
    return;
  }
  const auto size = static_cast<std::size_t>(received);
  if (connection.received.empty()) {
    const std::size_t taken = take(connection, buffer_.data(), size);
    if (taken < size) connection.received.assign(buffer_.data() + taken, size - taken);
    return;
  }
  connection.received.append(buffer_.data(), size);
  connection.received.erase(
      0, take(connection, connection.received.data(), connection.received.size()));
  if (connection.received.empty()) std::string().swap(connection.received);
}

std::size_t Loop::take(Connection& connection, char* octets, std::size_t size) {
  std::size_t taken = 0;
  if (!connection.is_upgraded) {
    taken = upgrade(connection, {octets, size});
    if (taken == 0) return 0;
  }
  while (!connection.is_doomed) {
    Frame next;
    switch (take_frame(octets + taken, size - taken, next)) {
      case Taken::partial: return taken;
      case Taken::wrong: delivery_->doom(connection); return taken;
      case Taken::whole: break;
    }
    taken += next.size;
    frame(connection, next.opcode, next.payload);
  }
  return taken;
}

std::size_t Loop::upgrade(Connection& connection, std::string_view request) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t end = request.find(kEnd);
  if (end == std::string_view::npos) {
    if (request.size() > kMaxRequest) delivery_->doom(connection);
    return 0;
  }
  const std::size_t size = end + kEnd.size();
  if (const auto answer = accept_upgrade(request.substr(0, size))) {
    connection.is_upgraded = true;
    delivery_->push(connection, *answer);
  } else {
    delivery_->push(connection, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    delivery_->doom(connection);
  }
  return size;
}

void Loop::frame(Connection& connection, unsigned opcode, std::string_view payload) {
  switch (opcode) {
    case kText: message(connection, payload); return;
    case kPong: return;
    case kPing:
      scratch_.clear();
      append_frame(scratch_, kPong, payload);
      delivery_->push(connection, scratch_);
      return;
    case kClose:
      scratch_.clear();
      append_frame(scratch_, kClose, payload);
      delivery_->push(connection, scratch_);
      delivery_->doom(connection);
      return;
    default: delivery_->doom(connection);
  }
}

void Loop::message(Connection& connection, std::string_view text) {
  const std::optional<Message> read = read_message(text);
  if (!read) {
    std::fputs("bench_limit: a client sends what is no message\n", stderr);
    delivery_->doom(connection);
    return;
  }
  if (read->event == "say") {
    say(read->topic, read->payload);
    if (others_.empty()) return;
    letters_.push_back(
        {std::string(read->topic), std::make_shared<std::string>(read->payload)});
  } else if (read->event == "echo") {
    push(connection, read->topic, "echoed", read->payload);
  } else if (read->event == "subscribe") {
    Topic& topic = topics_.add(read->topic);
    delivery_->before_change(topic);
    topics_.subscribe(connection, topic);
    push(connection, read->topic, "subscribed", "{}");
  } else if (read->event == "unsubscribe") {
    if (Topic* const topic = topics_.find(read->topic)) {
      delivery_->before_change(*topic);
      topics_.unsubscribe(connection, *topic);
    }
    push(connection, read->topic, "unsubscribed", "{}");
  }
}

void Loop::say(std::string_view topic, std::string_view payload) {
  if (Topic* const found = topics_.find(topic)) delivery_->broadcast(*found, payload);
}

void Loop::push(Connection& connection, std::string_view topic, std::string_view event,
                std::string_view payload) {
  scratch_.clear();
  append_message(scratch_, topic, event, payload);
  delivery_->push(connection, scratch_);
}

void Loop::read_letters() {
  for (const Letter& letter : mailbox_.take()) say(letter.topic, *letter.payload);
}

}  // namespace jackfield::bench::limit
