#include "tests/support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace jackfield::test {
namespace {

bool holds_all(std::string_view line, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (line.find(part) == std::string_view::npos) return false;
  }
  return true;
}

// Calls `take` with each whole line from `from` on, until it says true; moves `from` behind them.
template <typename Take>
bool each_line(std::string_view text, std::size_t& from, Take take) {
  for (std::size_t end; (end = text.find('\n', from)) != std::string_view::npos;) {
    const std::string_view line = text.substr(from, end - from);
    from = end + 1;
    if (take(line)) return true;
  }
  return false;
}

[[noreturn]] void become(const std::vector<char*>& arguments, int out, int error, pid_t parent) {
  // Only calls that are safe between fork and exec.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

std::string Ending::text() const {
  if (code >= 0) return "exit code " + std::to_string(code);
  return "signal " + std::to_string(signal);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const Environment& environment,
                           Where where) {
  std::array<int, 2> out{};
  std::array<int, 2> error{};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(error.data(), O_CLOEXEC) != 0) {
    fail("pipe: " + std::string(std::strerror(errno)), where);
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(arguments, out[1], error[1], parent);
  for (const auto& [name, value] : environment) unsetenv(name.c_str());
  close(out[1]);
  close(error[1]);
  if (pid_ < 0) {
    close(out[0]);
    close(error[0]);
    fail("fork: " + std::string(std::strerror(errno)), where);
  }
  reader_ = std::thread([this, out = out[0], error = error[0]] { read_pipes(out, error); });
  waiter_ = std::thread([this] { wait_for_end(); });
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  waiter_.join();
  reader_.join();
}

void ChildProcess::signal(int number) {
  const std::lock_guard lock(mutex_);
  // The waiter reaps under the same lock, so the id is still this program's.
  if (!ending_) kill(pid_, number);
}

std::string ChildProcess::output() const {
  const std::lock_guard lock(mutex_);
  return output_;
}

std::string ChildProcess::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

std::optional<std::string> ChildProcess::wait_for_output(
    std::initializer_list<std::string_view> parts, const Deadline& deadline) {
  return wait_for_line(output_, parts, deadline);
}

std::optional<std::string> ChildProcess::wait_for_error(
    std::initializer_list<std::string_view> parts, const Deadline& deadline, std::size_t nth) {
  return wait_for_line(errors_, parts, deadline, nth);
}

std::size_t ChildProcess::wait_for_errors(std::size_t count,
                                          std::initializer_list<std::string_view> parts,
                                          const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  std::size_t from = 0;
  std::size_t found = 0;
  changed_.wait_until(lock, deadline.end(), [&] {
    each_line(errors_, from, [&](std::string_view line) {
      if (holds_all(line, parts)) ++found;
      return false;
    });
    return found >= count || closed_;
  });
  return found;
}

std::optional<std::string> ChildProcess::wait_for_line(
    const std::string& text, std::initializer_list<std::string_view> parts,
    const Deadline& deadline, std::size_t nth) {
  std::unique_lock lock(mutex_);
  std::size_t from = 0;
  std::optional<std::string> found;
  changed_.wait_until(lock, deadline.end(), [&] {
    each_line(text, from, [&](std::string_view line) {
      if (!holds_all(line, parts) || --nth > 0) return false;
      found = std::string(line);
      return true;
    });
    return found || closed_;
  });
  return found;
}

std::optional<Ending> ChildProcess::wait(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline.end(), [&] { return ending_ && closed_; });
  return closed_ ? ending_ : std::nullopt;
}

void ChildProcess::read_pipes(int out, int error) {
  std::array<pollfd, 2> pipes{{{out, POLLIN, 0}, {error, POLLIN, 0}}};
  std::array<char, 65536> bytes;
  while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
    if (poll(pipes.data(), pipes.size(), -1) < 0 && errno != EINTR) break;
    for (pollfd& each : pipes) {
      if (each.fd < 0 || each.revents == 0) continue;
      const ssize_t size = read(each.fd, bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) {
        each.fd = -1;
        continue;
      }
      const std::lock_guard lock(mutex_);
      (each.fd == out ? output_ : errors_).append(bytes.data(), static_cast<std::size_t>(size));
      changed_.notify_all();
    }
  }
  close(out);
  close(error);
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void ChildProcess::wait_for_end() {
  siginfo_t information{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &information, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  const std::lock_guard lock(mutex_);
  int status = 0;
  waitpid(pid_, &status, 0);
  Ending ending;
  if (WIFEXITED(status)) ending.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  ending_ = ending;
  changed_.notify_all();
}

std::size_t count_lines(std::string_view text, std::initializer_list<std::string_view> parts) {
  std::size_t from = 0;
  std::size_t count = 0;
  each_line(text, from, [&](std::string_view line) {
    if (holds_all(line, parts)) ++count;
    return false;
  });
  return count;
}

Finished run_program(const std::vector<std::string>& command, Where where) {
  ChildProcess program(command, {}, where);
  const std::optional<Ending> ending = program.wait();
  check(ending.has_value(), command[0] + " does not end; stderr: " + program.errors(), where);
  return {*ending, program.output(), program.errors()};
}

}  // namespace jackfield::test
