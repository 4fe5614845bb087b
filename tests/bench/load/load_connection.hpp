// One connection of the load: a WebSocket over which one Dialect is spoken. It is made, driven and
// owned by a Load, on its thread. As little as can be is done for each message, so that the server
// is measured and not this; what RFC 6455 demands of a server is the tests' subject.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bench/load/dialect.hpp"
#include "tests/bench/load/frames.hpp"

namespace jackfield::bench {

class Load;

class LoadConnection final : public Inbox {
 public:
  LoadConnection(Load& load, std::size_t index) : load_(load), index_(index) {}
  ~LoadConnection() override;
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  std::size_t index() const { return index_; }

  // Each is sent at the end of the turn, with what else there is to send.
  void subscribe(std::string_view topic, std::size_t number);
  void unsubscribe(std::string_view topic, std::size_t number);
  // Each is sent at once, by a system call of its own: it is due now, and a server that would like
  // to have many at once has to see to that itself.
  void publish(std::string_view topic, std::string_view body);
  void echo(std::string_view topic, std::string_view body);

  // The number of the next message that is right here, and what the one after it has more. Whoever
  // listens keeps them.
  std::uint64_t expected = 0;
  std::uint64_t step = 1;
  // Which of the 64 messages from `expected` on have come, where they come in no order.
  std::uint64_t come = 0;

  // For Load.
  void connect(std::uint16_t port, const Dialect::Opening& opening);
  void take_events(std::uint32_t events);
  void flush_at_turn();
  int descriptor() const { return socket_; }
  // The peer gets a reset: no port waits for late segments (TIME_WAIT).
  void reset_at_close();

  // Inbox.
  void ready() override;
  void subscribed() override;
  void unsubscribed() override;
  void message(std::string_view body) override;
  void answer(std::string_view payload) override;
  void error(std::string_view text) override;

 private:
  enum class State { kConnecting, kUpgrading, kGreeting, kReady };

  void send(Opcode opcode, std::string_view payload);
  void send_frames();
  void flush();
  void read();
  std::size_t read_upgrade(std::string_view octets);
  std::size_t read_frames(const char* octets, std::size_t count);
  void take(const Frame& frame);
  void take_payload(std::string_view payload);
  void wait_for(std::uint32_t events);
  [[noreturn]] void fail(const std::string& what) const;

  Load& load_;
  const std::size_t index_;
  int socket_ = -1;
  State state_ = State::kConnecting;
  std::uint32_t events_ = 0;  // that epoll tells
  bool is_dirty_ = false;     // on the list of those with something to send
  std::size_t sent_ = 0;      // of unsent_
  std::string unsent_;
  std::string partial_;    // the begin of a frame
  std::string fragments_;  // of a message whose end has not come
  std::string left_;       // what the dialect has not done with
};

}  // namespace jackfield::bench
