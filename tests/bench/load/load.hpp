// The load: many connections to one server, driven by epoll on the calling thread. Whoever measures
// listens to their messages. Everything that goes wrong on a connection, a close by the server too,
// is thrown as a Failure from where the load is driven, and ends it: it can only be destroyed then.
// It owns the connections, and outlives no listener.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load/dialect.hpp"
#include "tests/bench/load/load_connection.hpp"
#include "tests/bench/support/figures.hpp"

namespace jackfield::bench {

// Raises the limit of descriptors as far as it can be, for this process and those that it starts.
// Gives the limit.
std::size_t raise_descriptor_limit();

// What is thrown where the benchmark was asked to end: it is no server's fault, so nobody goes on
// after it, and servers are ended on the way out.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};
// From now on, SIGINT, SIGTERM and SIGHUP ask for that. Work that takes long has to look.
void catch_interrupts();
void check_interrupted();

class Load {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // A message came; the time is now(). It may send.
    virtual void message(LoadConnection& connection, std::string_view body) = 0;
  };

  Load(const Dialect& dialect, std::uint16_t port);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  const Dialect& dialect() const { return dialect_; }
  std::size_t size() const { return connections_.size(); }
  LoadConnection& operator[](std::size_t index) { return *connections_[index]; }

  // The topics that a connection is going to have.
  using TopicsOf = std::function<std::vector<std::string>(std::size_t index)>;
  // Opens `count` more connections, at most kOpening at a time, and waits until all are ready.
  void open(std::size_t count, const TopicsOf& topics);
  // Opens one more, which publishes to these and subscribes to nothing.
  void open_publisher(const std::vector<std::string>& topics);
  // Opens, and subscribes to the topics.
  void open_subscribed(std::size_t count, const TopicsOf& topics);
  // Subscribes (unsubscribes) connections from `first` on to their topics and waits for the
  // server's word on all.
  void subscribe(std::size_t first, std::size_t count, const TopicsOf& topics);
  void unsubscribe(std::size_t first, std::size_t count, const TopicsOf& topics);
  // Closes all connections at once, as a client does that ends.
  void close_all();

  // Of all messages from now on; nobody listens: they are dropped.
  void set_listener(Listener* listener, std::size_t body_size);
  // Waits for events, at most so long, and does what they ask for. Gives the number of messages.
  std::size_t turn(Clock::duration timeout);
  // Turns until it is so. Throws Failure with `what` when nothing has come for so long, or when it
  // takes longer than kMost.
  void turn_until(const std::function<bool()>& is_done, const std::string& what,
                  Clock::duration patience = kPatience);
  // Turns until nothing comes any more, without waiting for it.
  void drain();
  // System calls so far that brought something.
  std::uint64_t reads() const { return received_; }
  // When what is being read was received.
  Clock::time_point now() const { return now_; }

  static constexpr std::size_t kOpening = 128;
  static constexpr std::chrono::seconds kPatience{15};
  static constexpr std::chrono::seconds kMost{120};

 private:
  friend class LoadConnection;

  static constexpr std::size_t kBuffer = 4 << 20;
  static constexpr std::size_t kEvents = 1024;
  static constexpr std::size_t kUnconfirmed = 4096;

  void open_one(const Dialect::Opening& opening);
  void change_subscriptions(std::size_t first, std::size_t count, const TopicsOf& topics,
                            bool is_subscribe);
  void flush();

  const Dialect& dialect_;
  const std::uint16_t port_;
  int epoll_ = -1;
  std::unique_ptr<char[]> buffer_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
  std::vector<LoadConnection*> dirty_;
  Dialect::Frames frames_;  // a connection's, while it makes them
  Listener* listener_ = nullptr;
  std::size_t body_size_ = 0;
  Clock::time_point now_;
  std::uint64_t received_ = 0;  // reads that brought something
  std::uint64_t messages_ = 0;
  std::size_t opening_ = 0;
  std::size_t unconfirmed_ = 0;
};

}  // namespace jackfield::bench
