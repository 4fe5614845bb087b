#include "core/plugin/errands.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <string>
#include <thread>

#include "core/net/loop_uv.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::net::LoopUv;
using jackfield::plugin::Errands;
using jackfield::plugin::HostThreads;

TEST_GROUP(PluginErrands) {
  LoopUv loop;
  HostThreads host_threads;
  Errands errands{loop, host_threads};
  static constexpr std::chrono::milliseconds kLong{60'000};
};

TEST(PluginErrands, work_is_done_elsewhere_and_ends_on_the_loop) {
  std::thread::id worker;
  bool is_done = false;
  bool is_late = false;
  CHECK(errands
            .run(
                "jf-test", [&] { worker = std::this_thread::get_id(); }, kLong,
                [&] { is_late = true; },
                [&] {
                  CHECK(loop.is_on_loop());
                  is_done = true;
                })
            .is_ok());
  LONGS_EQUAL(1, errands.running());
  loop.run_until([&] { return is_done; });
  CHECK_FALSE(is_late);
  CHECK(worker != std::thread::id());
  CHECK(worker != std::this_thread::get_id());
  LONGS_EQUAL(0, errands.running());
}

TEST(PluginErrands, what_takes_too_long_is_said_and_still_ends) {
  std::promise<void> may_end;
  bool is_late = false;
  bool is_done = false;
  CHECK(errands
            .run(
                "jf-test", [wait = may_end.get_future().share()] { wait.wait(); },
                std::chrono::milliseconds(1), [&] { is_late = true; }, [&] { is_done = true; })
            .is_ok());
  loop.run_until([&] { return is_late; });
  CHECK_FALSE(is_done);
  LONGS_EQUAL(1, errands.running());
  may_end.set_value();
  loop.run_until([&] { return is_done; });
  LONGS_EQUAL(0, errands.running());
}

TEST(PluginErrands, one_that_hangs_does_not_hold_up_another) {
  std::promise<void> may_end;
  bool is_first_done = false;
  bool is_second_done = false;
  CHECK(errands
            .run("jf-test", [wait = may_end.get_future().share()] { wait.wait(); }, kLong, [] {},
                 [&] { is_first_done = true; })
            .is_ok());
  CHECK(errands.run("jf-test", [] {}, kLong, [] {}, [&] { is_second_done = true; }).is_ok());
  loop.run_until([&] { return is_second_done; });
  CHECK_FALSE(is_first_done);
  may_end.set_value();
  loop.run_until([&] { return is_first_done; });
}

TEST(PluginErrands, the_end_of_one_may_begin_the_next) {
  int ended = 0;
  std::function<void()> again = [&] {
    if (++ended < 100) CHECK(errands.run("jf-test", [] {}, kLong, [] {}, again).is_ok());
  };
  CHECK(errands.run("jf-test", [] {}, kLong, [] {}, again).is_ok());
  loop.run_until([&] { return ended == 100; });
  LONGS_EQUAL(0, errands.running());
}

TEST(PluginErrands, signals_go_to_other_threads) {
  sigset_t blocked{};
  bool is_done = false;
  CHECK(errands
            .run("jf-test", [&] { ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked); }, kLong, [] {},
                 [&] { is_done = true; })
            .is_ok());
  loop.run_until([&] { return is_done; });
  LONGS_EQUAL(1, sigismember(&blocked, SIGTERM));
  LONGS_EQUAL(1, sigismember(&blocked, SIGHUP));
  // Those of a crash must arrive: blocked, they would end the process without a word.
  LONGS_EQUAL(0, sigismember(&blocked, SIGSEGV));
  sigset_t own{};
  ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
  LONGS_EQUAL(0, sigismember(&own, SIGTERM));
}

TEST(PluginErrands, their_threads_are_the_hosts_as_long_as_they_run) {
  std::size_t during = 0;
  bool is_done = false;
  CHECK(errands
            .run(
                "jf-test", [&] { during = host_threads.ids().count(::gettid()); }, kLong, [] {},
                [&] { is_done = true; })
            .is_ok());
  loop.run_until([&] { return is_done; });
  LONGS_EQUAL(1, during);
  LONGS_EQUAL(0, host_threads.ids().size());
}

TEST(PluginErrands, an_errand_ends_after_what_it_made_thread_local) {
  struct Slow {
    ~Slow() {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      *is_gone = true;
    }
    std::atomic<bool>* is_gone = nullptr;
  };
  std::atomic<bool> is_gone{false};
  bool was_gone = false;
  bool is_done = false;
  CHECK(errands
            .run(
                "jf-test",
                [&] {
                  thread_local Slow slow;
                  slow.is_gone = &is_gone;
                },
                kLong, [] {},
                [&] {
                  was_gone = is_gone;
                  is_done = true;
                })
            .is_ok());
  loop.run_until([&] { return is_done; });
  CHECK_TRUE(was_gone);
}
