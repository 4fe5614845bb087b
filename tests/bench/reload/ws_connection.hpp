// A WebSocket connection for benchmarks: as little work for each message as can be, so that the
// server is measured and not this. It takes what the server sends as it is (what RFC 6455 demands
// of it is the tests' subject). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/bench/support/figures.hpp"

namespace jackfield::bench {

class WsConnection {
 public:
  // Connects to 127.0.0.1 and upgrades. Throws Failure.
  explicit WsConnection(std::uint16_t port);
  ~WsConnection();
  WsConnection(WsConnection&& other) noexcept;
  WsConnection& operator=(WsConnection&&) = delete;

  int descriptor() const { return socket_; }

  // Sends a text message; what the kernel does not take now waits for flush(). Never blocks. All
  // throw Failure where the connection has ended.
  void send(std::string_view message);
  // Sends what waits, as far as that can be now.
  void flush();
  bool has_unsent() const { return !unsent_.empty(); }

  // Reads what has come, without waiting; false where there was nothing.
  bool read();
  // The next whole message of what was read; it lives until the next call.
  std::optional<std::string_view> next();

  // Waits for the next message, or throws.
  std::string_view receive(Clock::duration patience = std::chrono::seconds(30));

 private:
  void send_frame(unsigned opcode, std::string_view payload);
  void upgrade(std::uint16_t port);

  int socket_ = -1;
  std::string received_;
  std::size_t used_ = 0;  // of received_
  std::string unsent_;
  std::string fragments_;  // of a message whose end has not come
};

}  // namespace jackfield::bench
