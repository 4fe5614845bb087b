#include "core/net/loop_uv.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CppUTest/TestHarness.h>

#include "tests/support/temporary_folder.hpp"

using jackfield::base::WatchId;
using jackfield::net::LoopUv;
using namespace std::chrono_literals;

namespace {

class Pipe {
 public:
  Pipe() { CHECK_EQUAL(0, ::pipe2(ends_.data(), O_CLOEXEC)); }
  ~Pipe() {
    ::close(ends_[0]);
    close_in();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int out() const { return ends_[0]; }
  void write(const std::string& text) const {
    LONGS_EQUAL(text.size(), ::write(ends_[1], text.data(), text.size()));
  }
  std::string read_one() const {
    char octet = 0;
    return ::read(ends_[0], &octet, 1) == 1 ? std::string(1, octet) : std::string();
  }
  void close_in() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

}  // namespace

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

TEST(NetLoop, what_many_threads_post_while_it_turns_runs_once_and_each_ones_in_its_order) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 2000;
  std::array<int, kThreads> ran{};
  int jobs = 0;
  std::vector<std::thread> posters;
  for (int i = 0; i < kThreads; ++i) {
    posters.emplace_back([&, thread = static_cast<std::size_t>(i)] {
      for (int n = 0; n < kTimes; ++n) {
        loop.post([&, thread, n] {
          LONGS_EQUAL(n, ran[thread]++);
          if (n % 100 != 0) return;
          auto value = std::make_shared<int>(n);
          loop.run_job([value] { ++*value; }, [&, value, n] { jobs += *value - n; });
        });
      }
    });
  }
  loop.run_until([&] { return jobs == kThreads * kTimes / 100; });
  for (std::thread& poster : posters) poster.join();
  loop.drain(kThreads);
  for (const int count : ran) LONGS_EQUAL(kTimes, count);
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

TEST(NetLoop, a_watched_descriptor_is_told_of_until_all_of_it_is_read) {
  const Pipe pipe;
  std::string read;
  const auto watch = loop.watch(pipe.out(), [&] { read += pipe.read_one(); });
  CHECK(watch != 0);
  pipe.write("one octet each time");
  loop.run_until([&] { return read == "one octet each time"; });
  pipe.write("!");
  loop.run_until([&] { return read == "one octet each time!"; });
  loop.unwatch(watch);
}

TEST(NetLoop, the_end_of_a_watched_descriptor_is_told_again_and_again) {
  Pipe pipe;
  int told = 0;
  const auto watch = loop.watch(pipe.out(), [&] { ++told; });
  pipe.close_in();
  loop.run_until([&] { return told == 3; });
  loop.unwatch(watch);
}

TEST(NetLoop, a_watch_ends_where_it_is_unwatched_from_within_and_the_descriptor_stays_open) {
  const Pipe pipe;
  int told = 0;
  WatchId watch = 0;
  watch = loop.watch(pipe.out(), [&] {
    ++told;
    loop.unwatch(watch);
    loop.unwatch(watch);
  });
  pipe.write("still there");
  bool is_later = false;
  loop.start_timer(5ms, 0ms, [&] { is_later = true; });
  loop.run_until([&] { return is_later; });
  LONGS_EQUAL(1, told);
  STRCMP_EQUAL("s", pipe.read_one().c_str());
  loop.unwatch(12345);  // never was
}

TEST(NetLoop, a_descriptor_can_be_watched_again_under_another_id) {
  const Pipe pipe;
  const auto first = loop.watch(pipe.out(), [] { FAIL("the first watch has ended"); });
  loop.unwatch(first);
  bool is_told = false;
  const auto second = loop.watch(pipe.out(), [&] { is_told = true; });
  CHECK(second != 0);
  CHECK(second != first);
  pipe.write("x");
  loop.run_until([&] { return is_told; });
  loop.unwatch(first);
  is_told = false;
  loop.run_until([&] { return is_told; });
}

TEST(NetLoop, what_cannot_be_watched_gives_no_id) {
  const Pipe pipe;
  LONGS_EQUAL(0, loop.watch(-1, [] {}));
  CHECK(loop.watch(pipe.out(), [] {}) != 0);
  LONGS_EQUAL(0, loop.watch(pipe.out(), [] {}));
  const jackfield::test::TemporaryFolder folder;
  const int file = ::open(folder.write("file", "bytes").c_str(), O_RDONLY | O_CLOEXEC);
  LONGS_EQUAL(0, loop.watch(file, [] {}));
  ::close(file);
}

TEST(NetLoop, turns_end_where_what_was_waited_for_is_done_and_a_stop_does_not_end_them) {
  int turns = 0;
  loop.run_until([] { return true; });  // does not wait
  loop.start_timer(1ms, 1ms, [&] {
    ++turns;
    loop.stop();
  });
  loop.run_until([&] { return turns >= 3; });
  LONGS_EQUAL(3, turns);
}

TEST(NetLoop, what_was_posted_and_never_run_is_dropped_with_the_loop) {
  const Pipe pipe;
  auto kept = std::make_shared<int>(1);
  {
    LoopUv short_lived;
    short_lived.post([kept] {});
    short_lived.start_timer(1h, 0ms, [kept] {});
    CHECK(short_lived.watch(pipe.out(), [kept] {}) != 0);
    LONGS_EQUAL(4, kept.use_count());
  }
  LONGS_EQUAL(1, kept.use_count());
}

TEST(NetLoop, knows_the_timers_of_others_from_its_own) {
  uv_timer_t foreign;
  uv_timer_init(loop.uv(), &foreign);
  const auto ours = loop.start_timer(1h, 0ms, [] {});
  const auto found = loop.foreign_timers();
  LONGS_EQUAL(1, found.size());
  POINTERS_EQUAL(&foreign, found.front());
  loop.cancel_timer(ours);
  uv_close(reinterpret_cast<uv_handle_t*>(&foreign), nullptr);
  loop.drain(2);
  CHECK(loop.foreign_timers().empty());
}
