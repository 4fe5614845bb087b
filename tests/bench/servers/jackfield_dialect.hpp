// Jackfield's wire, spoken with its plugin echo: text frames [topic,event,payload]. The servers
// that were written for comparison speak the same. Any thread, no state.
#pragma once

#include <cstddef>
#include <string_view>
#include <string>
#include <vector>

#include "tests/bench/load/dialect.hpp"

namespace jackfield::bench {

class JackfieldDialect final : public Dialect {
 public:
  Opening opening(const std::vector<std::string>& topics) const override;
  bool is_binary() const override { return false; }
  void greet(Frames&) const override {}
  bool waits_for_greeting() const override { return false; }
  bool confirms() const override { return true; }
  void subscribe(std::string_view topic, std::size_t number, Frames& frames) const override;
  void unsubscribe(std::string_view topic, std::size_t number, Frames& frames) const override;
  void publish(std::string_view topic, std::string_view body, Frames& frames) const override;
  void echo(std::string_view topic, std::string_view body, Frames& frames) const override;
  std::size_t read(std::string_view bytes, std::size_t body_size, Inbox& inbox) const override;
};

}  // namespace jackfield::bench
