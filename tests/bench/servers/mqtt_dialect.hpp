// MQTT 3.1.1 (OASIS, mqtt-v3.1.1-os; the sections named are its) over WebSockets (6), binary frames,
// which need not be whole packets. Quality of service 0, clean sessions, no keep-alive. Any thread,
// no state.
#pragma once

#include "tests/bench/load/dialect.hpp"

namespace jackfield::bench {

class MqttDialect final : public Dialect {
 public:
  Opening opening(const std::vector<std::string>& topics) const override;
  bool is_binary() const override { return true; }
  void greet(Frames& frames) const override;
  bool waits_for_greeting() const override { return true; }
  bool confirms() const override { return true; }
  void subscribe(std::string_view topic, std::size_t number, Frames& frames) const override;
  void unsubscribe(std::string_view topic, std::size_t number, Frames& frames) const override;
  void publish(std::string_view topic, std::string_view body, Frames& frames) const override;
  void echo(std::string_view topic, std::string_view body, Frames& frames) const override;
  std::size_t read(std::string_view bytes, std::size_t body_size, Inbox& inbox) const override;
};

}  // namespace jackfield::bench
