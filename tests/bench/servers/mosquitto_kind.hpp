// Mosquitto by its WebSocket. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "tests/bench/servers/mqtt_dialect.hpp"
#include "tests/bench/servers/server_kind.hpp"

namespace jackfield::bench {

class MosquittoKind final : public ServerKind {
 public:
  MosquittoKind();

  std::string name() const override { return "mosquitto"; }
  std::string version() const override;
  std::string missing() const override;
  const Dialect& dialect() const override { return dialect_; }
  Command prepare(const Launch& launch) const override;

 private:
  const std::filesystem::path program_;
  const MqttDialect dialect_;
};

}  // namespace jackfield::bench
