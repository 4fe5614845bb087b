#include "tests/bench/support/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "tests/bench/support/machine.hpp"

namespace jackfield::bench {
namespace {

constexpr std::chrono::seconds kKillPatience{15};

// Runs in the child: only calls that are safe between fork and exec.
[[noreturn]] void become(const std::vector<char*>& arguments, const Launching& launching,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, launching.last_signal);
  if (::getppid() != parent) ::_exit(127);
  stay_on(launching.cores);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(launching.output, STDOUT_FILENO);
  ::dup2(launching.errors, STDERR_FILENO);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

pid_t spawn(const Launching& launching) {
  std::vector<char*> arguments;
  for (const std::string& word : launching.command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(arguments, launching, parent);
  if (child < 0) {
    throw Failure("cannot start " + launching.command.front() + ": " + std::strerror(errno));
  }
  return child;
}

bool wait_for_end(pid_t child, Clock::duration patience, int* status) {
  const auto end = Clock::now() + patience;
  while (::waitpid(child, status, WNOHANG) == 0) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

int end_process(pid_t child, Clock::duration patience) {
  int status = 0;
  ::kill(child, SIGTERM);
  if (wait_for_end(child, patience, &status)) return status;
  ::kill(child, SIGKILL);
  wait_for_end(child, kKillPatience, &status);
  return status;
}

}  // namespace jackfield::bench
