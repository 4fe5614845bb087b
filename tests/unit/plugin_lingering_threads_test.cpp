#include "core/plugin/lingering_threads.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/plugin/library.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::plugin::AddressRange;
using jackfield::plugin::Library;
using jackfield::plugin::LingeringThread;
using jackfield::plugin::PrivateCopies;
using jackfield::plugin::thread_ids;
using jackfield::plugin::threads_in;
using jackfield::test::Deadline;
using jackfield::test::kHasSanitizer;
namespace fs = std::filesystem;

namespace {

pid_t own_id() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

// A pipe, with what a thread that waits at it needs.
struct Gate {
  std::array<int, 2> ends{-1, -1};
  std::array<int, 2> arrived{-1, -1};
  Gate() { CHECK(::pipe(ends.data()) == 0 && ::pipe(arrived.data()) == 0); }
  ~Gate() {
    for (const int end : {ends[0], ends[1], arrived[0], arrived[1]}) ::close(end);
  }
  // Whether every octet went through.
  static bool put(int end) { return ::write(end, "x", 1) == 1; }
  static bool take(int end) {
    char octet = 0;
    return ::read(end, &octet, 1) == 1;
  }
};

}  // namespace

// A section of its own, so that the linker tells where the function begins and ends.
__attribute__((noinline, section("waits_at_gate"))) bool wait_at_gate(Gate& gate) {
  const bool is_told = Gate::put(gate.arrived[1]);
  return Gate::take(gate.ends[0]) && is_told;
}

// A thread of the image that begins the next one and ends, and so on, until it is over.
std::atomic<bool> is_relay_over{false};
std::atomic<int> relaying{0};
__attribute__((noinline, section("relays"))) void* relay(void* unused) {
  pthread_t next{};
  if (!is_relay_over) {
    ++relaying;
    if (::pthread_create(&next, nullptr, relay, nullptr) == 0) {
      ::pthread_detach(next);
    } else {
      --relaying;
    }
  }
  --relaying;
  return unused;
}

extern "C" const char __start_relays;
extern "C" const char __stop_relays;
extern "C" const char __start_waits_at_gate;
extern "C" const char __stop_waits_at_gate;

TEST_GROUP(PluginLingeringThreads) {
  jackfield::test::TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  std::optional<PrivateCopies> copies;
  std::set<pid_t> earlier;
  std::optional<Library> library;

  void setup() override {
    auto opened = PrivateCopies::open(folder.path() / "run");
    CHECK(opened.is_ok());
    copies.emplace(std::move(opened.value()));
    LONGS_EQUAL(0, ::mkfifo(pipe.c_str(), 0600));
    earlier = thread_ids();
  }

  void teardown() override {
    if (library && !found().empty()) std::move(*library).abandon();  // a test has failed
  }

  // Opens the plugin, starts it with that configuration, and stops it.
  void run_plugin(const std::string& config) {
    jackfield::plugin::FileTrust trust{.is_required = false, .fault = {}};  // the build's folders
    std::error_code ignored;
    auto opened =
        Library::open(fs::path(JACKFIELD_TEST_PLUGINS) / "lingering_thread.so", *copies, trust,
                      ignored);
    CHECK(opened.is_ok());
    library.emplace(std::move(opened.value()));
    jackfield::test::FakeHost host(library->table());
    LONGS_EQUAL(JF_OK, host.start(config));
    host.stop();
  }

  std::vector<LingeringThread> found(const std::set<pid_t>& host_threads = {}) {
    return threads_in(library->ranges_to_unmap(), host_threads, earlier);
  }

  // The one that is left, as soon as it is certain: it may not have begun yet.
  LingeringThread the_one() {
    const Deadline deadline;
    while (deadline.milliseconds() > 0) {
      const auto lingering = found();
      LONGS_EQUAL(1, lingering.size());
      if (lingering[0].is_certain) return lingering[0];
    }
    FAIL("its thread stays in doubt");
    return {};
  }

  // Lets the plugin's thread go, which opens the pipe some time, and waits until it has gone.
  void end_thread() {
    const Deadline deadline;
    int end = -1;
    while (end < 0 && deadline.milliseconds() > 0) {
      end = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    }
    CHECK(end >= 0 && Gate::put(end));
    while (!found().empty() && deadline.milliseconds() > 0) std::this_thread::yield();
    ::close(end);
    LONGS_EQUAL(0, found().size());
  }

  std::string waits_until() { return "{\"until\":\"" + pipe.string() + "\"}"; }
  std::string is_busy_until() { return "{\"until\":\"" + pipe.string() + "\",\"busy\":true}"; }
};

TEST(PluginLingeringThreads, the_threads_of_this_process_are_listed) {
  CHECK(thread_ids().count(own_id()) == 1);
  std::set<pid_t> with_another;
  pid_t another = 0;
  std::thread([&] {
    another = own_id();
    with_another = thread_ids();
  }).join();
  CHECK(with_another.count(another) == 1);
  CHECK(with_another.count(own_id()) == 1);
}

TEST(PluginLingeringThreads, one_that_stop_has_joined_is_not_there) {
  for (int i = 0; i < 50; ++i) {
    run_plugin(R"({"joined":true})");
    LONGS_EQUAL(0, found().size());
    CHECK(std::move(*library).close().is_gone);
    library.reset();
  }
}

TEST(PluginLingeringThreads, one_that_waits_is_found_until_it_has_ended) {
  run_plugin(waits_until());
  const LingeringThread lingering = the_one();
  CHECK(earlier.count(lingering.id) == 0);
  CHECK(!lingering.name.empty());
  LONGS_EQUAL(0, found({lingering.id}).size());
  end_thread();
  CHECK(std::move(*library).close().is_gone);
  library.reset();
}

TEST(PluginLingeringThreads, one_that_is_busy_is_found_by_what_it_was_started_with) {
  run_plugin(is_busy_until());
  if (kHasSanitizer) {
    LONGS_EQUAL(1, found().size());  // in doubt: threads are started by a function of its own
  } else {
    CHECK(the_one().is_certain);
  }
  end_thread();
  CHECK(std::move(*library).close().is_gone);
  library.reset();
}

TEST(PluginLingeringThreads, one_that_was_started_elsewhere_is_found_by_its_stack) {
  // Under valgrind the kernel knows of another stack than the program.
  if (jackfield::test::read_file("/proc/self/maps").find("vgpreload") != std::string::npos) return;
  Gate gate;
  bool is_through = false;
  std::thread thread([&] { is_through = wait_at_gate(gate); });
  CHECK(Gate::take(gate.arrived[0]));
  const AddressRange range{reinterpret_cast<std::uintptr_t>(&__start_waits_at_gate),
                           reinterpret_cast<std::uintptr_t>(&__stop_waits_at_gate)};
  CHECK(range.begin < range.end);
  const auto lingering = threads_in({range}, {}, earlier);
  CHECK(Gate::put(gate.ends[1]));
  thread.join();
  LONGS_EQUAL(1, lingering.size());
  CHECK(lingering[0].is_certain);
  CHECK(is_through);
  LONGS_EQUAL(0, threads_in({range}, {}, earlier).size());
}

TEST(PluginLingeringThreads, one_that_waits_in_other_code_is_not_found) {
  run_plugin(R"({"joined":true})");
  Gate gate;
  std::thread thread([&] { wait_at_gate(gate); });
  CHECK(Gate::take(gate.arrived[0]));
  const auto lingering = found();
  CHECK(Gate::put(gate.ends[1]));
  thread.join();
  // Its stack is the one that the plugin's start ran on: a sanitizer's frames leave gaps, in which
  // words of then stay.
  if (kHasSanitizer) {
    CHECK(lingering.size() <= 1);
  } else {
    LONGS_EQUAL(0, lingering.size());
  }
}

TEST(PluginLingeringThreads, one_that_a_thread_has_begun_which_ended_since_is_found) {
  const AddressRange range{reinterpret_cast<std::uintptr_t>(&__start_relays),
                           reinterpret_cast<std::uintptr_t>(&__stop_relays)};
  CHECK(range.begin < range.end);
  is_relay_over = false;
  relaying = 1;
  std::thread(relay, nullptr).detach();
  int missed = 0;
  for (int look = 0; look < 50; ++look) {
    if (threads_in({range}, {}, earlier).empty()) ++missed;
  }
  const bool went_on = relaying > 0;
  is_relay_over = true;
  const Deadline deadline;
  while (relaying > 0 && deadline.milliseconds() > 0) std::this_thread::yield();
  CHECK(went_on);
  LONGS_EQUAL(0, missed);
  LONGS_EQUAL(0, relaying);
}

// What the kernel tells, made up: a thread of an id that no real one can have.
TEST_GROUP(PluginThreadEvidence) {
  static constexpr pid_t kThread = 4'194'305;  // beyond the kernel's greatest, PID_MAX_LIMIT
  jackfield::test::TemporaryFolder folder;
  const std::vector<AddressRange> ranges{{0x1000, 0x2000}, {0x5000, 0x6000}};
  std::array<std::uintptr_t, 2000> stack{};

  void setup() override {
    tell("comm", "a (strange) name\n");
    tell("stat", "4194305 (a (strange) name) S 1 2 3 4 -1 4194368 5 6 7\n");
    const auto begin = reinterpret_cast<std::uintptr_t>(stack.data());
    std::array<char, 100> line{};
    std::snprintf(line.data(), line.size(), "%zx-%zx rw-p 00000000 00:00 0\n",
                  static_cast<std::size_t>(begin),
                  static_cast<std::size_t>(begin + sizeof stack));
    folder.write("maps", "1000-2000 r-xp 00000000 08:01 77 /x.so\n" + std::string(line.data()));
  }

  void tell(const std::string& file, const std::string& text) {
    const fs::path task = fs::path("task") / std::to_string(kThread);
    fs::create_directories(folder.path() / task);
    folder.write(task / file, text);
  }

  // Blocked in read(0) with this many words of its stack in use.
  void tell_place(std::size_t words, std::uintptr_t program_counter) {
    const auto pointer = reinterpret_cast<std::uintptr_t>(stack.data() + stack.size() - words);
    std::array<char, 100> line{};
    std::snprintf(line.data(), line.size(), "0 0x0 0x1 0x2 0x0 0x0 0x0 0x%zx 0x%zx\n",
                  static_cast<std::size_t>(pointer), static_cast<std::size_t>(program_counter));
    tell("syscall", line.data());
  }

  std::string verdict(const std::set<pid_t>& earlier = {}) {
    const auto found = threads_in(ranges, {}, earlier, folder.path());
    if (found.empty()) return "outside";
    LONGS_EQUAL(1, found.size());
    LONGS_EQUAL(kThread, found[0].id);
    STRCMP_EQUAL("a (strange) name", found[0].name.c_str());
    return found[0].is_certain ? "inside" : "in doubt";
  }
};

TEST(PluginThreadEvidence, a_program_counter_in_one_of_the_ranges_is_sure) {
  for (const std::uintptr_t inside : {0x1000u, 0x1fffu, 0x5abcu}) {
    tell_place(100, inside);
    STRCMP_EQUAL("inside", verdict().c_str());
  }
  for (const std::uintptr_t outside : {0xfffu, 0x2000u, 0x7000u}) {
    tell_place(100, outside);
    STRCMP_EQUAL("outside", verdict().c_str());
  }
}

TEST(PluginThreadEvidence, a_word_on_the_stack_that_leads_into_the_image_is_sure) {
  tell_place(1500, 0x7000);
  for (const std::size_t depth : {1u, 511u, 512u, 513u, 1024u, 1500u}) {
    stack[stack.size() - depth] = 0x1234;
    STRCMP_EQUAL("inside", verdict().c_str());
    stack[stack.size() - depth] = 0;
  }
  STRCMP_EQUAL("outside", verdict().c_str());
}

TEST(PluginThreadEvidence, what_lies_below_the_stack_pointer_is_over) {
  tell_place(100, 0x7000);
  stack[stack.size() - 101] = 0x1234;
  STRCMP_EQUAL("outside", verdict().c_str());
}

TEST(PluginThreadEvidence, a_busy_thread_is_in_doubt_unless_it_is_older_than_the_image) {
  tell("syscall", "running\n");
  STRCMP_EQUAL("in doubt", verdict().c_str());
  STRCMP_EQUAL("outside", verdict({kThread}).c_str());
}

TEST(PluginThreadEvidence, one_that_is_not_told_about_is_in_doubt_unless_it_is_older) {
  STRCMP_EQUAL("in doubt", verdict().c_str());
  STRCMP_EQUAL("outside", verdict({kThread}).c_str());
}

TEST(PluginThreadEvidence, one_whose_stack_is_not_mapped_is_in_doubt) {
  tell("syscall", "0 0x0 0x1 0x2 0x0 0x0 0x0 0x9000 0x7000\n");
  STRCMP_EQUAL("in doubt", verdict().c_str());
}

TEST(PluginThreadEvidence, one_whose_stack_cannot_be_read_is_in_doubt) {
  // The made-up mapping at 0x1000 is told of, but is not there.
  tell("syscall", "0 0x0 0x1 0x2 0x0 0x0 0x0 0x1800 0x7000\n");
  STRCMP_EQUAL("in doubt", verdict().c_str());
}

TEST(PluginThreadEvidence, one_that_has_run_its_last_instruction_is_outside) {
  tell("syscall", "running\n");
  tell("stat", "4194305 (a (strange) name) R 1 2 3 4 -1 4194372 5 6 7\n");  // PF_EXITING
  STRCMP_EQUAL("outside", verdict().c_str());
  tell("stat", "4194305 (a (strange) name) Z 1 2 3 4 -1 64 5 6 7\n");
  STRCMP_EQUAL("outside", verdict().c_str());
  tell("stat", "4194305 (a (strange) name) S 1 2 3 4 -1 64 5 6 7\n");
  tell("syscall", "-1 0x0 0x0\n");
  STRCMP_EQUAL("outside", verdict().c_str());
}

TEST(PluginThreadEvidence, where_threads_cannot_be_listed_one_without_an_id_is_in_doubt) {
  const auto found = threads_in(ranges, {}, {}, folder.path() / "missing");
  LONGS_EQUAL(1, found.size());
  LONGS_EQUAL(0, found[0].id);
  CHECK_FALSE(found[0].is_certain);
}
