// nginx with the module nchan. A connection subscribes by the path of its request, to one topic,
// and publishes to it by what it sends: frames are bodies and nothing else. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "tests/bench/servers/server_kind.hpp"

namespace jackfield::bench {

// Any thread, no state.
class NchanDialect final : public Dialect {
 public:
  Opening opening(const std::vector<std::string>& topics) const override;
  Opening publisher_opening(const std::vector<std::string>& topics) const override;
  bool is_binary() const override { return false; }
  void greet(Frames&) const override {}
  bool waits_for_greeting() const override { return false; }
  bool confirms() const override { return false; }
  void subscribe(std::string_view, std::size_t, Frames&) const override {}
  void unsubscribe(std::string_view, std::size_t, Frames&) const override {}
  void publish(std::string_view topic, std::string_view body, Frames& frames) const override;
  void echo(std::string_view topic, std::string_view body, Frames& frames) const override;
  std::size_t read(std::string_view bytes, std::size_t body_size, Inbox& inbox) const override;
};

class NchanKind final : public ServerKind {
 public:
  NchanKind();

  std::string name() const override { return "nginx-nchan"; }
  std::string version() const override;
  std::string missing() const override;
  const Dialect& dialect() const override { return dialect_; }
  std::size_t max_topics() const override { return 1; }
  // It numbers a topic's messages within a second by an int16_t (1.3.6, nchan_msg_id_t), and gives
  // subscribers nothing more in that second once it has gone over to negative numbers.
  std::size_t max_per_second() const override { return 1 << 15; }
  Command prepare(const Launch& launch) const override;

 private:
  std::filesystem::path nginx_;
  std::string nginx_version_;
  std::filesystem::path module_;
  const NchanDialect dialect_;
};

}  // namespace jackfield::bench
