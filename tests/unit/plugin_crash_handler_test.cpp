// Each crash happens in a child that is forked for it, with a pipe as its standard error.
#include "core/plugin/crash_handler.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <jackfield.h>

#include "core/base/log.hpp"
#include "core/plugin/crash_history.hpp"
#include "core/plugin/loaded_image.hpp"
#include "core/plugin/plugin_call.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::plugin::Callee;
using jackfield::plugin::CodeRange;
using jackfield::plugin::CrashHistory;
using jackfield::plugin::CrashReporter;
using jackfield::plugin::CrashStack;
using jackfield::files::FileStamp;
using jackfield::plugin::LoadedImage;
using jackfield::plugin::PluginCall;
using jackfield::test::count_lines;
using jackfield::test::Ending;
using jackfield::test::FakeHost;
using jackfield::test::kHasAddressSanitizer;
using jackfield::test::kHasSanitizer;
using jackfield::test::kHasThreadSanitizer;
namespace fs = std::filesystem;

namespace {

constexpr unsigned kChildSeconds = 60;
constexpr int kNoCrash = 99;

struct Death {
  Ending ending;
  std::string errors;  // all that it wrote

  // The one line of the report, without its time; it must be the only one.
  std::string line() const {
    UNSIGNED_LONGS_EQUAL(1, count_lines(errors, {" level=error ", " msg=", "crashed"}));
    const std::size_t found = errors.find(" level=error ");
    const std::size_t begin = errors.rfind('\n', found) + 1;
    STRCMP_EQUAL("T", errors.substr(begin + 10, 1).c_str());
    STRCMP_EQUAL(".", errors.substr(begin + 19, 1).c_str());
    STRCMP_EQUAL("Z", errors.substr(begin + 23, 1).c_str());
    LONGS_EQUAL(24, found - begin);
    return errors.substr(found + 1, errors.find('\n', found) - found - 1);
  }
};

// Runs `crash` in a child of its own.
Death die(const std::function<void()>& crash) {
  std::array<int, 2> pipe{};
  LONGS_EQUAL(0, ::pipe(pipe.data()));
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::alarm(kChildSeconds);
    ::dup2(pipe[1], STDERR_FILENO);
    ::close(pipe[0]);
    ::close(pipe[1]);
    crash();
    ::_exit(kNoCrash);
  }
  ::close(pipe[1]);
  Death death;
  std::array<char, 4096> bytes;
  while (true) {
    const ssize_t got = ::read(pipe[0], bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    death.errors.append(bytes.data(), static_cast<std::size_t>(got));
  }
  ::close(pipe[0]);
  int status = 0;
  LONGS_EQUAL(child, ::waitpid(child, &status, 0));
  if (WIFEXITED(status)) death.ending.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) death.ending.signal = WTERMSIG(status);
  return death;
}

// AddressSanitizer handles faults itself, and exits. ThreadSanitizer does, too, and blocks all
// signals in a handler, so that one that is raised there does not come.
void check_died_of(int signal, const Death& death) {
  if (kHasThreadSanitizer) {
    CHECK(death.ending.code != 0 && death.ending.code != kNoCrash);
    return;
  }
  if (kHasAddressSanitizer && (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE)) {
    LONGS_EQUAL(1, death.ending.code);
    STRCMP_CONTAINS("AddressSanitizer", death.errors.c_str());
    return;
  }
  LONGS_EQUAL_TEXT(signal, death.ending.signal, death.errors.c_str());
}

// Where a handler must be left for another signal, or end the process by one: says that it is not
// checked under ThreadSanitizer, which calls handlers with all signals blocked.
bool is_left_out() {
  if (!kHasThreadSanitizer) return false;
  jackfield::test::say_not_checked(
      "signals within a crash handler: ThreadSanitizer blocks all of them there");
  return true;
}

// UBSan would find these before the machine does, and ThreadSanitizer that two threads write there.
__attribute__((no_sanitize("undefined", "thread"))) void write_nowhere() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

volatile int zero = 0;

__attribute__((no_sanitize("undefined"))) void divide_by_zero() {
  zero = 1 / zero;
  ::raise(SIGFPE);  // machines on which that is 0
}

int overflow(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  if (zero == 1) return 0;
  return overflow(depth + 1) + frame[0];
}

// A page that cannot be read: what a text points to when a plugin has broken it.
const char* unreadable() {
  return static_cast<const char*>(
      ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

void say(std::string_view text) { (void)!::write(STDERR_FILENO, text.data(), text.size()); }

// tests/plugins/crash.c
class CrashPlugin {
 public:
  CrashPlugin() : library_(::dlopen(JACKFIELD_TEST_PLUGINS "/crash.so", RTLD_NOW | RTLD_LOCAL)) {
    CHECK_TEXT(library_ != nullptr, "crash.so cannot be opened");
    table_ = static_cast<const jf_plugin*>(::dlsym(library_, JF_SYMBOL_NAME));
    host_ = std::make_unique<FakeHost>(*table_);
    LONGS_EQUAL(JF_OK, host_->start());
    client_ = host_->connect();
    host_->subscribe(client_, "crash");
    const auto range = CodeRange::of(table_);
    CHECK(range.has_value());
    range_ = *range;
  }
  ~CrashPlugin() {
    host_->stop();
    host_.reset();
    ::dlclose(library_);
  }
  CrashPlugin(const CrashPlugin&) = delete;
  CrashPlugin& operator=(const CrashPlugin&) = delete;

  const CodeRange& range() const { return range_; }
  void send(const std::string& event) { host_->send(client_, "crash", event, "null"); }
  void run_jobs() { host_->run_jobs(); }

 private:
  void* library_;
  const jf_plugin* table_ = nullptr;
  std::unique_ptr<FakeHost> host_;
  jf_id client_ = 0;
  CodeRange range_;
};

// Ends the process in a way that nothing else does here.
void handle_and_kill(int) {
  say("the one before\n");
  ::kill(::getpid(), SIGKILL);
}

void handle_and_return(int) { say("the one before\n"); }

}  // namespace

TEST_GROUP(PluginCrashHandler) {
  jackfield::test::TemporaryFolder folder;
  Callee chat{"chat", "1.0.0", 3, ""};
  Callee crash{"crash", "1.2.3", 7, ""};

  void setup() override {
    for (Callee* callee : {&chat, &crash}) {
      const fs::path file = folder.write(callee->plugin + ".so", "");
      callee->crash_key = CrashHistory::key(file, FileStamp::of(file).value());
    }
  }
  // With a reporter, and a history that it records in.
  Death report(const std::function<void()>& what) {
    return die([&] {
      const auto history = CrashHistory::open(folder.path());
      const CrashReporter reporter(history.value().descriptor());
      what();
    });
  }
  std::size_t count(const Callee& callee) {
    const auto history = CrashHistory::open(folder.path());
    return history.value().count(callee.crash_key);
  }
  // A line that begins and ends so; what is between them, a number, is a place in crash.so's code.
  void check_place(const std::string& line, const std::string& begin, const CodeRange& range) {
    CHECK_TEXT(line.starts_with(begin), line.c_str());
    const std::uintptr_t offset = std::strtoull(line.c_str() + begin.size(), nullptr, 16);
    CHECK(range.base + offset >= range.begin);
    CHECK(range.base + offset < range.end);
  }
};

TEST(PluginCrashHandler, names_the_call_that_crashed_and_records_it) {
  const Death death = report([&] {
    const PluginCall call(chat, "event", "room:lab", "say", "room:<room>");
    write_nowhere();
  });
  STRCMP_EQUAL(
      "level=error msg=\"plugin crashed the server\" plugin=chat version=1.0.0 generation=3 "
      "callback=event topic=room:lab event=say pattern=room:<room> signal=SIGSEGV address=0x0",
      death.line().c_str());
  check_died_of(SIGSEGV, death);
  UNSIGNED_LONGS_EQUAL(1, count(chat));
  UNSIGNED_LONGS_EQUAL(0, count(crash));
}

TEST(PluginCrashHandler, writes_the_line_only_where_nothing_else_does) {
  const Death death = report([&] {
    const PluginCall call(chat, "event");
    std::abort();
  });
  UNSIGNED_LONGS_EQUAL(1, count_lines(death.errors, {}));
}

TEST(PluginCrashHandler, an_abort_is_reported) {
  const Death death = report([&] {
    const PluginCall call(chat, "start");
    std::abort();
  });
  STRCMP_EQUAL(
      "level=error msg=\"plugin crashed the server\" plugin=chat version=1.0.0 generation=3 "
      "callback=start signal=SIGABRT",
      death.line().c_str());
  check_died_of(SIGABRT, death);
  UNSIGNED_LONGS_EQUAL(1, count(chat));
}

TEST(PluginCrashHandler, an_uncaught_exception_is_reported) {
  const Death death = report([&] {
    const PluginCall call(chat, "event");
    const std::function<void()> thrower = [] { throw 1; };
    const auto barrier = [&]() noexcept { thrower(); };
    barrier();
  });
  STRCMP_CONTAINS("callback=event signal=SIGABRT", death.line().c_str());
  check_died_of(SIGABRT, death);
}

TEST(PluginCrashHandler, a_division_by_zero_is_reported) {
  const Death death = report([&] {
    const PluginCall call(chat, "timer");
    divide_by_zero();
  });
  STRCMP_CONTAINS("callback=timer signal=SIGFPE", death.line().c_str());
  check_died_of(SIGFPE, death);
  UNSIGNED_LONGS_EQUAL(1, count(chat));
}

TEST(PluginCrashHandler, every_other_signal_of_a_crash_is_reported) {
  const std::vector<std::pair<int, std::string>> signals{
      {SIGTRAP, "SIGTRAP"}, {SIGILL, "SIGILL"}, {SIGBUS, "SIGBUS"}, {SIGSYS, "SIGSYS"}};
  for (const auto& [number, name] : signals) {
    const int signal = number;
    const Death death = report([&] {
      const PluginCall call(chat, "timer");
      ::raise(signal);
    });
    STRCMP_CONTAINS(("callback=timer signal=" + name).c_str(), death.line().c_str());
    check_died_of(signal, death);
  }
  UNSIGNED_LONGS_EQUAL(4, count(chat));
}

TEST(PluginCrashHandler, an_overflow_of_the_stack_is_reported) {
  if (is_left_out()) return;
  const Death death = report([&] {
    const PluginCall call(chat, "event", "room:lab");
    zero = overflow(0);
  });
  STRCMP_CONTAINS("callback=event topic=room:lab signal=SIGSEGV address=0x", death.line().c_str());
  check_died_of(SIGSEGV, death);
  UNSIGNED_LONGS_EQUAL(1, count(chat));
}

TEST(PluginCrashHandler, an_overflow_of_a_worker_threads_stack_is_reported) {
  const Death death = report([&] {
    std::thread([&] {
      const CrashStack stack;
      const PluginCall call(chat, "work");
      zero = overflow(0);
    }).join();
  });
  STRCMP_CONTAINS("plugin=chat version=1.0.0 generation=3 callback=work signal=SIGSEGV address=0x",
                  death.line().c_str());
  check_died_of(SIGSEGV, death);
}

TEST(PluginCrashHandler, a_crash_without_a_call_is_nobodys) {
  const Death death = report([&] {
    { const PluginCall call(chat, "event"); }
    write_nowhere();
  });
  STRCMP_EQUAL("level=error msg=\"the server crashed\" signal=SIGSEGV address=0x0",
               death.line().c_str());
  check_died_of(SIGSEGV, death);
  UNSIGNED_LONGS_EQUAL(0, count(chat));
}

TEST(PluginCrashHandler, the_innermost_call_is_named) {
  const Death death = report([&] {
    const PluginCall outer(chat, "event");
    const PluginCall inner(crash, "leave");
    write_nowhere();
  });
  STRCMP_CONTAINS("plugin=crash version=1.2.3 generation=7 callback=leave", death.line().c_str());
  UNSIGNED_LONGS_EQUAL(0, count(chat));
  UNSIGNED_LONGS_EQUAL(1, count(crash));
}

TEST(PluginCrashHandler, a_crash_in_another_thread_is_its_own_call) {
  const Death death = report([&] {
    const PluginCall outer(chat, "event");
    std::thread([&] {
      const PluginCall call(crash, "work");
      write_nowhere();
    }).join();
  });
  STRCMP_CONTAINS("plugin=crash version=1.2.3 generation=7 callback=work signal=SIGSEGV",
                  death.line().c_str());
  check_died_of(SIGSEGV, death);
  UNSIGNED_LONGS_EQUAL(0, count(chat));
  UNSIGNED_LONGS_EQUAL(1, count(crash));
}

TEST(PluginCrashHandler, a_crash_in_another_thread_without_a_call_is_nobodys) {
  const Death death = report([&] {
    const PluginCall outer(chat, "event");
    std::thread(write_nowhere).join();
  });
  STRCMP_EQUAL("level=error msg=\"the server crashed\" signal=SIGSEGV address=0x0",
               death.line().c_str());
  check_died_of(SIGSEGV, death);
  UNSIGNED_LONGS_EQUAL(0, count(chat));
}

TEST(PluginCrashHandler, what_is_not_known_is_left_out) {
  const Callee unknown{"chat", "", 0, ""};
  const Death death = report([&] {
    const PluginCall call(unknown, "load");
    std::abort();
  });
  STRCMP_EQUAL(
      "level=error msg=\"plugin crashed the server\" plugin=chat callback=load signal=SIGABRT",
      death.line().c_str());
  UNSIGNED_LONGS_EQUAL(0, count(chat));
}

TEST(PluginCrashHandler, a_topic_cannot_forge_a_line) {
  using namespace std::string_view_literals;
  const Death death = report([&] {
    const PluginCall call(chat, "event", "room:\"a\"\n2026-11-23 level=error\0x"sv, "\x1b[2J"sv);
    write_nowhere();
  });
  STRCMP_CONTAINS(
      "callback=event topic=\"room:\\\"a\\\"\\n2026-11-23 level=error\\x00x\" "
      "event=\"\\x1b[2J\" signal=SIGSEGV",
      death.line().c_str());
}

TEST(PluginCrashHandler, a_very_long_topic_is_cut_and_leaves_room_for_the_rest) {
  const std::string longest(1 << 20, '\x01');
  const Callee long_named{std::string(500, 'n'), longest, UINT64_MAX, chat.crash_key};
  const Death death = report([&] {
    const PluginCall call(long_named, "event", longest, longest, longest);
    write_nowhere();
  });
  const std::string line = death.line();
  CHECK(line.size() < jackfield::base::Log::kMaxLineOctets);
  STRCMP_CONTAINS("\\x01...\" event=\"\\x01", line.c_str());
  STRCMP_CONTAINS("\\x01...\" signal=SIGSEGV address=0x0", line.c_str());
  UNSIGNED_LONGS_EQUAL(1, count(chat));
}

TEST(PluginCrashHandler, a_topic_that_cannot_be_read_does_not_cost_the_rest_of_the_line) {
  if (is_left_out()) return;
  const std::string_view broken(unreadable(), 4096);
  const Death death = report([&] {
    const PluginCall call(chat, "event", broken, "say");
    std::abort();
  });
  STRCMP_CONTAINS("generation=3 callback=event signal=SIGABRT", death.line().c_str());
  check_died_of(SIGABRT, death);
  UNSIGNED_LONGS_EQUAL(1, count(chat));
}

TEST(PluginCrashHandler, a_broken_callee_does_not_loop) {
  if (is_left_out()) return;
  const Death death = report([&] {
    const char* const nowhere = unreadable();
    const PluginCall call(*reinterpret_cast<const Callee*>(nowhere), "event");
    std::abort();
  });
  STRCMP_CONTAINS("msg=\"plugin crashed the server\"", death.line().c_str());
  STRCMP_CONTAINS("signal=SIGABRT", death.line().c_str());
  check_died_of(SIGABRT, death);
}

TEST(PluginCrashHandler, two_threads_that_crash_at_once_are_one_line) {
  for (int round = 0; round < 10; ++round) {
    const std::size_t before = count(chat);
    const Death death = report([&] {
      std::atomic<int> ready{0};
      const auto run = [&] {
        const PluginCall call(chat, "work");
        ++ready;
        while (ready < 2) {
        }
        write_nowhere();
      };
      std::thread one(run);
      std::thread two(run);
      one.join();
      two.join();
    });
    STRCMP_CONTAINS("callback=work signal=SIGSEGV address=0x0", death.line().c_str());
    check_died_of(SIGSEGV, death);
    UNSIGNED_LONGS_EQUAL(before + 1, count(chat));
  }
}

TEST(PluginCrashHandler, who_handled_a_fault_before_still_gets_its_turn) {
  const Death death = die([&] {
    std::signal(SIGSEGV, handle_and_kill);
    const CrashReporter reporter(-1);
    const PluginCall call(chat, "event");
    write_nowhere();
  });
  STRCMP_CONTAINS("callback=event signal=SIGSEGV", death.line().c_str());
  STRCMP_CONTAINS("\nthe one before\n", death.errors.c_str());
  LONGS_EQUAL(SIGKILL, death.ending.signal);
}

TEST(PluginCrashHandler, who_handled_an_abort_before_still_gets_its_turn) {
  if (is_left_out()) return;
  const Death death = die([&] {
    std::signal(SIGABRT, handle_and_kill);
    const CrashReporter reporter(-1);
    const PluginCall call(chat, "event");
    std::abort();
  });
  STRCMP_CONTAINS("callback=event signal=SIGABRT", death.line().c_str());
  STRCMP_CONTAINS("\nthe one before\n", death.errors.c_str());
  LONGS_EQUAL(SIGKILL, death.ending.signal);
}

TEST(PluginCrashHandler, a_signal_that_is_sent_ends_the_process_whoever_handled_it_before) {
  if (is_left_out()) return;
  for (const auto before : {handle_and_return, SIG_IGN}) {
    const Death death = die([&] {
      std::signal(SIGSEGV, before);
      const CrashReporter reporter(-1);
      const PluginCall call(chat, "event");
      ::raise(SIGSEGV);
    });
    STRCMP_CONTAINS("callback=event signal=SIGSEGV", death.line().c_str());
    LONGS_EQUAL(SIGSEGV, death.ending.signal);
  }
}

TEST(PluginCrashHandler, a_signal_from_outside_names_its_sender) {
  if (is_left_out()) return;  // it also comes late, and so perhaps just before the pause
  const pid_t parent = ::getpid();
  const Death death = report([&] {
    const PluginCall call(chat, "event");
    const pid_t crashing = ::getpid();
    if (::fork() == 0) {  // as a watchdog does
      ::kill(crashing, SIGABRT);
      ::_exit(0);
    }
    while (true) ::pause();
  });
  const std::string line = death.line();
  const std::string begin =
      "level=error msg=\"plugin crashed the server\" plugin=chat version=1.0.0 generation=3 "
      "callback=event signal=SIGABRT sender=";
  CHECK_TEXT(line.starts_with(begin), line.c_str());
  CHECK(std::atoi(line.c_str() + begin.size()) > 1);
  CHECK(std::atoi(line.c_str() + begin.size()) != parent);
  check_died_of(SIGABRT, death);
}

TEST(PluginCrashHandler, a_fork_of_the_server_dies_without_a_word) {
  if (is_left_out()) return;
  const Death death = report([&] {
    const PluginCall call(chat, "event");
    const pid_t forked = ::fork();
    if (forked == 0) std::abort();
    int status = 0;
    ::waitpid(forked, &status, 0);
    say(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? "aborted\n" : "not aborted\n");
  });
  STRCMP_EQUAL("aborted\n", death.errors.c_str());
  LONGS_EQUAL(kNoCrash, death.ending.code);
  UNSIGNED_LONGS_EQUAL(0, count(chat));
}

TEST(PluginCrashHandler, everything_is_put_back_at_its_end) {
  struct sigaction before {};
  struct sigaction within {};
  struct sigaction after {};
  stack_t stack_before{};
  stack_t stack_within{};
  stack_t stack_after{};
  ::sigaction(SIGSEGV, nullptr, &before);
  ::sigaltstack(nullptr, &stack_before);
  {
    const CrashReporter reporter(-1);
    ::sigaction(SIGSEGV, nullptr, &within);
    ::sigaltstack(nullptr, &stack_within);
  }
  ::sigaction(SIGSEGV, nullptr, &after);
  ::sigaltstack(nullptr, &stack_after);
  CHECK(within.sa_sigaction != before.sa_sigaction);
  CHECK(after.sa_sigaction == before.sa_sigaction);
  CHECK(stack_within.ss_sp != stack_before.ss_sp);
  LONGS_EQUAL(stack_before.ss_flags, stack_after.ss_flags);
  const bool had_one = (stack_before.ss_flags & SS_DISABLE) == 0;
  if (had_one) POINTERS_EQUAL(stack_before.ss_sp, stack_after.ss_sp);
}

TEST(PluginCrashHandler, a_handler_that_came_later_is_left_at_its_end) {
  const Death death = die([] {
    {
      const CrashReporter reporter(-1);
      std::signal(SIGSEGV, handle_and_kill);
    }
    write_nowhere();
  });
  LONGS_EQUAL(SIGKILL, death.ending.signal);
}

TEST(PluginCrashHandler, a_thread_that_blocks_the_signals_is_made_ready) {
  const Death death = report([&] {
    std::thread([&] {
      sigset_t all;
      sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      const CrashStack stack;
      const PluginCall call(chat, "work");
      write_nowhere();
    }).join();
  });
  STRCMP_CONTAINS("callback=work signal=SIGSEGV", death.line().c_str());
}

TEST(PluginCrashHandler, nobody_who_reads_the_log_holds_up_the_end) {
  const Death death = report([&] {
    std::array<int, 2> full{};
    if (::pipe2(full.data(), O_NONBLOCK) != 0) return;
    while (::write(full[1], "x", 1) == 1) {
    }
    ::dup2(full[1], STDERR_FILENO);
    const PluginCall call(chat, "event");
    std::abort();
  });
  check_died_of(SIGABRT, death);
  UNSIGNED_LONGS_EQUAL(1, count(chat));
}

// ---- With an image

TEST(PluginCrashHandler, says_where_in_the_plugin_it_crashed) {
  CrashPlugin plugin;
  const Death death = report([&] {
    const LoadedImage image(plugin.range(), crash);
    const PluginCall call(crash, "event", "crash", "segv", "crash");
    plugin.send("segv");
  });
  check_place(death.line(),
              "level=error msg=\"plugin crashed the server\" plugin=crash version=1.2.3 "
              "generation=7 callback=event topic=crash event=segv pattern=crash signal=SIGSEGV "
              "address=0x0 where=crash.so+0x",
              plugin.range());
  check_died_of(SIGSEGV, death);
  UNSIGNED_LONGS_EQUAL(1, count(crash));
}

TEST(PluginCrashHandler, says_who_called_what_crashed) {
  CrashPlugin plugin;
  const Death death = report([&] {
    const LoadedImage image(plugin.range(), crash);
    const PluginCall call(crash, "event");
    plugin.send("abort");
  });
  const std::string line =
      "level=error msg=\"plugin crashed the server\" plugin=crash version=1.2.3 "
      "generation=7 callback=event signal=SIGABRT";
  if (kHasSanitizer) {  // a call may be on a stack of its own making
    STRCMP_CONTAINS(line.c_str(), death.line().c_str());
  } else {
    check_place(death.line(), line + " caller=crash.so+0x", plugin.range());
  }
  check_died_of(SIGABRT, death);
}

TEST(PluginCrashHandler, an_overflow_in_the_plugin_has_its_place) {
  CrashPlugin plugin;
  const Death death = report([&] {
    const LoadedImage image(plugin.range(), crash);
    const PluginCall call(crash, "event");
    plugin.send("overflow");
  });
  STRCMP_CONTAINS("callback=event signal=SIGSEGV address=0x", death.line().c_str());
  // AddressSanitizer's own functions use the last of the stack.
  if (!kHasSanitizer) STRCMP_CONTAINS(" where=crash.so+0x", death.line().c_str());
  check_died_of(SIGSEGV, death);
}

TEST(PluginCrashHandler, a_thread_of_the_plugins_own_is_known_by_its_code) {
  CrashPlugin plugin;
  const Death death = report([&] {
    const LoadedImage image(plugin.range(), crash);
    plugin.send("thread");
  });
  check_place(death.line(),
              "level=error msg=\"plugin crashed the server\" plugin=crash version=1.2.3 "
              "generation=7 callback=thread signal=SIGSEGV address=0x0 where=crash.so+0x",
              plugin.range());
  check_died_of(SIGSEGV, death);
  UNSIGNED_LONGS_EQUAL(1, count(crash));
}

TEST(PluginCrashHandler, a_thread_of_the_plugins_own_that_aborts_is_known_by_its_caller) {
  CrashPlugin plugin;
  const Death death = report([&] {
    const LoadedImage image(plugin.range(), crash);
    plugin.send("thread_abort");
  });
  check_place(death.line(),
              "level=error msg=\"plugin crashed the server\" plugin=crash version=1.2.3 "
              "generation=7 callback=thread signal=SIGABRT caller=crash.so+0x",
              plugin.range());
  check_died_of(SIGABRT, death);
  UNSIGNED_LONGS_EQUAL(1, count(crash));
}

TEST(PluginCrashHandler, an_image_that_went_is_nobodys) {
  CrashPlugin plugin;
  const Death death = report([&] {
    { const LoadedImage image(plugin.range(), crash); }
    plugin.send("thread");
  });
  STRCMP_EQUAL("level=error msg=\"the server crashed\" signal=SIGSEGV address=0x0",
               death.line().c_str());
  UNSIGNED_LONGS_EQUAL(0, count(crash));
}

TEST(PluginCrashHandler, an_abort_of_the_host_itself_is_nobodys) {
  CrashPlugin plugin;
  const Death death = report([&] {
    const LoadedImage image(plugin.range(), crash);
    // What a host's thread has on its stack proves nothing.
    volatile std::uintptr_t stale[64];
    for (volatile std::uintptr_t& word : stale) word = plugin.range().begin;
    std::abort();
  });
  STRCMP_EQUAL("level=error msg=\"the server crashed\" signal=SIGABRT", death.line().c_str());
  UNSIGNED_LONGS_EQUAL(0, count(crash));
}
