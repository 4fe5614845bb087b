#include "tests/bench/servers/mosquitto_kind.hpp"

#include <unistd.h>

#include "tests/bench/servers/program.hpp"

namespace jackfield::bench {
namespace {

std::string configuration(const Launch& launch) {
  // mosquitto.conf(5). 2.0.11 does not start with WebSocket listeners alone: it has a Unix socket
  // too. Started by root it would become another user, who cannot make that in the folder.
  return std::string(::geteuid() == 0 ? "user root\n" : "") +
         "listener 0 " + (launch.folder / "socket").string() + "\n"
         "listener " + std::to_string(launch.port) + " 127.0.0.1\n"
         "protocol websockets\n"
         "allow_anonymous true\n"
         "persistence false\n"
         "log_dest stderr\n"
         "log_type error\n"
         "sys_interval 0\n"
         "set_tcp_nodelay true\n"
         "max_inflight_messages 0\n"
         "max_queued_messages 0\n";
}

}  // namespace

MosquittoKind::MosquittoKind() : program_(find_program("mosquitto")) {}

std::string MosquittoKind::version() const {
  return word_after(run_program({program_.string(), "-h"}).output, "mosquitto version ");
}

std::string MosquittoKind::missing() const {
  return program_.empty() ? "not installed: mosquitto" : "";
}

Command MosquittoKind::prepare(const Launch& launch) const {
  const std::filesystem::path path = launch.folder / "mosquitto.conf";
  write_file(path, configuration(launch));
  return {program_.string(), "-c", path.string()};
}

}  // namespace jackfield::bench
