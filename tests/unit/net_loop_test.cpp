#include "core/net/loop_uv.hpp"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CppUTest/TestHarness.h>

using jackfield::net::LoopUv;
using namespace std::chrono_literals;

TEST_GROUP(NetLoop) {
  LoopUv loop;
};

TEST(NetLoop, posted_tasks_run_on_the_loop_in_the_order_of_posting) {
  std::vector<int> ran;
  std::thread poster([&] {
    CHECK_FALSE(loop.is_on_loop());
    for (int i = 0; i < 1000; ++i) {
      loop.post([&, i] {
        CHECK(loop.is_on_loop());
        ran.push_back(i);
      });
    }
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  poster.join();
  LONGS_EQUAL(1000, ran.size());
  for (int i = 0; i < 1000; ++i) LONGS_EQUAL(i, ran[static_cast<std::size_t>(i)]);
}

TEST(NetLoop, a_timer_fires_once_and_a_repeated_one_until_it_is_cancelled) {
  int once = 0;
  int repeated = 0;
  loop.start_timer(1ms, 0ms, [&] { ++once; });
  jackfield::base::TimerId timer = 0;
  timer = loop.start_timer(1ms, 1ms, [&] {
    if (++repeated == 5) {
      loop.cancel_timer(timer);  // from within itself
      loop.start_timer(20ms, 0ms, [&] { loop.stop(); });
    }
  });
  loop.run();
  LONGS_EQUAL(1, once);
  LONGS_EQUAL(5, repeated);
}

TEST(NetLoop, a_cancelled_timer_does_not_fire) {
  bool has_fired = false;
  const auto timer = loop.start_timer(0ms, 0ms, [&] { has_fired = true; });
  loop.cancel_timer(timer);
  loop.cancel_timer(timer);
  loop.cancel_timer(12345);
  loop.start_timer(5ms, 0ms, [&] { loop.stop(); });
  loop.run();
  CHECK_FALSE(has_fired);
}

TEST(NetLoop, a_job_works_on_another_thread_and_ends_on_the_loop) {
  std::thread::id worker;
  bool is_done_on_loop = false;
  loop.run_job([&] { worker = std::this_thread::get_id(); },
               [&] {
                 is_done_on_loop = loop.is_on_loop();
                 loop.stop();
               });
  loop.run();
  CHECK(worker != std::this_thread::get_id());
  CHECK(is_done_on_loop);
}

TEST(NetLoop, the_end_of_a_turn_comes_after_what_ran_in_it) {
  std::string order;
  loop.on_turn_end([&] { order += '.'; });
  loop.post([&] { order += 'a'; });
  loop.start_timer(5ms, 0ms, [&] {
    order += 't';
    loop.post([&] {
      order += 'z';
      loop.start_timer(1ms, 0ms, [&] { loop.stop(); });
    });
  });
  loop.run();
  CHECK(order.find("a.") != std::string::npos);
  CHECK(order.find("t.") != std::string::npos);
  CHECK(order.find("z.") != std::string::npos);
}

TEST(NetLoop, a_timer_that_starts_itself_again_at_once_does_not_keep_the_loop_from_turning) {
  int fired = 0;
  int turns = 0;
  std::function<void()> again = [&] {
    ++fired;
    loop.start_timer(0ms, 0ms, again);
  };
  loop.on_turn_end([&] {
    if (++turns == 20) loop.stop();
    loop.post([] {});
  });
  again();
  loop.run();
  CHECK(fired <= 21);
}

TEST(NetLoop, a_signal_is_told_on_the_loop) {
  int told = 0;
  loop.on_signal(SIGUSR1, [&](int signal) {
    told = signal;
    loop.stop();
  });
  ::kill(::getpid(), SIGUSR1);
  loop.run();
  LONGS_EQUAL(SIGUSR1, told);
}

TEST(NetLoop, what_was_posted_and_never_run_is_dropped_with_the_loop) {
  auto kept = std::make_shared<int>(1);
  {
    LoopUv short_lived;
    short_lived.post([kept] {});
    short_lived.start_timer(1h, 0ms, [kept] {});
    LONGS_EQUAL(3, kept.use_count());
  }
  LONGS_EQUAL(1, kept.use_count());
}
