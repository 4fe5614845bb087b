#include "tests/bench/servers/nats_server_kind.hpp"

#include "tests/bench/servers/program.hpp"

namespace jackfield::bench {
namespace {

std::string configuration(const Launch& launch) {
  // Only the WebSocket's listener is used; the one that cannot be left out takes any port. Nothing
  // is dropped, and nobody is asked whether he is there.
  return "host: \"127.0.0.1\"\n"
         "port: -1\n"
         "websocket {\n"
         "  host: \"127.0.0.1\"\n"
         "  port: " + std::to_string(launch.port) + "\n"
         "  no_tls: true\n"
         "  compression: false\n"
         "  handshake_timeout: \"60s\"\n"
         "}\n"
         "max_connections: " + std::to_string(launch.connections + 16) + "\n"
         "max_subscriptions: 0\n"
         "max_payload: 8388608\n"
         "max_pending: 268435456\n"
         "write_deadline: \"60s\"\n"
         "ping_interval: \"1h\"\n"
         "debug: false\n"
         "trace: false\n";
}

}  // namespace

NatsServerKind::NatsServerKind() : program_(find_program("nats-server")) {}

std::string NatsServerKind::version() const {
  return word_after(run_program({program_.string(), "--version"}).output, ": v");
}

std::string NatsServerKind::missing() const {
  return program_.empty() ? "not installed: nats-server" : "";
}

Command NatsServerKind::prepare(const Launch& launch) const {
  const std::filesystem::path path = launch.folder / "nats.conf";
  write_file(path, configuration(launch));
  return {program_.string(), "-c", path.string()};
}

}  // namespace jackfield::bench
