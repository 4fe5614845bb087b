// jackfield.hpp while a plugin is replaced: what goes over, what is undone, and that each closure
// ends once.
#include <jackfield.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/fake_host.hpp"
#include "tests/unit/sdk_plugins.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::test::Alive;
using jackfield::test::FakeHost;
using jackfield::test::kTable;

namespace {

// What each instance does. `number` counts them, from 1 on.
struct Script {
  std::function<void(jf::Plugin&, const jf::Start&, int number)> start;
  std::function<std::uint32_t(std::string&)> save = [](std::string&) { return 0u; };
  std::string calls;  // "start 1, save 1, ..."
  int started = 0;
};
Script* script = nullptr;

class Scripted : public jf::Plugin {
 public:
  ~Scripted() override { note("destroy"); }
  void start(const jf::Start& start) override {
    number_ = ++script->started;
    note("start");
    script->start(*this, start, number_);
  }
  void stop() override { note("stop"); }
  std::uint32_t save(std::string& state) override {
    note("save");
    return script->save(state);
  }
  void resume() override { note("resume"); }

 private:
  void note(const char* what) {
    script->calls += std::string(what) + " " + std::to_string(number_) + ", ";
  }
  int number_ = 0;
};

class Stateless : public jf::Plugin {
 public:
  void start(const jf::Start&) override { channel("t"); }
};

// The README's example.
class Counter : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    const jf::Want known = jf::want::object({{"counts", jf::want::object()}});
    for (const jf::Member& count : start.json_state_of(1, known)["counts"].members()) {
      const auto value = count.value.integer();
      if (!value) throw jf::StateError("a count is no integer");
      counts_[count.key()] = *value;
    }
    channel("counter:<name>")
        .on("add",
            [this](jf::Event& event) {
              event.broadcast("count", std::to_string(++count(event.topic())));
            })
        .on_adopt([this](jf::Adopt& adopt) {
          adopt.push("count", std::to_string(count(adopt.topic())));
        });
  }
  std::uint32_t save(std::string& state) override {
    jf::JsonWriter writer;
    writer.object().key("counts").object();
    for (const auto& [topic, count] : counts_) writer.field(topic, count);
    state = writer.end().end().take();
    return 1;
  }

 private:
  std::int64_t& count(std::string_view topic) { return counts_[std::string(topic)]; }
  std::map<std::string, std::int64_t> counts_;
};

constexpr jf_plugin kScripted = kTable<Scripted>;
constexpr jf_plugin kStateless = kTable<Stateless>;
constexpr jf_plugin kCounter = kTable<Counter>;

const char* const kReplaced =
    "t error {\"code\":\"INTERNAL_ERROR\",\"message\":"
    "\"The channel was replaced before it answered\"}";
const char* const kUnloaded =
    "t error {\"code\":\"CHANNEL_UNLOADED\",\"message\":"
    "\"The channel of this topic was unloaded\"}";

}  // namespace

TEST_GROUP(sdk_reload) {
  Script steps;
  FakeHost host{kScripted};
  jf_id client = 0;

  void setup() override {
    script = &steps;
    client = host.connect();
  }
  void teardown() override {
    host.stop();
    UNSIGNED_LONGS_EQUAL(0, host.faults().size());
    script = nullptr;
  }

  void start_with(std::function<void(jf::Plugin&, int number)> function) {
    steps.start = [function = std::move(function)](jf::Plugin& plugin, const jf::Start&,
                                                   int number) { function(plugin, number); };
    LONGS_EQUAL(JF_OK, host.start());
  }
  void join() {
    host.subscribe(client, "t");
    CHECK_EQUAL(std::string("t subscribed {}"), host.heard(client));
  }
  std::string answer(const std::string& event) {
    host.send(client, "t", event);
    return host.heard(client);
  }
  // A replacement whose start fails.
  void roll_back() {
    const auto before = steps.start;
    steps.start = [](jf::Plugin&, const jf::Start&, int) { throw std::runtime_error("no"); };
    LONGS_EQUAL(JF_E_INTERNAL, host.replace());
    steps.start = before;
  }
};

TEST(sdk_reload, a_counter_counts_on_and_its_subscribers_are_shown_the_count) {
  FakeHost counter(kCounter);
  LONGS_EQUAL(JF_OK, counter.start());
  const jf_id ada = counter.connect();
  const jf_id bob = counter.connect();
  counter.subscribe(ada, "counter:a");
  counter.subscribe(bob, "counter:\xC3\xA9\"");
  counter.send(ada, "counter:a", "add");
  counter.send(bob, "counter:\xC3\xA9\"", "add");
  const jf_id subscription = counter.subscription(ada, "counter:a");
  counter.received(ada);
  counter.received(bob);
  LONGS_EQUAL(JF_OK, counter.replace());
  CHECK_EQUAL(std::string("counter:a count 1"), counter.heard(ada));
  CHECK_EQUAL(std::string("counter:\xC3\xA9\" count 1"), counter.heard(bob));
  CHECK_TRUE(subscription == counter.subscription(ada, "counter:a"));
  counter.send(bob, "counter:a", "add");
  CHECK_EQUAL(std::string("counter:a count 2"), counter.heard(ada));
  for (const char* state : {"", "{", "{}", "{\"counts\":5}", "{\"counts\":{\"a\":\"b\"}}"}) {
    LONGS_EQUAL(JF_E_STATE, counter.replace_with_state(1, state));
  }
  LONGS_EQUAL(JF_E_STATE, counter.replace_with_state(2, "{\"counts\":{}}"));
  CHECK_EQUAL(std::string("1 the plugin does not start error=the state of version 2 from 1.0.0 is "
                          "refused: this version takes 1"),
              counter.log().back());
  counter.send(bob, "counter:a", "add");
  CHECK_EQUAL(std::string("counter:a count 3"), counter.heard(ada));
}

TEST(sdk_reload, runs_each_step_once_and_in_order) {
  start_with([](jf::Plugin& plugin, int) { plugin.channel("t"); });
  LONGS_EQUAL(JF_OK, host.replace());
  CHECK_EQUAL(std::string("start 1, save 1, start 2, stop 1, destroy 1, "), steps.calls);
  steps.calls.clear();
  roll_back();
  CHECK_EQUAL(std::string("save 2, start 3, destroy 3, resume 2, "), steps.calls);
  steps.calls.clear();
  steps.save = [](std::string&) -> std::uint32_t { throw std::runtime_error("cannot"); };
  LONGS_EQUAL(JF_E_INTERNAL, host.replace());
  CHECK_EQUAL(std::string("save 2, resume 2, "), steps.calls);
  CHECK_EQUAL(std::string("1 the state is not saved error=cannot"), host.log().back());
}

TEST(sdk_reload, start_and_stop_have_threads_of_their_own) {
  std::vector<std::thread::id> threads;
  start_with([&](jf::Plugin& plugin, int) {
    threads.push_back(std::this_thread::get_id());
    plugin.channel("t").on("e", [&](jf::Event&) { threads.push_back(std::this_thread::get_id()); });
  });
  answer("e");
  UNSIGNED_LONGS_EQUAL(2, threads.size());
  CHECK_TRUE(threads[0] != threads[1]);
  CHECK_TRUE(threads[1] == std::this_thread::get_id());
}

TEST(sdk_reload, a_state_of_no_version_is_none) {
  bool had_state = false;
  steps.start = [&](jf::Plugin& plugin, const jf::Start& start, int) {
    had_state = had_state || start.has_state() || !start.state.empty();
    plugin.channel("t");
  };
  steps.save = [](std::string& state) {
    state = "half written";
    return 0u;
  };
  LONGS_EQUAL(JF_OK, host.start());
  LONGS_EQUAL(JF_OK, host.replace());
  CHECK_FALSE(had_state);
}

TEST(sdk_reload, a_class_without_save_refuses_every_state) {
  FakeHost stateless(kStateless);
  LONGS_EQUAL(JF_OK, stateless.start());
  LONGS_EQUAL(JF_OK, stateless.replace());
  LONGS_EQUAL(JF_E_STATE, stateless.replace_with_state(1, "{}"));
  CHECK_EQUAL(std::string("1 the plugin does not start error=the state of version 1 from 1.0.0 is "
                          "refused: this version takes none"),
              stateless.log().back());
}

TEST(sdk_reload, a_subscription_that_is_refused_ends_with_the_generation_before) {
  std::vector<std::string> left;
  const std::vector<std::pair<std::function<jf::Result()>, std::string>> ways = {
      {[]() -> jf::Result { throw jf::Error("X", "not that one"); },
       "2 a subscription is not taken over error=not that one topic=t"},
      {[]() -> jf::Result { return jf::Error("X", "nor that"); },
       "2 a subscription is not taken over error=nor that topic=t"},
      {[]() -> jf::Result { throw std::runtime_error("it broke"); },
       "1 a subscription is not taken over error=it broke topic=t"},
      {[]() -> jf::Result { throw 5; },
       "1 a subscription is not taken over error=unknown exception topic=t"}};
  std::size_t way = 0;
  start_with([&](jf::Plugin& plugin, int number) {
    plugin.channel("t")
        .on_adopt([&](jf::Adopt&) { return ways[way].first(); })
        .on_leave([&, number](const jf::Leave& leave) {
          left.push_back(std::to_string(number) + ":" + std::to_string(leave.reason()));
        });
  });
  for (way = 0; way < ways.size(); ++way) {
    join();
    LONGS_EQUAL(JF_OK, host.replace());
    CHECK_EQUAL(std::string(kUnloaded), host.heard(client));
    CHECK_EQUAL(ways[way].second, host.log().back());
    UNSIGNED_LONGS_EQUAL(0, host.subscription(client, "t"));
    UNSIGNED_LONGS_EQUAL(way + 1, left.size());
    CHECK_EQUAL(std::to_string(way + 1) + ":" + std::to_string(JF_LEAVE_UNLOADED), left[way]);
  }
}

TEST(sdk_reload, adopt_may_return_nothing_or_what_the_host_returned) {
  start_with([&](jf::Plugin& plugin, int number) {
    plugin.channel("t").on_adopt([number](jf::Adopt& adopt) {
      return number < 3 ? adopt.push("again", "1") : JF_E_GONE;
    });
  });
  join();
  LONGS_EQUAL(JF_OK, host.replace());
  CHECK_EQUAL(std::string("t again 1"), host.heard(client));
  LONGS_EQUAL(JF_OK, host.replace());
  CHECK_EQUAL(std::string(kUnloaded), host.heard(client));
}

TEST(sdk_reload, a_derived_channel_adopts) {
  class Derived : public jf::Channel {
   protected:
    jf::Result adopt(jf::Adopt& adopt) override { return adopt.push("derived", "1"); }
  };
  start_with([](jf::Plugin& plugin, int) { plugin.channel<Derived>("t"); });
  join();
  LONGS_EQUAL(JF_OK, host.replace());
  CHECK_EQUAL(std::string("t derived 1"), host.heard(client));
}

TEST(sdk_reload, the_bytes_of_a_subscription_stay) {
  std::string found;
  start_with([&](jf::Plugin& plugin, int number) {
    plugin.channel("t")
        .on_join([](jf::Join& join) { join.set("kept"); })
        .on_adopt([&, number](jf::Adopt& adopt) {
          found += std::string(adopt.get()) + " ";
          adopt.set("by " + std::to_string(number));
        });
  });
  join();
  host.replace();
  host.replace();
  CHECK_EQUAL(std::string("kept by 2 "), found);
}

TEST(sdk_reload, who_leaves_meanwhile_is_adopted_and_then_leaves_the_new_one) {
  std::string seen;
  start_with([&](jf::Plugin& plugin, int number) {
    plugin.channel("t")
        .on_adopt([&, number](jf::Adopt& adopt) {
          seen += "adopt " + std::to_string(number) + ", ";
          LONGS_EQUAL(JF_E_GONE, adopt.push("late", "1"));
        })
        .on_leave([&, number](const jf::Leave& leave) {
          seen += "leave " + std::to_string(number) + " " + std::to_string(leave.reason()) + ", ";
        });
  });
  join();
  FakeHost::Replacement how;
  how.after_save = [&](std::uint32_t&, std::string&) { host.close(client); };
  LONGS_EQUAL(JF_OK, host.replace(how));
  CHECK_EQUAL("adopt 2, leave 2 " + std::to_string(JF_LEAVE_CLOSED) + ", ", seen);
}

TEST(sdk_reload, what_start_says_comes_after_the_adoption) {
  start_with([&](jf::Plugin& plugin, int number) {
    if (number == 3) throw std::runtime_error("never mind");
    plugin.broadcast("t", "started", std::to_string(number));
    plugin.post([&plugin] { plugin.broadcast("t", "posted", "1"); });
    plugin.channel("t").on_adopt([](jf::Adopt& adopt) { adopt.push("adopted", "1"); });
  });
  join();
  LONGS_EQUAL(JF_OK, host.replace());
  CHECK_EQUAL(std::string("t adopted 1\nt started 2"), host.heard(client));
  host.run_posts();
  CHECK_EQUAL(std::string("t posted 1"), host.heard(client));
  LONGS_EQUAL(JF_E_INTERNAL, host.replace());
  host.run_posts();
  CHECK_EQUAL(std::string(""), host.heard(client));
}

TEST(sdk_reload, what_is_due_waits_while_it_is_replaced_and_comes_when_it_is_not) {
  std::string order;
  std::vector<jf::Timer> timers;
  start_with([&](jf::Plugin& plugin, int) {
    plugin.channel("t").on("begin", [&](jf::Event&) {
      timers.push_back(plugin.after(10, [&order] { order += "timer "; }));
      plugin.post([&order] { order += "post "; });
      plugin.job([] { return 5; }, [&order](jf::Outcome<int> outcome) {
        order += "job" + std::to_string(outcome.get()) + " ";
      });
    });
  });
  answer("begin");
  const auto before = steps.start;
  steps.start = [](jf::Plugin&, const jf::Start& start, int) { start.refuse("just so"); };
  FakeHost::Replacement how;
  how.after_save = [&](std::uint32_t&, std::string&) {
    host.advance(20);
    host.run_posts();
    host.run_jobs();
    CHECK_EQUAL(std::string(""), order);
  };
  LONGS_EQUAL(JF_E_STATE, host.replace(how));
  host.run_posts();
  host.run_jobs();
  host.advance(0);
  CHECK_EQUAL(std::string("post job5 timer "), order);
  steps.start = before;
  host.stop();
}

TEST(sdk_reload, what_is_due_goes_with_the_generation_that_is_replaced) {
  int alive = 0;
  int ran = 0;
  auto timer = std::make_unique<jf::Timer>();
  start_with([&](jf::Plugin& plugin, int number) {
    plugin.channel("t");
    if (number > 1) return;
    *timer = plugin.every(10, [&, kept = Alive(&alive)] { ++ran; });
    plugin.post([&, kept = Alive(&alive)] { ++ran; });
    plugin.job([kept = std::make_shared<Alive>(&alive)] { return kept; },
               [&, kept = Alive(&alive)](jf::Outcome<std::shared_ptr<Alive>>) { ++ran; });
  });
  FakeHost::Replacement how;
  how.after_save = [&](std::uint32_t&, std::string&) {
    host.run_jobs();  // the work is done, its outcome waits
    CHECK_TRUE(alive >= 3);
  };
  LONGS_EQUAL(JF_OK, host.replace(how));
  LONGS_EQUAL(0, alive);  // though the Timer still stands
  host.advance(100);
  host.run_posts();
  host.run_jobs();
  LONGS_EQUAL(0, ran);
  timer.reset();
}

TEST(sdk_reload, calls_that_wait_are_answered_once) {
  std::vector<jf::Reply> replies;
  start_with([&](jf::Plugin& plugin, int number) {
    plugin.channel("t")
        .on("ask", [&](jf::Event& event) { replies.push_back(event.defer()); })
        .on_join([&, number](jf::Join& join) {
          if (number == 1) {
            replies.push_back(join.defer());
          } else {
            join.push("joined", std::to_string(number));
          }
        });
    if (number == 2) return;
    // Replies that the instance itself holds answer when it goes, if nobody has.
    plugin.channel("held").on("ask", [&](jf::Event& event) {
      plugin.post([reply = event.defer()]() mutable { reply.ok(); });
    });
  });
  host.send(client, "t", "ask");
  host.send(client, "held", "ask");
  host.subscribe(client, "t");
  CHECK_EQUAL(std::string(""), host.heard(client));
  LONGS_EQUAL(JF_OK, host.replace());
  CHECK_EQUAL(std::string(kReplaced) + "\nheld" + std::string(kReplaced).substr(1) +
                  "\nt subscribed {}\nt joined 2",
              host.heard(client));
  LONGS_EQUAL(JF_E_GONE, replies[0].ok());
  LONGS_EQUAL(JF_E_GONE, replies[1].fail("LATE", "after all"));
  CHECK_EQUAL(std::string(""), host.heard(client));
}

TEST(sdk_reload, calls_that_wait_are_still_answered_where_it_is_not_replaced) {
  jf::Reply reply;
  start_with([&](jf::Plugin& plugin, int) {
    plugin.channel("t").on("ask", [&](jf::Event& event) { reply = event.defer(); });
  });
  answer("ask");
  roll_back();
  CHECK_EQUAL(std::string(""), host.heard(client));
  reply.fail("MINE", "at last");
  CHECK_EQUAL(std::string("t error {\"code\":\"MINE\",\"message\":\"at last\"}"),
              host.heard(client));
}

TEST(sdk_reload, what_clients_send_meanwhile_is_served_once_by_who_serves_then) {
  start_with([&](jf::Plugin& plugin, int number) {
    plugin.channel("t").on("e", [number](jf::Event& event) {
      event.push("by", std::to_string(number));
    });
  });
  FakeHost::Replacement how;
  how.after_save = [&](std::uint32_t&, std::string&) {
    host.send(client, "t", "e");
    host.subscribe(client, "t");
    CHECK_EQUAL(std::string(""), host.heard(client));
  };
  LONGS_EQUAL(JF_OK, host.replace(how));
  CHECK_EQUAL(std::string("t by 2\nt subscribed {}"), host.heard(client));
  steps.start = [](jf::Plugin&, const jf::Start&, int) { throw std::runtime_error("no"); };
  LONGS_EQUAL(JF_E_INTERNAL, host.replace(how));
  CHECK_EQUAL(std::string("t by 2\nt subscribed {}"), host.heard(client));
}

TEST(sdk_reload, a_start_that_fails_frees_what_it_had_begun) {
  int alive = 0;
  start_with([](jf::Plugin& plugin, int) { plugin.channel("t"); });
  steps.start = [&](jf::Plugin& plugin, const jf::Start&, int) {
    plugin.channel("t").on("e", [kept = Alive(&alive)](jf::Event&) {});
    plugin.post([kept = Alive(&alive)] {});
    plugin.job([kept = Alive(&alive)] {}, [kept = Alive(&alive)](jf::Outcome<void>) {});
    const jf::Timer timer = plugin.every(10, [kept = Alive(&alive)] {});
    throw std::runtime_error("no");
  };
  LONGS_EQUAL(JF_E_INTERNAL, host.replace());
  LONGS_EQUAL(0, alive);
  host.run_jobs(true);  // a worker that comes late
}
