// Each end happens in a child that is forked for it.
#include "core/base/out_of_memory.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <new>
#include <stdexcept>

#include <CppUTest/TestHarness.h>

namespace base = jackfield::base;

namespace {

constexpr int kNoEnd = 99;

// As a thread that nobody has joined, where an exception goes by. The compiler is not to know that
// it never returns, for then the exception counts as one that nobody catches.
struct EndsWhenLeft {
  volatile bool is_to_end = true;
  ~EndsWhenLeft() {
    if (is_to_end) std::terminate();
  }
};

// What operator new does where there is none.
void find_no_memory() { std::get_new_handler()(); }

}  // namespace

TEST_GROUP(BaseOutOfMemory) {
  // How a child ends that does so, as waitpid(2) has it.
  static int ending_of(const std::function<void()>& task) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_DUMPABLE, 0);
      ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
      std::signal(SIGABRT, SIG_DFL);
      std::set_terminate(std::abort);
      base::end_where_memory_is_out();
      task();
      std::_Exit(kNoEnd);
    }
    int status = 0;
    CHECK(child > 0);
    LONGS_EQUAL(child, ::waitpid(child, &status, 0));
    return status;
  }
};

TEST(BaseOutOfMemory, an_end_for_want_of_memory_is_told) {
  const int status = ending_of([] {
    try {
      const EndsWhenLeft end;
      find_no_memory();
    } catch (const std::bad_alloc&) {
    }
  });
  CHECK_TRUE(WIFEXITED(status));
  LONGS_EQUAL(base::kOutOfMemoryExit, WEXITSTATUS(status));
}

TEST(BaseOutOfMemory, an_end_for_another_reason_is_a_crash_also_where_memory_was_out_before) {
  const int status = ending_of([] {
    try {
      find_no_memory();
    } catch (const std::bad_alloc&) {  // it copes
    }
    try {
      const EndsWhenLeft end;
      throw std::runtime_error("a mistake");
    } catch (const std::exception&) {
    }
  });
  CHECK_TRUE(WIFSIGNALED(status));
  LONGS_EQUAL(SIGABRT, WTERMSIG(status));
}
