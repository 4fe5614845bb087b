// Socket.IO's protocol 5 over Engine.IO's 4, over WebSockets: text frames, a digit or two in front
// of each. Topics are rooms, as node/socket_io.mjs has them. Any thread, no state.
#pragma once

#include "tests/bench/load/dialect.hpp"

namespace jackfield::bench {

class SocketIoDialect final : public Dialect {
 public:
  Opening opening(const std::vector<std::string>& topics) const override;
  bool is_binary() const override { return false; }
  void greet(Frames&) const override {}
  bool waits_for_greeting() const override { return true; }
  bool confirms() const override { return true; }
  void subscribe(std::string_view topic, std::size_t number, Frames& frames) const override;
  void unsubscribe(std::string_view topic, std::size_t number, Frames& frames) const override;
  void publish(std::string_view topic, std::string_view body, Frames& frames) const override;
  void echo(std::string_view topic, std::string_view body, Frames& frames) const override;
  std::size_t read(std::string_view bytes, std::size_t body_size, Inbox& inbox) const override;
};

}  // namespace jackfield::bench
