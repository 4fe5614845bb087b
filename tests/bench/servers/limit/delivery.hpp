// How frames get to connections: each by a send() of its own as soon as it is there, or all that
// came about in one turn of the loop joined into one send() a connection. Of one loop, used by its
// thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/servers/limit/topics.hpp"

namespace jackfield::bench::limit {

class Delivery {
 public:
  // `epoll`: where the connections are watched, to be told when one is writable again.
  explicit Delivery(int epoll) : epoll_(epoll) {}
  virtual ~Delivery() = default;

  // It is to be closed at the end of the turn; until then nobody is removed from anywhere.
  void doom(Connection& connection);
  std::vector<Connection*> take_doomed() { return std::exchange(doomed_, {}); }

  // ["topic","said",payload] to all subscribers.
  virtual void broadcast(Topic& topic, std::string_view payload) = 0;
  // Ready frames, to this connection.
  virtual void push(Connection& connection, std::string_view frames) = 0;
  // The topic is about to gain or to lose a subscriber.
  virtual void before_change(Topic& topic) = 0;
  virtual void end_turn() = 0;
  // Sends what waits. Whoever cannot be sent to is doomed.
  virtual void writable(Connection& connection) = 0;

 protected:
  // Sends; keeps the rest where the kernel does not take all. Of `owner`, or copied where that is
  // null.
  void write(Connection& connection, std::string_view octets, const Octets& owner);
  void wrote_waiting(Connection& connection, std::size_t size);

 private:
  void watch_for_writable(const Connection& connection, bool on) const;

  const int epoll_;
  std::vector<Connection*> doomed_;
};

// One send() for each frame and connection.
class DirectDelivery : public Delivery {
 public:
  using Delivery::Delivery;
  void broadcast(Topic& topic, std::string_view payload) override;
  void push(Connection& connection, std::string_view frames) override;
  void before_change(Topic& /*topic*/) override {}
  void end_turn() override {}
  void writable(Connection& connection) override;
};

// One send() for each turn and connection. Frames of a topic are joined once, and all to whom
// nothing else goes in that turn are sent the same octets.
class JoinedDelivery : public Delivery {
 public:
  using Delivery::Delivery;
  void broadcast(Topic& topic, std::string_view payload) override;
  void push(Connection& connection, std::string_view frames) override;
  void before_change(Topic& topic) override;
  void end_turn() override;
  void writable(Connection& connection) override;

 private:
  Batch& new_batch();
  void mark(Batch& batch);
  void add_part(Connection& connection, Batch& batch);
  void settle(Topic& topic);
  const Octets& merged(const std::vector<Batch*>& parts);
  void reuse_batches();

  std::uint64_t frames_ = 0;
  std::vector<Topic*> dirty_;         // that have a batch
  std::vector<Connection*> touched_;  // that have parts
  std::vector<std::unique_ptr<Batch>> batches_;  // of this turn
  std::vector<std::unique_ptr<Batch>> unused_;
  std::vector<Batch*> merged_parts_;  // what merged_octets_ is of
  Octets merged_octets_;
};

}  // namespace jackfield::bench::limit
