// jackfield.hpp: handlers, answers, timers, posts, jobs, and that nothing leaks or outlives the
// plugin.
#include <jackfield.hpp>

#include <atomic>
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

// What the test wants done in `start`, and what it looks at afterwards.
struct Script {
  std::function<void(jf::Plugin&, const jf::Start&)> start;
  std::function<void(jf::Plugin&)> stop;
  int destroyed = 0;
};
Script* script = nullptr;

class Scripted : public jf::Plugin {
 public:
  void start(const jf::Start& start) override { script->start(*this, start); }
  void stop() override {
    if (script->stop) script->stop(*this);
  }
  ~Scripted() override { ++script->destroyed; }
};

// One that overrides what the host may ask for.
class Keeper : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    value_ = start.has_state() ? std::string(start.state_of(3)) : "fresh";
    channel("keeper").on("value", [this](jf::Event& event) {
      event.push("value", jf::quoted(value_));
    });
  }
  void configure(const jf::Json& config) override {
    require(config, jf::want::object({{"value", jf::want::string()}}).closed());
    value_ = config["value"].string().value_or("");
  }
  std::uint32_t save(std::string& state) override {
    if (value_ == "unsavable") throw std::runtime_error("cannot");
    state = value_;
    return 3;
  }
  void resume() override { value_ += " resumed"; }

 private:
  std::string value_;
};

// A channel by inheritance.
class Doors : public jf::Channel {
 public:
  explicit Doors(std::string key) : key_(std::move(key)) {}

 protected:
  bool match(const jf::Request& request) override { return request.param("door") != "none"; }
  jf::Result join(jf::Join& join) override {
    if (join.payload()["key"].equals(key_)) return JF_OK;
    return jf::Error("LOCKED", "The door is locked");
  }
  void leave(const jf::Leave& leave) override { left.push_back(leave.reason()); }

 public:
  std::vector<std::uint32_t> left;

 private:
  std::string key_;
};

constexpr jf_plugin kScripted = kTable<Scripted>;
constexpr jf_plugin kKeeper = kTable<Keeper>;

std::string error(const std::string& topic, const std::string& code, const std::string& message) {
  return topic + " error {\"code\":\"" + code + "\",\"message\":\"" + message + "\"}";
}

}  // namespace

TEST_GROUP(sdk_wrapper) {
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

  void start_with(std::function<void(jf::Plugin&)> function) {
    steps.start = [function = std::move(function)](jf::Plugin& plugin, const jf::Start&) {
      function(plugin);
    };
    LONGS_EQUAL(JF_OK, host.start());
  }
  std::string answer(const std::string& event, const std::string& payload = "{}") {
    host.send(client, "t", event, payload);
    return host.heard(client);
  }
};

TEST(sdk_wrapper, what_is_not_overridden_is_null_in_the_table) {
  POINTERS_EQUAL(nullptr, reinterpret_cast<const void*>(kScripted.configure));
  POINTERS_EQUAL(nullptr, reinterpret_cast<const void*>(kScripted.save));
  POINTERS_EQUAL(nullptr, reinterpret_cast<const void*>(kScripted.resume));
  CHECK_TRUE(kKeeper.configure != nullptr && kKeeper.save != nullptr && kKeeper.resume != nullptr);
}

TEST(sdk_wrapper, gives_start_the_configuration) {
  std::string name;
  steps.start = [&](jf::Plugin&, const jf::Start& start) {
    name = start.config["name"].string().value_or("");
  };
  LONGS_EQUAL(JF_OK, host.start("{\"name\":\"Ada\"}"));
  CHECK_EQUAL(std::string("Ada"), name);
}

TEST(sdk_wrapper, an_exception_in_start_refuses_and_is_logged) {
  int alive = 0;
  steps.start = [&](jf::Plugin& plugin, const jf::Start& start) {
    plugin.post([kept = Alive(&alive)] {});
    jf::Plugin::require(start.config, jf::want::object({{"a", jf::want::positive()}}));
  };
  LONGS_EQUAL(JF_E_INTERNAL, host.start("{\"a\":0}"));
  LONGS_EQUAL(1, steps.destroyed);
  LONGS_EQUAL(0, alive);
  UNSIGNED_LONGS_EQUAL(1, host.log().size());
  CHECK_EQUAL(std::string("1 the plugin does not start "
                          "error=configuration: a: must be a positive integer"),
              host.log()[0]);
}

TEST(sdk_wrapper, a_start_that_fails_leaves_jobs_that_run_nothing) {
  bool ran = false;
  steps.start = [&](jf::Plugin& plugin, const jf::Start&) {
    plugin.job([&] { ran = true; }, [](jf::Outcome<void>) {});
    throw std::runtime_error("no");
  };
  LONGS_EQUAL(JF_E_INTERNAL, host.start());
  UNSIGNED_LONGS_EQUAL(1, host.jobs());
  host.run_jobs(true);  // a worker that comes late
  CHECK_FALSE(ran);
}

TEST(sdk_wrapper, refuses_a_host_without_the_functions_it_needs) {
  jf_host old = *host.table();
  old.size = offsetof(jf_host, log);
  jf_start args{};
  args.size = sizeof args;
  void* instance = nullptr;
  LONGS_EQUAL(JF_E_UNSUPPORTED, kScripted.start(&old, &args, &instance));
}

TEST(sdk_wrapper, joins_push_after_subscribed_and_know_the_params) {
  start_with([](jf::Plugin& plugin) {
    plugin.channel("room:<a>:<b>").on_join([](jf::Join& join) {
      join.push("hello", jf::JsonWriter()
                             .array()
                             .value(join.param("a"))
                             .value(join.param("b"))
                             .value(join.param("c"))
                             .end());
    });
  });
  host.subscribe(client, "room:1:", "{\"id\":\"i\"}");
  CHECK_EQUAL(std::string("room:1: subscribed {\"id\":\"i\"}\nroom:1: hello [\"1\",\"\",\"\"]"),
              host.heard(client));
}

TEST(sdk_wrapper, a_derived_channel_matches_refuses_and_hears_leaves) {
  Doors* doors = nullptr;
  start_with([&](jf::Plugin& plugin) { doors = &plugin.channel<Doors>("door:<door>", "sesame"); });
  host.subscribe(client, "door:a", "{\"key\":\"wrong\"}");
  CHECK_EQUAL(error("door:a", "LOCKED", "The door is locked"), host.heard(client));
  host.subscribe(client, "door:none", "{\"key\":\"sesame\"}");
  CHECK_EQUAL(error("door:none", "INTERNAL_ERROR", "No channel matches topic: door:none"),
              host.heard(client));
  host.subscribe(client, "door:a", "{\"key\":\"sesame\"}");
  CHECK_EQUAL(std::string("door:a subscribed {}"), host.heard(client));
  host.unsubscribe(client, "door:a");
  UNSIGNED_LONGS_EQUAL(1, doors->left.size());
  UNSIGNED_LONGS_EQUAL(JF_LEAVE_UNSUBSCRIBED, doors->left[0]);
}

TEST(sdk_wrapper, answers_what_a_handler_returns_or_throws) {
  start_with([](jf::Plugin& plugin) {
    jf::Channel& t = plugin.channel("t");
    t.on("nothing", [](jf::Event&) {});
    t.on("returns", [](jf::Event&) { return jf::Error("MINE", "returned"); });
    t.on("throws", [](jf::Event&) { throw jf::Error("MINE", "thrown"); });
    t.on("fails", [](jf::Event&) { throw std::runtime_error("it broke"); });
    t.on("number", [](jf::Event&) { throw 5; });
    t.on("code", [](jf::Event&) { return JF_E_FORBIDDEN; });
  });
  CHECK_EQUAL(std::string(""), answer("nothing"));
  CHECK_EQUAL(error("t", "MINE", "returned"), answer("returns"));
  CHECK_EQUAL(error("t", "MINE", "thrown"), answer("throws"));
  UNSIGNED_LONGS_EQUAL(0, host.log().size());
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "it broke"), answer("fails"));
  CHECK_EQUAL(std::string("1 a handler failed error=it broke topic=t"), host.log().back());
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "unknown failure"), answer("number"));
  CHECK_EQUAL(error("t", "FORBIDDEN", "refused"), answer("code"));
  CHECK_EQUAL(std::string(""), answer("unheard of"));
  CHECK_EQUAL(std::string("2 unhandled event event=unheard of"), host.log().back());
}

TEST(sdk_wrapper, checks_payloads_and_names_the_path_of_the_mistake) {
  namespace want = jf::want;
  int called = 0;
  start_with([&](jf::Plugin& plugin) {
    plugin.channel("t").on(
        "e",
        want::object({{"thought", want::object({{"thoughtNumber", want::positive()},
                                                {"tags", want::list(want::string()).optional()}})},
                      {"parent", want::string().or_null()},
                      {"status", want::one_of({"on", "off"}).optional()},
                      {"limit", want::integer(1, 100).optional()}}),
        [&](jf::Event&) { ++called; });
  });
  const auto mistake = [&](const std::string& payload) {
    const std::string heard = answer("e", payload);
    const std::string begin = "t error {\"code\":\"INVALID_PAYLOAD\",\"message\":\"";
    if (heard.compare(0, begin.size(), begin) != 0) return heard;
    return heard.substr(begin.size(), heard.size() - begin.size() - 2);
  };
  const std::string right = "\"thought\":{\"thoughtNumber\":1}";
  CHECK_EQUAL(std::string("payload: must be an object"), mistake("null"));
  CHECK_EQUAL(std::string("thought: is required"), mistake("{}"));
  CHECK_EQUAL(std::string("thought: must be an object"), mistake("{\"thought\":1}"));
  CHECK_EQUAL(std::string("thought.thoughtNumber: is required"), mistake("{\"thought\":{}}"));
  for (const char* number : {"0", "-1", "1.5", "\"1\"", "null", "true"}) {
    CHECK_EQUAL(std::string("thought.thoughtNumber: must be a positive integer"),
                mistake("{\"thought\":{\"thoughtNumber\":" + std::string(number) + "}}"));
  }
  CHECK_EQUAL(std::string("thought.tags[1]: must be a string"),
              mistake("{\"thought\":{\"thoughtNumber\":1,\"tags\":[\"a\",2]}}"));
  CHECK_EQUAL(std::string("parent: is required"), mistake("{" + right + "}"));
  CHECK_EQUAL(std::string("parent: must be a string or null"),
              mistake("{" + right + ",\"parent\":1}"));
  CHECK_EQUAL(std::string("status: must be one of on, off"),
              mistake("{" + right + ",\"parent\":null,\"status\":\"half\"}"));
  CHECK_EQUAL(std::string("limit: must be an integer from 1 to 100"),
              mistake("{" + right + ",\"parent\":null,\"limit\":101}"));
  LONGS_EQUAL(0, called);
  CHECK_EQUAL(std::string(""), mistake("{" + right + ",\"parent\":null,\"more\":[]}"));
  CHECK_EQUAL(std::string(""),
              mistake("{\"thought\":{\"thoughtNumber\":98765432109876543210},\"parent\":\"p\"}"));
  LONGS_EQUAL(2, called);
}

TEST(sdk_wrapper, a_closed_object_takes_no_other_members) {
  const jf::Want want = jf::want::object({{"a", jf::want::any().optional()}}).closed();
  CHECK_EQUAL(std::string(""), want.check(jf::Json("{\"a\":1}")));
  CHECK_EQUAL(std::string("b: is not known"), want.check(jf::Json("{\"a\":1,\"b\":2}")));
}

TEST(sdk_wrapper, broadcasts_to_all_or_to_the_others) {
  start_with([](jf::Plugin& plugin) {
    jf::Channel& t = plugin.channel("t");
    t.on("all", [](jf::Event& event) { event.broadcast("x", event.payload()); });
    t.on("others", [](jf::Event& event) { event.broadcast_others("x", "1"); });
  });
  const jf_id other = host.connect();
  host.subscribe(client, "t");
  host.subscribe(other, "t");
  host.received(client);
  host.received(other);
  CHECK_EQUAL(std::string("t x [1.0]"), answer("all", "[1.0]"));
  CHECK_EQUAL(std::string("t x [1.0]"), host.heard(other));
  CHECK_EQUAL(std::string(""), answer("others"));
  CHECK_EQUAL(std::string("t x 1"), host.heard(other));
}

TEST(sdk_wrapper, a_deferred_event_is_answered_once_from_any_thread) {
  std::vector<jf::Reply> replies;
  start_with([&](jf::Plugin& plugin) {
    jf::Channel& t = plugin.channel("t");
    t.on("e", [&](jf::Event& event) { replies.push_back(event.defer()); });
    t.on_join([&](jf::Join& join) { replies.push_back(join.defer()); });
  });
  CHECK_EQUAL(std::string(""), answer("e"));
  std::thread([&] {
    replies[0].push("early", "1");
    replies[0].fail("LATE", "after all");
    LONGS_EQUAL(JF_E_GONE, replies[0].ok());
    LONGS_EQUAL(JF_E_GONE, replies[0].push("late", "1"));
  }).join();
  CHECK_EQUAL("t early 1\n" + error("t", "LATE", "after all"), host.heard(client));
  host.subscribe(client, "t");
  CHECK_EQUAL(std::string(""), host.heard(client));
  replies[1].push("snapshot", "{}");
  CHECK_EQUAL(std::string(""), host.heard(client));
  replies[1].ok();
  CHECK_EQUAL(std::string("t subscribed {}\nt snapshot {}"), host.heard(client));
}

TEST(sdk_wrapper, a_reply_that_is_dropped_answers_with_a_failure) {
  start_with([](jf::Plugin& plugin) {
    jf::Channel& t = plugin.channel("t");
    t.on("drop", [](jf::Event& event) { jf::Reply dropped = event.defer(); });
    t.on("overwrite", [](jf::Event& event) {
      jf::Reply reply = event.defer();
      reply = jf::Reply();
    });
  });
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "the call was dropped unanswered"), answer("drop"));
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "the call was dropped unanswered"), answer("overwrite"));
}

TEST(sdk_wrapper, a_message_that_the_host_does_not_take_still_answers_the_call) {
  jf::Reply reply;
  start_with([&](jf::Plugin& plugin) {
    jf::Channel& t = plugin.channel("t");
    t.on("later", [&](jf::Event& event) { reply = event.defer(); });
    t.on("now", [](jf::Event&) { throw jf::Error("X", std::string(100000, 'x')); });
  });
  answer("later");
  LONGS_EQUAL(JF_E_ARGUMENT, reply.fail("X", std::string(100000, 'x')));
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "the answer cannot be told"), host.heard(client));
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "refused"), answer("now"));
}

TEST(sdk_wrapper, an_exception_after_defer_answers_the_call) {
  std::vector<jf::Reply> replies;
  start_with([&](jf::Plugin& plugin) {
    plugin.channel("t").on("e", [&](jf::Event& event) {
      replies.push_back(event.defer());
      throw jf::Error("X", "after all not");
    });
  });
  CHECK_EQUAL(error("t", "X", "after all not"), answer("e"));
  LONGS_EQUAL(JF_E_GONE, replies[0].ok());
}

TEST(sdk_wrapper, a_reply_may_outlive_the_plugin) {
  jf::Reply reply;
  start_with([&](jf::Plugin& plugin) {
    plugin.channel("t").on("e", [&](jf::Event& event) { reply = event.defer(); });
  });
  answer("e");
  host.stop();
  CHECK_TRUE(static_cast<bool>(reply));
  LONGS_EQUAL(JF_E_GONE, reply.ok());
}

TEST(sdk_wrapper, keeps_bytes_with_a_subscription_until_its_leave) {
  std::string at_leave;
  start_with([&](jf::Plugin& plugin) {
    jf::Channel& t = plugin.channel("t");
    t.on_join([](jf::Join& join) { join.set("bytes of " + std::to_string(join.subscription())); });
    t.on_leave([&](const jf::Leave& leave) { at_leave = leave.get(); });
  });
  host.subscribe(client, "t");
  const jf_id id = host.subscription(client, "t");
  host.close(client);
  CHECK_EQUAL("bytes of " + std::to_string(id), at_leave);
}

TEST(sdk_wrapper, knows_facts_about_the_connection) {
  std::string facts;
  start_with([&](jf::Plugin& plugin) {
    plugin.channel("t").on("e", [&](jf::Event& event) {
      const jf::Connection connection = event.connection();
      facts = std::string(connection.local ? "local " : "remote ") + std::string(connection.peer) +
              " " + std::string(connection.identity) + " " + std::string(event.header("origin"));
    });
  });
  host.headers = "http://x";
  answer("e");
  CHECK_EQUAL(std::string("local 127.0.0.1  http://x"), facts);
  host.send(host.connect(false, "ada"), "t", "e");
  CHECK_EQUAL(std::string("remote 192.0.2.1 ada http://x"), facts);
}

TEST(sdk_wrapper, timers_fire_until_they_are_destroyed) {
  int ticks = 0;
  int once = 0;
  int alive = 0;
  jf::Timer every;
  jf::Timer after;
  start_with([&](jf::Plugin& plugin) {
    every = plugin.every(10, [&, kept = Alive(&alive)] { ++ticks; });
    after = plugin.after(25, [&] {
      ++once;
      every.cancel();
    });
    // Ends itself within its own function.
    auto own = std::make_shared<jf::Timer>();
    *own = plugin.every(1, [&, own] { own->cancel(); });
  });
  host.advance(100);
  LONGS_EQUAL(2, ticks);
  LONGS_EQUAL(1, once);
  LONGS_EQUAL(0, alive);
  UNSIGNED_LONGS_EQUAL(0, host.timers());
  CHECK_FALSE(static_cast<bool>(every));
  host.stop();  // before the timers here go: they end on the loop only
}

TEST(sdk_wrapper, an_exception_in_a_timer_is_logged_and_it_goes_on) {
  int ticks = 0;
  jf::Timer timer;
  start_with([&](jf::Plugin& plugin) {
    timer = plugin.every(10, [&] {
      ++ticks;
      throw std::runtime_error("tick failed");
    });
  });
  host.advance(20);
  LONGS_EQUAL(2, ticks);
  CHECK_EQUAL(std::string("1 a timer's function failed error=tick failed"), host.log().back());
  host.stop();
}

TEST(sdk_wrapper, a_timer_that_another_thread_destroys_does_not_fire_any_more) {
  int ticks = 0;
  jf::Timer timer;
  FakeHost strict(kScripted);
  steps.start = [&](jf::Plugin& plugin, const jf::Start&) {
    timer = plugin.every(10, [&] { ++ticks; });
  };
  strict.start();
  std::thread([&] { timer.cancel(); }).join();
  UNSIGNED_LONGS_EQUAL(1, strict.faults().size());  // the host saw it
  strict.advance(30);
  LONGS_EQUAL(0, ticks);
}

TEST(sdk_wrapper, a_timer_that_outlives_the_plugin_does_nothing) {
  jf::Timer timer;
  start_with([&](jf::Plugin& plugin) { timer = plugin.every(10, [] {}); });
  host.stop();
  timer.cancel();
  CHECK_FALSE(static_cast<bool>(timer));
}

TEST(sdk_wrapper, posts_run_in_their_order_on_the_loop) {
  jf::Plugin* plugin = nullptr;
  std::string order;
  int alive = 0;
  start_with([&](jf::Plugin& made) { plugin = &made; });
  std::thread([&] {
    plugin->post([&, kept = std::make_unique<Alive>(&alive)] { order += "a"; });
    plugin->post([&] { throw std::runtime_error("posted badly"); });
    plugin->post([&] { order += "b" + std::to_string(plugin->connections()); });
  }).join();
  CHECK_EQUAL(std::string(""), order);
  host.run_posts();
  CHECK_EQUAL(std::string("ab1"), order);
  LONGS_EQUAL(0, alive);
  CHECK_EQUAL(std::string("1 a posted function failed error=posted badly"), host.log().back());
}

TEST(sdk_wrapper, closures_that_the_host_never_calls_are_freed_at_stop) {
  int alive = 0;
  std::vector<jf::Reply> replies;
  start_with([&](jf::Plugin& plugin) {
    plugin.post([kept = Alive(&alive)] {});
    plugin.job([kept = Alive(&alive)] { return 1; }, [kept = Alive(&alive)](jf::Outcome<int>) {});
    plugin.channel("t").on("e", [&plugin](jf::Event& event) {
      plugin.post([reply = event.defer()]() mutable { reply.ok(); });
    });
  });
  answer("e");
  CHECK_TRUE(alive >= 3);
  host.stop();
  LONGS_EQUAL(0, alive);
  LONGS_EQUAL(1, steps.destroyed);
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "the call was dropped unanswered"), host.heard(client));
}

TEST(sdk_wrapper, jobs_work_on_another_thread_and_are_done_on_the_loop) {
  std::thread::id worker;
  std::thread::id loop;
  start_with([&](jf::Plugin& plugin) {
    plugin.channel("t").on("sum", [&](jf::Event& event) {
      const std::int64_t n = event.payload().integer().value_or(0);
      plugin.job(
          [&, n] {
            worker = std::this_thread::get_id();
            if (n < 0) throw jf::Error("NEGATIVE", "no sum");
            return std::make_unique<std::string>(std::to_string(n * 2));
          },
          [&, reply = event.defer()](jf::Outcome<std::unique_ptr<std::string>> outcome) mutable {
            loop = std::this_thread::get_id();
            if (!outcome) {
              reply.fail(outcome.exception());
              return;
            }
            reply.push("sum", *outcome.get());
            reply.ok();
          });
    });
  });
  CHECK_EQUAL(std::string(""), answer("sum", "21"));
  host.run_jobs();
  CHECK_EQUAL(std::string("t sum 42"), host.heard(client));
  CHECK_TRUE(worker != std::this_thread::get_id());
  CHECK_TRUE(loop == std::this_thread::get_id());
  answer("sum", "-1");
  host.run_jobs();
  CHECK_EQUAL(error("t", "NEGATIVE", "no sum"), host.heard(client));
}

TEST(sdk_wrapper, an_outcome_rethrows_what_the_work_threw) {
  start_with([](jf::Plugin& plugin) {
    plugin.job([]() { throw std::runtime_error("no file"); },
               [](jf::Outcome<void> outcome) { outcome.get(); });
  });
  host.run_jobs();
  CHECK_EQUAL(std::string("1 a job's done function failed error=no file"), host.log().back());
}

TEST(sdk_wrapper, pushes_kicks_and_counts_from_the_plugin) {
  start_with([](jf::Plugin& plugin) {
    jf::Channel& t = plugin.channel("t");
    t.on("push", [&](jf::Event& event) { plugin.push(event.subscription(), "x", "1"); });
    t.on("kick", [&](jf::Event& event) { plugin.kick(event.subscription(), "OUT", "go"); });
    t.on("count", [&](jf::Event& event) {
      event.push("count", std::to_string(plugin.subscribers("t") + 10 * plugin.connections()));
    });
  });
  host.subscribe(client, "t");
  host.received(client);
  CHECK_EQUAL(std::string("t x 1"), answer("push"));
  CHECK_EQUAL(std::string("t count 11"), answer("count"));
  CHECK_EQUAL(error("t", "OUT", "go"), answer("kick"));
  CHECK_EQUAL(std::string("t count 10"), answer("count"));
}

TEST(sdk_wrapper, logs_typed_fields) {
  start_with([](jf::Plugin& plugin) {
    plugin.log_warning("hot", {{"celsius", 81.5}, {"zone", "cpu"}, {"count", 3}});
    plugin.log_debug("bare");
  });
  CHECK_EQUAL(std::string("2 hot celsius=81.5 zone=cpu count=3"), host.log()[0]);
  CHECK_EQUAL(std::string("4 bare"), host.log()[1]);
}

TEST(sdk_wrapper, takes_a_configuration_whole_or_not_at_all) {
  FakeHost keeper(kKeeper);
  LONGS_EQUAL(JF_OK, keeper.start());
  const jf_id one = keeper.connect();
  LONGS_EQUAL(JF_OK, keeper.configure("{\"value\":\"v\"}"));
  LONGS_EQUAL(JF_E_INTERNAL, keeper.configure("{\"value\":\"w\",\"extra\":1}"));
  CHECK_EQUAL(
      std::string("1 the configuration is not taken error=configuration: extra: is not known"),
      keeper.log().back());
  keeper.send(one, "keeper", "value");
  CHECK_EQUAL(std::string("keeper value \"v\""), keeper.heard(one));
}

TEST(sdk_wrapper, saves_its_state_with_a_version_and_resumes) {
  std::string state;
  std::uint32_t version = 0;
  FakeHost before(kKeeper);
  before.start();
  before.configure("{\"value\":\"kept\"}");
  LONGS_EQUAL(JF_OK, before.save(&state, &version));
  UNSIGNED_LONGS_EQUAL(3, version);
  CHECK_EQUAL(std::string("kept"), state);
  before.resume();
  const jf_id one = before.connect();
  before.send(one, "keeper", "value");
  CHECK_EQUAL(std::string("keeper value \"kept resumed\""), before.heard(one));
  before.configure("{\"value\":\"unsavable\"}");
  LONGS_EQUAL(JF_E_INTERNAL, before.save(&state, &version));
}

TEST_GROUP(sdk_writer){};

TEST(sdk_writer, writes_objects_arrays_and_every_kind_of_value) {
  jf::JsonWriter writer;
  writer.object()
      .field("a", 1)
      .field("b", std::string("x\"y"))
      .field("c", true)
      .field("d", nullptr)
      .field("e", std::optional<int>())
      .field("f", std::optional<int>(5))
      .field("g", jf::Json(" [1.0] "))
      .raw_field("h", "{ }")
      .key("i")
      .array()
      .value(std::int64_t{-9223372036854775807} - 1)
      .value(std::uint64_t{18446744073709551615u})
      .array()
      .end()
      .object()
      .end()
      .end()
      .end();
  CHECK_EQUAL(std::string("{\"a\":1,\"b\":\"x\\\"y\",\"c\":true,\"d\":null,\"e\":null,\"f\":5,"
                          "\"g\":[1.0],\"h\":{ },\"i\":[-9223372036854775808,"
                          "18446744073709551615,[],{}]}"),
              writer.str());
  CHECK_TRUE(jackfield::test::is_json(writer.str()));
}

TEST(sdk_writer, writes_doubles_that_read_back_as_the_same) {
  for (const double value : {0.1, 1.0 / 3, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, -2.5, 0.0}) {
    const std::string json = jf::JsonWriter().value(value).take();
    CHECK_TRUE(jackfield::test::is_json(json));
    CHECK_TRUE(jf::Json(json).number() == std::optional<double>(value));
  }
  CHECK_EQUAL(std::string("0.1"), jf::JsonWriter().value(0.1).take());
  CHECK_EQUAL(std::string("null"),
              jf::JsonWriter().value(std::numeric_limits<double>::infinity()).take());
  CHECK_EQUAL(std::string("null"),
              jf::JsonWriter().value(std::numeric_limits<double>::quiet_NaN()).take());
}

TEST(sdk_writer, quotes_long_strings_that_grow) {
  const std::string raw(10000, '\x01');
  CHECK_EQUAL(std::optional<std::string>(raw) == jf::Json(jf::quoted(raw)).string(), true);
  UNSIGNED_LONGS_EQUAL(60002, jf::quoted(raw).size());
}

TEST_GROUP(sdk_view){};

TEST(sdk_view, reads_what_is_there_and_gives_nothing_else) {
  const jf::Json json(R"({"s":"a","i":5,"d":1.5,"b":true,"n":null,"l":[1,2],"o":{"x":{"y":3}}})");
  CHECK_TRUE(json["s"].string() == std::optional<std::string>("a"));
  CHECK_TRUE(json["i"].integer() == std::optional<std::int64_t>(5));
  CHECK_TRUE(json["d"].number() == std::optional<double>(1.5));
  CHECK_TRUE(json["b"].boolean() == std::optional<bool>(true));
  CHECK_TRUE(json["n"].is_null());
  CHECK_TRUE(json["o"]["x"]["y"].integer() == std::optional<std::int64_t>(3));
  CHECK_FALSE(json["missing"]["deeper"].exists());
  CHECK_FALSE(json["i"].string().has_value());
  CHECK_FALSE(json["d"].integer().has_value());
  CHECK_FALSE(json["s"].number().has_value());
  CHECK_FALSE(jf::Json().exists());
}

TEST(sdk_view, walks_with_for) {
  std::int64_t sum = 0;
  for (const jf::Json& element : jf::Json("[1,2,3]").elements())
    sum += element.integer().value_or(0);
  LONGS_EQUAL(6, sum);
  std::string keys;
  for (const jf::Member& member : jf::Json("{\"a\":1,\"\\u0062\":2}").members()) {
    keys += member.key() + std::string(member.value.raw());
  }
  CHECK_EQUAL(std::string("a1b2"), keys);
  for (const jf::Json& none : jf::Json("{\"a\":1}").elements())
    FAIL(std::string(none.raw()).c_str());
  for (const jf::Member& none : jf::Json("[1]").members()) FAIL(none.key().c_str());
}

TEST(sdk_view, writes_times_in_iso_8601) {
  const std::chrono::system_clock::time_point time{std::chrono::milliseconds(1795406400007)};
  CHECK_EQUAL(std::string("2026-11-23T04:00:00.007Z"), jf::iso_time(time));
  CHECK_EQUAL(std::string("1969-12-31T23:59:59.999Z"),
              jf::iso_time(std::chrono::system_clock::time_point(std::chrono::milliseconds(-1))));
}

// What a handler returns is its answer; a count of subscribers among it means nothing but success.
TEST_GROUP(sdk_answers) {
  Script steps;
  FakeHost host{kScripted};
  jf_id asker = 0;

  void setup() override {
    script = &steps;
    asker = host.connect();
  }
  void teardown() override {
    host.stop();
    UNSIGNED_LONGS_EQUAL(0, host.faults().size());
    script = nullptr;
  }

  // Starts a plugin whose channel `t` `open` fills.
  void start_with(std::function<void(jf::Channel&)> open) {
    steps.start = [open = std::move(open)](jf::Plugin& plugin, const jf::Start&) {
      open(plugin.channel("t"));
    };
    LONGS_EQUAL(JF_OK, host.start());
  }
  std::string answer(const std::string& event) {
    host.send(asker, "t", event);
    return host.heard(asker);
  }
  // Every id so far names no call that waits for its answer.
  void expect_nothing_pending() {
    const jf_id last = host.connect();
    for (jf_id id = 1; id <= last; ++id) {
      LONGS_EQUAL(JF_E_GONE, host.table()->reply(host.table(), id, jf::text(""), jf::text("")));
    }
  }
};

TEST(sdk_answers, a_returned_broadcast_is_success_for_any_number_of_subscribers) {
  start_with([](jf::Channel& t) {
    t.on("say", [](jf::Event& event) { return event.broadcast("said", "1"); });
    t.on("others", [](jf::Event& event) { return event.broadcast_others("said", "2"); });
  });
  std::vector<jf_id> listeners;
  for (std::size_t count = 0; count <= 3; ++count) {
    if (count > 0) {
      listeners.push_back(host.connect());
      host.subscribe(listeners.back(), "t");
      CHECK_EQUAL(std::string("t subscribed {}"), host.heard(listeners.back()));
    }
    CHECK_EQUAL(std::string(""), answer("say"));
    CHECK_EQUAL(std::string(""), answer("others"));
    for (const jf_id each : listeners) {
      CHECK_EQUAL(std::string("t said 1\nt said 2"), host.heard(each));
    }
    expect_nothing_pending();
    UNSIGNED_LONGS_EQUAL(0, host.log().size());
  }
}

TEST(sdk_answers, a_join_that_returns_its_broadcast_succeeds_for_any_number_of_subscribers) {
  start_with([](jf::Channel& t) {
    t.on_join([](jf::Join& join) { return join.broadcast("joins", "1"); });
  });
  for (int count = 0; count <= 3; ++count) {
    const jf_id each = host.connect();
    host.subscribe(each, "t");
    const std::string heard = host.heard(each);
    CHECK_EQUAL(std::string("t subscribed {}"), heard.substr(0, heard.find('\n')));
    expect_nothing_pending();
  }
  UNSIGNED_LONGS_EQUAL(0, host.log().size());
}

TEST(sdk_answers, a_returned_no_event_is_no_such_event) {
  start_with([](jf::Channel& t) { t.on("perhaps", [](jf::Event&) { return jf::kNoEvent; }); });
  CHECK_EQUAL(std::string(""), answer("perhaps"));
  UNSIGNED_LONGS_EQUAL(1, host.log().size());
  CHECK_EQUAL(std::string("2 unhandled event event=perhaps"), host.log().back());
  expect_nothing_pending();
}

TEST(sdk_answers, an_error_that_unwinds_a_deferred_reply_is_the_answer) {
  start_with([](jf::Channel& t) {
    t.on("e", [](jf::Event& event) {
      const jf::Reply reply = event.defer();
      throw jf::Error("BUSY", "ask again");
    });
    t.on("fails", [](jf::Event& event) {
      const jf::Reply reply = event.defer();
      throw std::runtime_error("it broke");
    });
    t.on("returns", [](jf::Event& event) {
      const jf::Reply reply = event.defer();
      return jf::Error("BUSY", "returned");
    });
    t.on_join([](jf::Join& join) {
      const jf::Reply reply = join.defer();
      throw jf::Error("FULL", "no room");
    });
  });
  CHECK_EQUAL(error("t", "BUSY", "ask again"), answer("e"));
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "it broke"), answer("fails"));
  CHECK_EQUAL(error("t", "BUSY", "returned"), answer("returns"));
  host.subscribe(asker, "t");
  CHECK_EQUAL(error("t", "FULL", "no room"), host.heard(asker));
  expect_nothing_pending();
}

TEST(sdk_answers, a_deferred_reply_that_the_handler_drops_is_one_failure) {
  start_with([](jf::Channel& t) {
    t.on("drops", [](jf::Event& event) { const jf::Reply reply = event.defer(); });
    t.on("answers", [](jf::Event& event) { event.defer().ok(); });
    t.on_join([](jf::Join& join) { const jf::Reply reply = join.defer(); });
  });
  const std::string dropped = error("t", "INTERNAL_ERROR", "the call was dropped unanswered");
  CHECK_EQUAL(dropped, answer("drops"));
  CHECK_EQUAL(std::string(""), answer("answers"));
  host.subscribe(asker, "t");
  CHECK_EQUAL(dropped, host.heard(asker));
  expect_nothing_pending();
}

TEST(sdk_answers, a_reply_that_another_thread_drops_while_its_handler_runs_is_one_failure) {
  start_with([](jf::Channel& t) {
    t.on("drops", [](jf::Event& event) { std::thread([reply = event.defer()] {}).join(); });
    t.on("then_throws", [](jf::Event& event) {
      std::thread([reply = event.defer()] {}).join();
      throw jf::Error("BUSY", "ask again");
    });
  });
  CHECK_EQUAL(error("t", "INTERNAL_ERROR", "the call was dropped unanswered"), answer("drops"));
  CHECK_EQUAL(error("t", "BUSY", "ask again"), answer("then_throws"));
  expect_nothing_pending();
}
