// The protocol of NATS (docs.nats.io, "Client Protocol") over binary WebSocket frames: lines, and
// bodies of a said size between them. A frame may hold several of them, or a part. Topics are
// subjects. Any thread, no state.
#pragma once

#include "tests/bench/load/dialect.hpp"

namespace jackfield::bench {

class NatsDialect final : public Dialect {
 public:
  Opening opening(const std::vector<std::string>& topics) const override;
  bool is_binary() const override { return true; }
  void greet(Frames&) const override {}
  bool waits_for_greeting() const override { return true; }
  // By the answer to a ping that is sent after it.
  bool confirms() const override { return true; }
  void subscribe(std::string_view topic, std::size_t number, Frames& frames) const override;
  void unsubscribe(std::string_view topic, std::size_t number, Frames& frames) const override;
  void publish(std::string_view topic, std::string_view body, Frames& frames) const override;
  void echo(std::string_view topic, std::string_view body, Frames& frames) const override;
  std::size_t read(std::string_view bytes, std::size_t body_size, Inbox& inbox) const override;
};

}  // namespace jackfield::bench
