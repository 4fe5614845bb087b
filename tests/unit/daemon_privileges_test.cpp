// What is looked at when root was given up. Each in a process of its own, which is another user then.
#include "core/daemon/privileges.hpp"

#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using jackfield::base::Account;
using jackfield::daemon::become_process_user;
using jackfield::test::check;

// Whom this process can become: nobody where it is root, else itself.
Account account() {
  if (::geteuid() != 0) return {"", ::geteuid(), ::getegid()};
  const passwd* const entry = ::getpwnam("nobody");
  check(entry != nullptr, "there is no user nobody");
  return {entry->pw_name, entry->pw_uid, entry->pw_gid};
}

// For good: glibc's signal for a change of users ends each pause. Not used under ThreadSanitizer.
[[maybe_unused]] void rest() {
  while (true) ::pause();
}

// What becoming that user comes to in a process of its own, after `before`: "ok", or the sentence.
std::string outcome(const std::function<void()>& before) {
  const Account wanted = account();
  std::array<int, 2> ends{};
  check(::pipe(ends.data()) == 0, "pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    before();
    const auto status = become_process_user(wanted);
    const std::string said = status.is_ok() ? "ok" : status.message();
    const bool is_written = ::write(ends[1], said.data(), said.size()) > 0;
    ::_exit(is_written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string said(1024, '\0');
  const ssize_t size = ::read(ends[0], said.data(), said.size());
  said.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  ::close(ends[0]);
  int ending = 0;
  check(child > 0 && ::waitpid(child, &ending, 0) == child, "no process of its own");
  return said;
}

}  // namespace

TEST_GROUP(DaemonPrivileges){};

TEST(DaemonPrivileges, a_process_of_one_thread_gives_up_all) {
  STRCMP_EQUAL("ok", outcome([] {}).c_str());
}

// Of what a thread must give up itself: glibc takes only users and groups from the others.
TEST(DaemonPrivileges, a_thread_that_was_there_before_is_found_out) {
#if defined(__SANITIZE_THREAD__)
  UT_PRINT("SKIPPED: ThreadSanitizer lets no forked process make threads");
#else
  const std::string said = outcome([] { std::thread(rest).detach(); });
  STRCMP_CONTAINS("a thread has kept other rights than those of ", said.c_str());
#endif
}

TEST(DaemonPrivileges, a_thread_whose_bounding_set_is_left_is_found_out) {
#if defined(__SANITIZE_THREAD__)
  UT_PRINT("SKIPPED: ThreadSanitizer lets no forked process make threads");
#else
  if (::geteuid() != 0 || ::prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) != 1) {
    UT_PRINT("SKIPPED: only root can empty the bounding set");
    return;
  }
  const std::string said = outcome([] {
    std::promise<void> has_begun;
    std::thread([&has_begun] {
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      has_begun.set_value();
      rest();
    }).detach();
    has_begun.get_future().wait();
  });
  STRCMP_EQUAL("a thread has kept other rights than those of nobody: CapBnd in /proc/self/task",
               said.c_str());
#endif
}
