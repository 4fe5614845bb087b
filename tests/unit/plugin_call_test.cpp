#include "core/plugin/plugin_call.hpp"

#include <csignal>
#include <string>
#include <thread>

#include <CppUTest/TestHarness.h>

using jackfield::plugin::Callee;
using jackfield::plugin::PluginCall;

namespace {

const PluginCall* volatile seen_by_handler;

void look(int) { seen_by_handler = PluginCall::current(); }

}  // namespace

TEST_GROUP(PluginCall) {
  const Callee callee{"chat", "1.0.0", 3, "key"};
};

TEST(PluginCall, none_is_current_outside_of_calls) { POINTERS_EQUAL(nullptr, PluginCall::current()); }

TEST(PluginCall, says_what_is_called) {
  const PluginCall call(callee, "event", "room:lab", "say", "room:<room>");
  POINTERS_EQUAL(&call, PluginCall::current());
  POINTERS_EQUAL(&callee, &call.callee());
  STRCMP_EQUAL("event", call.callback());
  CHECK(call.topic() == "room:lab");
  CHECK(call.event() == "say");
  CHECK(call.pattern() == "room:<room>");
}

TEST(PluginCall, calls_nest_and_the_innermost_is_current) {
  {
    const PluginCall outer(callee, "event");
    {
      const PluginCall inner(callee, "leave");
      POINTERS_EQUAL(&inner, PluginCall::current());
    }
    POINTERS_EQUAL(&outer, PluginCall::current());
  }
  POINTERS_EQUAL(nullptr, PluginCall::current());
}

TEST(PluginCall, a_thread_sees_its_own_calls_only) {
  const PluginCall outer(callee, "event");
  const PluginCall* elsewhere = &outer;
  bool is_own = false;
  std::thread thread([&] {
    elsewhere = PluginCall::current();
    const PluginCall own(callee, "work");
    is_own = PluginCall::current() == &own;
  });
  thread.join();
  POINTERS_EQUAL(nullptr, elsewhere);
  CHECK(is_own);
  POINTERS_EQUAL(&outer, PluginCall::current());
}

TEST(PluginCall, a_signal_handler_sees_the_call_that_it_interrupts) {
  const auto before = std::signal(SIGUSR1, look);
  {
    const PluginCall call(callee, "event");
    std::raise(SIGUSR1);
    POINTERS_EQUAL(&call, seen_by_handler);
  }
  std::raise(SIGUSR1);
  POINTERS_EQUAL(nullptr, seen_by_handler);
  std::signal(SIGUSR1, before);
}

TEST(PluginCall, its_time_goes_on) {
  const auto before = std::chrono::steady_clock::now();
  const PluginCall call(callee, "event");
  const auto first = call.elapsed();
  while (call.elapsed() == first) {
  }
  const auto second = call.elapsed();
  const auto whole = std::chrono::steady_clock::now() - before;
  CHECK(first.count() >= 0);
  CHECK(second > first);
  CHECK(second <= whole);
}
