#include "tests/bench/servers/limit/delivery.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "tests/bench/servers/limit/wire.hpp"

namespace jackfield::bench::limit {
namespace {

// A connection for which more octets than this wait is closed.
constexpr std::size_t kMaxWaiting = std::size_t{256} << 20;

ssize_t send_some(int descriptor, const char* octets, std::size_t size) {
  for (;;) {
    const ssize_t sent = ::send(descriptor, octets, size, MSG_NOSIGNAL);
    if (sent >= 0 || errno != EINTR) return sent;
  }
}

}  // namespace

void Delivery::doom(Connection& connection) {
  if (std::exchange(connection.is_doomed, true)) return;
  doomed_.push_back(&connection);
}

void Delivery::write(Connection& connection, std::string_view octets, const Octets& owner) {
  std::size_t sent = 0;
  if (!connection.outbox) {
    const ssize_t size = send_some(connection.descriptor, octets.data(), octets.size());
    if (size == static_cast<ssize_t>(octets.size())) return;
    if (size < 0 && errno != EAGAIN) {
      doom(connection);
      return;
    }
    sent = size < 0 ? 0 : static_cast<std::size_t>(size);
    connection.outbox = std::make_unique<Outbox>();
    connection.outbox->sent = sent;
    watch_for_writable(connection, true);
  }
  Outbox& outbox = *connection.outbox;
  if (outbox.size + octets.size() > kMaxWaiting) {
    doom(connection);
    return;
  }
  outbox.waiting.push_back(owner ? owner : std::make_shared<std::string>(octets));
  outbox.size += octets.size() - sent;
}

void Delivery::wrote_waiting(Connection& connection, std::size_t size) {
  Outbox& outbox = *connection.outbox;
  outbox.size -= size;
  outbox.sent += size;
  while (outbox.first < outbox.waiting.size() &&
         outbox.sent >= outbox.waiting[outbox.first]->size()) {
    outbox.sent -= outbox.waiting[outbox.first]->size();
    outbox.waiting[outbox.first++].reset();
  }
  if (outbox.first == outbox.waiting.size()) {
    connection.outbox.reset();
    watch_for_writable(connection, false);
  } else if (outbox.first * 2 > outbox.waiting.size()) {
    outbox.waiting.erase(outbox.waiting.begin(),
                         outbox.waiting.begin() + static_cast<std::ptrdiff_t>(outbox.first));
    outbox.first = 0;
  }
}

void Delivery::watch_for_writable(const Connection& connection, bool on) const {
  epoll_event event{};
  event.events = EPOLLIN | (on ? EPOLLOUT : 0u);
  event.data.ptr = const_cast<Connection*>(&connection);
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.descriptor, &event);
}

void DirectDelivery::broadcast(Topic& topic, std::string_view payload) {
  const auto octets = std::make_shared<std::string>();
  append_message(*octets, topic.name, "said", payload);
  for (Connection* const subscriber : topic.subscribers) write(*subscriber, *octets, octets);
}

void DirectDelivery::push(Connection& connection, std::string_view frames) {
  write(connection, frames, nullptr);
}

void DirectDelivery::writable(Connection& connection) {
  while (connection.outbox) {
    const Outbox& outbox = *connection.outbox;
    const std::string& octets = *outbox.waiting[outbox.first];
    const std::size_t left = octets.size() - outbox.sent;
    const ssize_t size = send_some(connection.descriptor, octets.data() + outbox.sent, left);
    if (size < 0) {
      if (errno != EAGAIN) doom(connection);
      return;
    }
    wrote_waiting(connection, static_cast<std::size_t>(size));
    if (static_cast<std::size_t>(size) < left) return;
  }
}

void JoinedDelivery::broadcast(Topic& topic, std::string_view payload) {
  if (topic.batch == nullptr) {
    topic.batch = &new_batch();
    dirty_.push_back(&topic);
  }
  append_message(*topic.batch->octets, topic.name, "said", payload);
  mark(*topic.batch);
}

void JoinedDelivery::push(Connection& connection, std::string_view frames) {
  if (connection.own == nullptr) {
    connection.own = &new_batch();
    add_part(connection, *connection.own);
  }
  *connection.own->octets += frames;
  mark(*connection.own);
}

void JoinedDelivery::before_change(Topic& topic) {
  if (topic.batch == nullptr) return;
  settle(topic);
  dirty_.erase(std::find(dirty_.begin(), dirty_.end(), &topic));
}

void JoinedDelivery::end_turn() {
  for (Topic* const topic : dirty_) settle(*topic);
  dirty_.clear();
  for (Connection* const connection : touched_) {
    const std::vector<Batch*>& parts = connection->parts;
    const Octets& octets = parts.size() == 1 ? parts.front()->octets : merged(parts);
    write(*connection, *octets, octets);
    connection->parts.clear();
    connection->own = nullptr;
  }
  touched_.clear();
  reuse_batches();
}

void JoinedDelivery::writable(Connection& connection) {
  constexpr std::size_t kPieces = 64;
  while (connection.outbox) {
    const Outbox& outbox = *connection.outbox;
    std::array<iovec, kPieces> pieces;
    std::size_t count = 0;
    std::size_t all = 0;
    for (std::size_t i = outbox.first; i < outbox.waiting.size() && count < kPieces; ++i) {
      const std::size_t skipped = count == 0 ? outbox.sent : 0;
      const std::size_t size = outbox.waiting[i]->size() - skipped;
      pieces[count++] = {const_cast<char*>(outbox.waiting[i]->data()) + skipped, size};
      all += size;
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const ssize_t size = ::sendmsg(connection.descriptor, &message, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      if (errno != EAGAIN) doom(connection);
      return;
    }
    wrote_waiting(connection, static_cast<std::size_t>(size));
    if (static_cast<std::size_t>(size) < all) return;
  }
}

Batch& JoinedDelivery::new_batch() {
  if (unused_.empty()) {
    batches_.push_back(std::make_unique<Batch>());
  } else {
    batches_.push_back(std::move(unused_.back()));
    unused_.pop_back();
  }
  return *batches_.back();
}

void JoinedDelivery::mark(Batch& batch) {
  batch.marks.push_back({frames_++, batch.octets->size()});
}

void JoinedDelivery::add_part(Connection& connection, Batch& batch) {
  if (connection.parts.empty()) touched_.push_back(&connection);
  connection.parts.push_back(&batch);
}

void JoinedDelivery::settle(Topic& topic) {
  for (Connection* const subscriber : topic.subscribers) add_part(*subscriber, *topic.batch);
  topic.batch = nullptr;
}

const Octets& JoinedDelivery::merged(const std::vector<Batch*>& parts) {
  if (parts == merged_parts_) return merged_octets_;
  struct Piece {
    std::uint64_t number;
    std::string_view octets;
  };
  std::vector<Piece> pieces;
  std::size_t size = 0;
  for (const Batch* const part : parts) {
    std::size_t start = 0;
    for (const Batch::Mark& mark : part->marks) {
      pieces.push_back(
          {mark.number, std::string_view(*part->octets).substr(start, mark.end - start)});
      start = mark.end;
    }
    size += start;
  }
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.number < b.number; });
  auto octets = std::make_shared<std::string>();
  octets->reserve(size);
  for (const Piece& piece : pieces) *octets += piece.octets;
  merged_parts_ = parts;
  merged_octets_ = std::move(octets);
  return merged_octets_;
}

void JoinedDelivery::reuse_batches() {
  constexpr std::size_t kMaxUnused = 4096;
  constexpr std::size_t kMaxCapacity = 1 << 20;
  merged_parts_.clear();
  merged_octets_.reset();
  for (std::unique_ptr<Batch>& batch : batches_) {
    if (unused_.size() == kMaxUnused) break;
    if (batch->octets.use_count() == 1 && batch->octets->capacity() <= kMaxCapacity) {
      batch->octets->clear();
    } else {
      batch->octets = std::make_shared<std::string>();
    }
    batch->marks.clear();
    unused_.push_back(std::move(batch));
  }
  batches_.clear();
}

}  // namespace jackfield::bench::limit
