#include "core/plugin/crash_handler.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "core/plugin/crash_history.hpp"
#include "core/plugin/crash_line.hpp"
#include "core/plugin/loaded_image.hpp"
#include "core/plugin/plugin_call.hpp"

namespace jackfield::plugin {
namespace {

struct CrashSignal {
  int number;
  std::string_view name;
};
// SIGTRAP is what __builtin_trap() is on some machines; SIGSYS comes from a seccomp(2) filter.
constexpr std::array kSignals{
    CrashSignal{SIGSEGV, "SIGSEGV"}, CrashSignal{SIGBUS, "SIGBUS"},
    CrashSignal{SIGFPE, "SIGFPE"},   CrashSignal{SIGILL, "SIGILL"},
    CrashSignal{SIGABRT, "SIGABRT"}, CrashSignal{SIGTRAP, "SIGTRAP"},
    CrashSignal{SIGSYS, "SIGSYS"},
};

// Enough for the handler, and for AddressSanitizer's after it; the kernel's frame comes on top.
constexpr std::size_t kStackOctets = 96 << 10;
// How far up a stack is searched for a plugin's return address.
constexpr std::size_t kSearchedOctets = 64 << 10;
// How long the end may wait for who reads the log.
constexpr int kLogPatienceMs = 1000;
// How long other threads that crash wait for the report's end, which ends the process.
constexpr int kReportPatienceMs = 5000;
// With each octet escaped, the line has room for all of them.
constexpr std::size_t kMaxTopicOctets = 256;
constexpr std::size_t kMaxEventOctets = 128;
constexpr std::size_t kMaxPatternOctets = 128;
constexpr std::size_t kMaxVersionOctets = 64;
constexpr std::size_t kMaxNameOctets = 64;

// The steps of a report. A fault within one (a plugin may have broken what is read) begins the
// handler again, which goes on with the next one.
enum Step : int { kSearch, kCulprit, kCall, kSignal, kPlace, kWrite, kRecord, kDone };

// What the first crash's handler was given. Lives on its stack, to the process's end.
struct Crash {
  int number;
  const siginfo_t* info;
  std::uintptr_t instruction;  // 0: not known on this machine
  std::uintptr_t stack;
};

// A signal handler's state is static (signal-safety(7)); it is set before the handlers are there,
// and then by the one thread that reports.
std::array<struct sigaction, kSignals.size()> previous_actions{};
constinit std::atomic<pid_t> owner{0};  // 0: none is installed
constinit std::atomic<int> history_descriptor{-1};
constinit std::atomic<const void*> reporter{nullptr};  // the thread, by the address of its `here`
constinit std::atomic<int> step{kSearch};
constinit std::atomic<const PluginCall*> call{nullptr};
constinit std::atomic<const Callee*> culprit{nullptr};
constinit Crash crash{};
constinit CrashLine line;
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// As plugin_call.cpp says of its own: safe to read in a handler. Its address tells threads apart,
// and lies above the stack of a thread that pthread_create(3) made.
[[gnu::tls_model("initial-exec")]] constinit thread_local std::atomic<bool> is_host_thread{false};

std::string_view name_of(int number) {
  for (const CrashSignal& signal : kSignals) {
    if (signal.number == number) return signal.name;
  }
  return {};
}

void read_registers(const ucontext_t& machine, Crash& into) {
  const auto& registers = machine.uc_mcontext;
#if defined(__x86_64__)
  into.instruction = static_cast<std::uintptr_t>(registers.gregs[REG_RIP]);
  into.stack = static_cast<std::uintptr_t>(registers.gregs[REG_RSP]);
#elif defined(__i386__)
  into.instruction = static_cast<std::uintptr_t>(registers.gregs[REG_EIP]);
  into.stack = static_cast<std::uintptr_t>(registers.gregs[REG_ESP]);
#elif defined(__aarch64__)
  into.instruction = static_cast<std::uintptr_t>(registers.pc);
  into.stack = static_cast<std::uintptr_t>(registers.sp);
#elif defined(__arm__)
  into.instruction = static_cast<std::uintptr_t>(registers.arm_pc);
  into.stack = static_cast<std::uintptr_t>(registers.arm_sp);
#elif defined(__riscv)
  into.instruction = static_cast<std::uintptr_t>(registers.__gregs[REG_PC]);
  into.stack = static_cast<std::uintptr_t>(registers.__gregs[REG_SP]);
#else
  static_cast<void>(registers);
  into.instruction = 0;
  into.stack = 0;
#endif
}

// Whether the signal was sent (kill(2), raise(3), abort(3)), and not made by an instruction.
bool is_sent(const siginfo_t& info) { return info.si_code <= 0; }

bool is_sent_by_another_process(const siginfo_t& info) {
  return info.si_code == SI_USER && info.si_pid != ::getpid();
}

// The first word from the crash's stack pointer up to `top` that is an address of a plugin's code.
// Reads octets that are nobody's variables.
[[gnu::no_sanitize_address]] LoadedImage::Place find_caller(const void* top) {
  const auto above = reinterpret_cast<std::uintptr_t>(top);
  std::uintptr_t at = crash.stack & ~(sizeof(std::uintptr_t) - 1);
  if (at == 0 || above <= at) return {};
  const std::uintptr_t end = above - at > kSearchedOctets ? at + kSearchedOctets : above;
  for (; at + sizeof(std::uintptr_t) <= end; at += sizeof(std::uintptr_t)) {
    const auto place = LoadedImage::at(*reinterpret_cast<const volatile std::uintptr_t*>(at));
    if (place.callee != nullptr) return place;
  }
  return {};
}

void search() {
  LoadedImage::keep_all();
  call = PluginCall::current();
  if (call != nullptr) {
    culprit = &call.load()->callee();
  } else if (!is_sent_by_another_process(*crash.info)) {  // else the thread is any one
    culprit = LoadedImage::at(crash.instruction).callee;
    if (culprit == nullptr && !is_host_thread) culprit = find_caller(&is_host_thread).callee;
  }
}

void name_culprit() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  line.begin(now.tv_sec, static_cast<int>(now.tv_nsec / 1'000'000));
  line.add("level", "error", kMaxNameOctets);
  const Callee* const who = culprit;
  line.add("msg", who == nullptr ? "the server crashed" : "plugin crashed the server",
           kMaxNameOctets);
  if (who == nullptr) return;
  line.add("plugin", who->plugin, kMaxNameOctets);
  if (!who->version.empty()) line.add("version", who->version, kMaxVersionOctets);
  if (who->generation != 0) line.add("generation", who->generation);
}

void name_call() {
  const PluginCall* const current = call;
  if (current != nullptr) {
    line.add("callback", current->callback(), kMaxNameOctets);
    if (!current->topic().empty()) line.add("topic", current->topic(), kMaxTopicOctets);
    if (!current->event().empty()) line.add("event", current->event(), kMaxEventOctets);
    if (!current->pattern().empty()) line.add("pattern", current->pattern(), kMaxPatternOctets);
  } else if (culprit != nullptr) {
    line.add("callback", "thread", kMaxNameOctets);
  }
}

void name_signal() {
  const int number = crash.number;
  line.add("signal", name_of(number), kMaxNameOctets);
  const bool has_address =
      number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
  // SI_KERNEL: a fault whose address the machine does not tell.
  if (has_address && !is_sent(*crash.info) && crash.info->si_code != SI_KERNEL) {
    line.add_address("address", reinterpret_cast<std::uintptr_t>(crash.info->si_addr));
  }
  if (is_sent_by_another_process(*crash.info)) {
    line.add("sender", static_cast<std::uint64_t>(crash.info->si_pid));
  }
}

void name_place() {
  auto place = LoadedImage::at(crash.instruction);
  if (place.callee != nullptr) {
    line.add_place("where", place.callee->plugin, place.offset);
    return;
  }
  if (culprit == nullptr) return;
  // A call is an object on its caller's stack, above what the plugin's functions use of it.
  const PluginCall* const current = call;
  const void* const top = current == nullptr ? static_cast<const void*>(&is_host_thread) : current;
  place = find_caller(top);
  if (place.callee != nullptr) line.add_place("caller", place.callee->plugin, place.offset);
}

// In one go, so that no other line comes between; not at all where nobody reads the log.
void write_line() {
  const std::string_view text = line.end();
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ready, 1, kLogPatienceMs) == 0) return;
  while (::write(STDERR_FILENO, text.data(), text.size()) < 0 && errno == EINTR) {
  }
}

void record() {
  const Callee* const who = culprit;
  if (who == nullptr) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  CrashHistory::append(history_descriptor, who->crash_key, now.tv_sec);
}

void report_from(int first) {
  for (int next = first; next < kDone; ++next) {
    step = next;
    switch (next) {
      case kSearch: search(); break;
      case kCulprit: name_culprit(); break;
      case kCall: name_call(); break;
      case kSignal: name_signal(); break;
      case kPlace: name_place(); break;
      case kWrite: write_line(); break;
      case kRecord: record(); break;
      default: break;
    }
  }
  step = kDone;
}

// Nothing of ours stays. A crash is not ignored: that is the default action instead.
void put_back_actions() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction action = previous_actions[i];
    if ((action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN) {
      action.sa_handler = SIG_DFL;
    }
    ::sigaction(kSignals[i].number, &action, nullptr);
  }
}

// Whether the instruction that made the signal is tried again when the handler returns, so that who
// handled it before sees the crash itself. A trap's is not; nor is a memory error in passing.
bool comes_again(int number, const siginfo_t& info) {
  if (is_sent(info) || number == SIGABRT || number == SIGTRAP || number == SIGSYS) return false;
  return number != SIGBUS || info.si_code != BUS_MCEERR_AO;
}

[[noreturn]] void die_of(int number) {
  ::raise(number);
  // Who handled it before returned.
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(number, &action, nullptr);
  ::raise(number);
  ::_exit(128 + number);
}

void handle_crash(int number, siginfo_t* info, void* machine) {
  const void* const here = &is_host_thread;
  const void* nobody = nullptr;
  if (::getpid() != owner) {
    put_back_actions();  // a fork of the server
  } else if (reporter.compare_exchange_strong(nobody, here)) {
    crash.number = number;
    crash.info = info;
    read_registers(*static_cast<const ucontext_t*>(machine), crash);
    report_from(kSearch);
    put_back_actions();
  } else if (nobody != here) {
    ::poll(nullptr, 0, kReportPatienceMs);
    put_back_actions();
  } else {
    // The report itself failed: what is left of it, and the end that it was about.
    if (step < kDone) report_from(step + 1);
    put_back_actions();
    die_of(crash.number);
  }
  if (!comes_again(number, *info)) die_of(number);
}

}  // namespace

CrashStack::CrashStack() {
  was_host_thread_ = is_host_thread.exchange(true);
  sigset_t signals;
  sigemptyset(&signals);
  for (const CrashSignal& signal : kSignals) sigaddset(&signals, signal.number);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);

  // One page below that nobody may touch: what overflows this stack crashes for good.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t wanted = kStackOctets + static_cast<std::size_t>(SIGSTKSZ);
  const std::size_t octets = page + (wanted + page - 1) / page * page;
  void* const memory =
      ::mmap(nullptr, octets, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack{};
  stack.ss_sp = static_cast<char*>(memory) + page;
  stack.ss_size = octets - page;
  if (::mprotect(stack.ss_sp, stack.ss_size, PROT_READ | PROT_WRITE) != 0 ||
      ::sigaltstack(&stack, &previous_) != 0) {
    ::munmap(memory, octets);
    return;
  }
  memory_ = memory;
  octets_ = octets;
}

CrashStack::~CrashStack() {
  if (memory_ != nullptr) {
    ::sigaltstack(&previous_, nullptr);
    ::munmap(memory_, octets_);
  }
  is_host_thread = was_host_thread_;
}

CrashReporter::CrashReporter(int history) {
  assert(owner == 0 && "one at a time");
  history_descriptor = history;
  struct sigaction action {};
  action.sa_sigaction = handle_crash;
  // SA_NODEFER, for a fault within the handler must find it again; signals that are no crash wait.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigfillset(&action.sa_mask);
  for (const CrashSignal& signal : kSignals) sigdelset(&action.sa_mask, signal.number);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i].number, nullptr, &previous_actions[i]);
  }
  owner = ::getpid();
  for (const CrashSignal& signal : kSignals) ::sigaction(signal.number, &action, nullptr);
}

CrashReporter::~CrashReporter() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction now {};
    ::sigaction(kSignals[i].number, nullptr, &now);
    const bool is_ours = (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == handle_crash;
    if (is_ours) ::sigaction(kSignals[i].number, &previous_actions[i], nullptr);
  }
  owner = 0;
  history_descriptor = -1;
}

}  // namespace jackfield::plugin
