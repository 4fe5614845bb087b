#include "tests/bench/servers/mosquitto_kind.hpp"

#include <unistd.h>

#include "tests/bench/servers/program.hpp"

namespace jackfield::bench {
namespace {

std::string configuration(const Launch& launch) {
  // mosquitto.conf(5). 2.0.11 does not start with WebSocket listeners alone: it has another, which
  // nobody uses, on an address where hardly anybody else listens, and on a port of its own: it takes
  // two of one port for one. Started by root it would become another user, and then it would not
  // end with us (prctl(2), PR_SET_PDEATHSIG).
  const int unused = launch.port ^ 1;
  return std::string(::geteuid() == 0 ? "user root\n" : "") +
         "listener " + std::to_string(unused) + " 127.0.0.2\n"
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
