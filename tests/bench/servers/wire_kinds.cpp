#include "tests/bench/servers/wire_kinds.hpp"

#include <unistd.h>

namespace jackfield::bench {
namespace {

bool is_program(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

LimitKind::LimitKind(const std::filesystem::path& programs, bool joins, unsigned threads)
    : program_(programs / "bench_limit"), joins_(joins), threads_(threads) {}

std::string LimitKind::missing() const {
  return is_program(program_) ? "" : "not built: " + program_.string();
}

Command LimitKind::prepare(const Launch& launch) const {
  Command command{program_.string(), std::to_string(launch.port)};
  if (joins_) command.push_back("--join");
  if (threads_ > 1) command.insert(command.end(), {"--threads", std::to_string(threads_)});
  return command;
}

std::string UwebsocketsKind::missing() const {
  if (program_.empty()) return "not named: a built uwebsockets (--uwebsockets FILE)";
  return is_program(program_) ? "" : "not a program: " + program_.string();
}

Command UwebsocketsKind::prepare(const Launch& launch) const {
  // By its path, also where it was named without a folder.
  return {std::filesystem::absolute(program_).string(), std::to_string(launch.port)};
}

}  // namespace jackfield::bench
