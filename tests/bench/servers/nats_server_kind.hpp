// nats-server by its WebSocket. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "tests/bench/servers/nats_dialect.hpp"
#include "tests/bench/servers/server_kind.hpp"

namespace jackfield::bench {

class NatsServerKind final : public ServerKind {
 public:
  NatsServerKind();

  std::string name() const override { return "nats-server"; }
  std::string version() const override;
  std::string missing() const override;
  const Dialect& dialect() const override { return dialect_; }
  Command prepare(const Launch& launch) const override;

 private:
  const std::filesystem::path program_;
  const NatsDialect dialect_;
};

}  // namespace jackfield::bench
