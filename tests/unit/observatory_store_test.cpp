// The observatory's store, and the shapes of its payloads.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/observatory/shapes.hpp"
#include "plugins/observatory/store.hpp"
#include "tests/support/fake_host.hpp"

#include <CppUTest/TestHarness.h>

using observatory::Limits;
using observatory::Store;

namespace {

std::string session(const std::string& id, const std::string& status = "active") {
  return "{\"id\":\"" + id + "\",\"tags\":[],\"status\":\"" + status + "\"}";
}

void start(Store& store, const std::string& id, const std::string& status = "active") {
  const std::string json = session(id, status);
  store.start(id, jf::Json(json));
}

// The ids of a list, in its order.
std::string ids(const std::string& list) {
  std::string all;
  const jf::Json json(list);
  for (const jf::Json& each : json["sessions"].elements()) {
    all += each["id"].string().value_or("?") + " ";
  }
  return all;
}

std::string all(const Store& store) { return ids(store.list("all", 100, 0)); }

}  // namespace

TEST_GROUP(observatory_store){};

TEST(observatory_store, passes_on_the_octets_that_it_was_given) {
  Store store{Limits{}};
  const std::string json =
      "{\"id\":\"s\", \"tags\":[ ],\"n\":12345678901234567890.10,\"status\":\"active\"}";
  store.start("s", jf::Json(json));
  store.add("s", "{\"id\":\"t\" , \"x\":1.0}");
  store.add_to_branch("s", "b\"", 3, "{\"id\":\"u\"}");
  CHECK_EQUAL("{\"session\":" + json +
                  ",\"thoughts\":[{\"id\":\"t\" , \"x\":1.0}],\"branches\":{\"b\\\"\":{\"id\":\"b\\"
                  "\"\",\"fromThoughtNumber\":3,\"thoughts\":[{\"id\":\"u\"}]}}}",
              store.snapshot("s").value_or(""));
}

TEST(observatory_store, gives_a_session_without_tags_an_empty_list) {
  Store store{Limits{}};
  store.start("s", jf::Json("{\"id\":\"s\",\"status\":\"active\"}"));
  CHECK_EQUAL(std::string("{\"sessions\":[{\"id\":\"s\",\"status\":\"active\",\"tags\":[]}]}"),
              store.list("active", 10, 0));
}

TEST(observatory_store, knows_no_session_that_was_not_started) {
  Store store{Limits{}};
  CHECK_FALSE(store.snapshot("s").has_value());
  CHECK_FALSE(store.end("s", "2026-01-01T00:00:00Z"));
  store.add("s", "1");
  CHECK_FALSE(store.snapshot("s").has_value());
  CHECK_FALSE(store.end("s", "2026-01-01T00:00:00Z"));
  CHECK_EQUAL(std::string(""), all(store));
  start(store, "s");
  CHECK_EQUAL("{\"session\":" + session("s") + ",\"thoughts\":[1],\"branches\":{}}",
              store.snapshot("s").value_or(""));
}

TEST(observatory_store, ends_a_session_once) {
  Store store{Limits{}};
  start(store, "s");
  CHECK_TRUE(store.end("s", "2026-01-01T00:00:00Z"));
  CHECK_TRUE(store.end("s", "2027-01-01T00:00:00Z"));
  CHECK_EQUAL(std::string("{\"sessions\":[{\"id\":\"s\",\"tags\":[],\"status\":\"completed\","
                          "\"completedAt\":\"2026-01-01T00:00:00Z\"}]}"),
              store.list("completed", 10, 0));
  CHECK_EQUAL(std::string("{\"sessions\":[]}"), store.list("active", 10, 0));
}

TEST(observatory_store, a_session_started_again_keeps_its_thoughts_and_is_active_again) {
  Store store{Limits{}};
  start(store, "s");
  store.add("s", "1");
  store.end("s", "2026-01-01T00:00:00Z");
  store.start("s",
              jf::Json("{\"id\":\"s\",\"title\":\"again\",\"tags\":[],\"status\":\"active\"}"));
  CHECK_EQUAL(std::string("{\"session\":{\"id\":\"s\",\"title\":\"again\",\"tags\":[],\"status\":"
                          "\"active\"},\"thoughts\":[1],\"branches\":{}}"),
              store.snapshot("s").value_or(""));
  CHECK_EQUAL(std::string("s "), ids(store.list("active", 10, 0)));
}

TEST(observatory_store, lists_the_newest_first_in_pages) {
  Store store{Limits{}};
  for (const char* id : {"a", "c", "b", "d"}) start(store, id);
  start(store, "x", "abandoned");
  CHECK_EQUAL(std::string("x d b c a "), all(store));
  CHECK_EQUAL(std::string("d b c a "), ids(store.list("active", 100, 0)));
  CHECK_EQUAL(std::string("b c "), ids(store.list("active", 2, 1)));
  CHECK_EQUAL(std::string("a "), ids(store.list("active", 2, 3)));
  CHECK_EQUAL(std::string(""), ids(store.list("active", 2, 4)));
  CHECK_EQUAL(std::string("x "), ids(store.list("abandoned", 2, 0)));
}

TEST(observatory_store, drops_the_longest_ended_session_first) {
  Limits limits;
  limits.max_sessions = 3;
  Store store{limits};
  for (const char* id : {"a", "b", "c"}) start(store, id);
  store.end("c", "2026-01-01T00:00:00Z");
  store.end("b", "2026-01-01T00:00:00Z");
  start(store, "d");
  CHECK_EQUAL(std::string("d b a "), all(store));
  start(store, "e");
  CHECK_EQUAL(std::string("e d a "), all(store));
}

TEST(observatory_store, then_unknown_ones_then_the_longest_untouched) {
  Limits limits;
  limits.max_sessions = 3;
  Store store{limits};
  start(store, "a");
  start(store, "b");
  store.add("unknown", "1");
  store.add("a", "1");
  start(store, "c");
  CHECK_EQUAL(std::string("c b a "), all(store));
  start(store, "d");
  CHECK_EQUAL(std::string("d c a "), all(store));
  start(store, "unknown");
  CHECK_EQUAL("{\"session\":" + session("unknown") + ",\"thoughts\":[],\"branches\":{}}",
              store.snapshot("unknown").value_or(""));
}

TEST(observatory_store, drops_the_oldest_thoughts_and_branches_that_are_left_empty) {
  Limits limits;
  limits.max_thoughts = 3;
  Store store{limits};
  start(store, "s");
  store.add_to_branch("s", "b", 1, "1");
  store.add("s", "2");
  store.add_to_branch("s", "c", 2, "3");
  store.add("s", "4");
  store.add("s", "5");
  CHECK_EQUAL("{\"session\":" + session("s") +
                  ",\"thoughts\":[4,5],\"branches\":{\"c\":{\"id\":\"c\",\"fromThoughtNumber\":2,"
                  "\"thoughts\":[3]}}}",
              store.snapshot("s").value_or(""));
}

TEST(observatory_store, keeps_branches_in_the_order_of_their_first_thoughts) {
  Store store{Limits{}};
  start(store, "s");
  store.add_to_branch("s", "z", 1, "1");
  store.add_to_branch("s", "a", 2, "2");
  store.add_to_branch("s", "z", 9, "3");
  CHECK_EQUAL("{\"session\":" + session("s") +
                  ",\"thoughts\":[],\"branches\":{\"z\":{\"id\":\"z\",\"fromThoughtNumber\":1,"
                  "\"thoughts\":[1,3]},\"a\":{\"id\":\"a\",\"fromThoughtNumber\":2,"
                  "\"thoughts\":[2]}}}",
              store.snapshot("s").value_or(""));
}

TEST(observatory_store, is_bounded_in_octets) {
  Limits limits;
  limits.max_session_bytes = 2000;
  limits.max_bytes = 5000;
  Store store{limits};
  const std::string big = "\"" + std::string(900, 'x') + "\"";
  for (int i = 0; i < 20; ++i) {
    const std::string id = "s" + std::to_string(i);
    start(store, id);
    for (int thought = 0; thought < 5; ++thought) store.add(id, big);
    CHECK_TRUE(store.bytes() <= 5000);
    CHECK_TRUE(store.snapshot(id).value_or("").size() <= 2000);
  }
  CHECK_TRUE(store.size() >= 2);
  store.add("s19", "\"" + std::string(3000, 'x') + "\"");  // larger than what is kept at all
  CHECK_EQUAL("{\"session\":" + session("s19") + ",\"thoughts\":[],\"branches\":{}}",
              store.snapshot("s19").value_or(""));
  limits.max_sessions = 1;
  store.limit(limits);
  UNSIGNED_LONGS_EQUAL(1, store.size());
}

// A session as the plugin lets it in.
namespace {

std::string full_session(const std::string& id, const std::string& status = "active") {
  return "{\"id\":" + jf::quoted(id) +
         ",\"createdAt\":\"2026-11-23\", \"tags\":[ ],\"n\":1.0,\"status\":\"" + status + "\"}";
}

void full_start(Store& store, const std::string& id, const std::string& status = "active") {
  const std::string json = full_session(id, status);
  store.start(id, jf::Json(json));
}

std::string full_thought(int number) {
  return "{\"id\":\"t\",\"thoughtNumber\":" + std::to_string(number) +
         ", \"totalThoughts\":9,\"thought\":\"think\",\"nextThoughtNeeded\":true,\"big\":"
         "12345678901234567890,\"timestamp\":\"2026-11-23T04:00:00Z\"}";
}

std::string restored(Store& store, const std::string& state) {
  return store.restore(jf::Json(state));
}

}  // namespace

TEST(observatory_store, goes_on_in_another_object) {
  Store before{Limits{}};
  full_start(before, "a");
  full_start(before, "\xC3\xA9\"");
  full_start(before, "gone", "abandoned");
  before.add("a", full_thought(1));
  before.add_to_branch("a", "z\"", 1, full_thought(2));
  before.add_to_branch("a", "b", -7, full_thought(3));
  before.add("a", full_thought(4));
  before.add("early", full_thought(1));
  before.end("\xC3\xA9\"", "2026-01-01T00:00:00Z");
  Store after{Limits{}};
  const Store::State state = before.state(1 << 20);
  UNSIGNED_LONGS_EQUAL(0, state.left_out);
  CHECK_EQUAL(std::string(""), restored(after, state.json));
  UNSIGNED_LONGS_EQUAL(before.size(), after.size());
  UNSIGNED_LONGS_EQUAL(before.bytes(), after.bytes());
  for (const char* status : {"all", "active", "completed", "abandoned"}) {
    CHECK_EQUAL(before.list(status, 100, 0), after.list(status, 100, 0));
  }
  for (const char* id : {"a", "\xC3\xA9\"", "gone", "early"}) {
    CHECK_TRUE(before.snapshot(id) == after.snapshot(id));
  }
  for (Store* store : {&before, &after}) {
    full_start(*store, "early");
    store->add_to_branch("a", "c", 5, full_thought(5));
    store->end("a", "2026-01-02T00:00:00Z");
    Limits limits;
    limits.max_sessions = 3;
    store->limit(limits);
  }
  CHECK_EQUAL(before.list("all", 100, 0), after.list("all", 100, 0));
  CHECK_EQUAL(std::string("early \xC3\xA9\" a "), all(after));
  CHECK_EQUAL(*before.snapshot("a"), *after.snapshot("a"));
  CHECK_EQUAL(*before.snapshot("early"), *after.snapshot("early"));
}

TEST(observatory_store, a_state_leaves_out_what_would_be_dropped_first) {
  Store before{Limits{}};
  for (const char* id : {"a", "b", "c"}) full_start(before, id);
  before.end("b", "2026-01-01T00:00:00Z");
  const std::size_t whole = before.state(1 << 20).json.size();
  const Store::State state = before.state(whole - 1);
  CHECK_TRUE(state.json.size() < whole);
  UNSIGNED_LONGS_EQUAL(1, state.left_out);
  Store after{Limits{}};
  CHECK_EQUAL(std::string(""), restored(after, state.json));
  CHECK_EQUAL(std::string("c a "), all(after));
  UNSIGNED_LONGS_EQUAL(3, before.state(100).left_out);
  CHECK_EQUAL(std::string(""), restored(after, before.state(100).json));
}

TEST(observatory_store, what_is_restored_keeps_within_the_limits_of_now) {
  Store before{Limits{}};
  for (const char* id : {"a", "b", "c"}) {
    full_start(before, id);
    for (int i = 1; i < 10; ++i) {
      before.add_to_branch(id, std::to_string(i % 2), 1, full_thought(i));
    }
  }
  Limits limits;
  limits.max_sessions = 2;
  limits.max_thoughts = 1;
  Store after{limits};
  CHECK_EQUAL(std::string(""), restored(after, before.state(1 << 20).json));
  CHECK_EQUAL(std::string("c b "), all(after));
  CHECK_EQUAL("{\"session\":" + full_session("c") +
                  ",\"thoughts\":[],\"branches\":{\"1\":{\"id\":\"1\",\"fromThoughtNumber\":1,"
                  "\"thoughts\":[" + full_thought(9) + "]}}}",
              after.snapshot("c").value_or(""));
  limits = Limits{};
  limits.max_bytes = before.bytes() / 2;
  Store small{limits};
  CHECK_EQUAL(std::string(""), restored(small, before.state(1 << 20).json));
  CHECK_TRUE(small.bytes() <= limits.max_bytes);
  UNSIGNED_LONGS_EQUAL(1, small.size());
}

TEST(observatory_store, refuses_a_state_that_is_none) {
  const auto state = [](const std::string& sessions) {
    return "{\"clock\":9,\"sessions\":[" + sessions + "]}";
  };
  const auto entry = [](const std::string& times, const std::string& session,
                        const std::string& branches = "{}", const std::string& thoughts = "") {
    return "{\"id\":\"a\"," + times + ",\"session\":" + session + ",\"branches\":" + branches +
           ",\"thoughts\":[" + thoughts + "]}";
  };
  const std::string live = "\"started\":1,\"touched\":1,\"ended\":0";
  const std::string good = entry(live, full_session("a"), "{\"b\":1}",
                                 "{\"branch\":\"b\",\"thought\":" + full_thought(1) + "}");
  {
    Store store{Limits{}};
    CHECK_EQUAL(std::string(""), restored(store, state(good)));
  }
  const std::string large =
      R"({"id":"a","createdAt":"2026-11-23","status":"active","x":")" + std::string(20000, 'x') +
      "\"}";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"5", "state: must be an object"},
      {"{\"clock\":-1,\"sessions\":[]}",
       "state.clock: must be an integer from 0 to 9007199254740992"},
      {state("7"), "state.sessions[0]: must be an object"},
      {state(good + "," + good), "state.sessions: a: is there twice"},
      {state(entry(live, full_session("b"))),
       "state.sessions: a: is the session of another id"},
      {state(entry(live, large)), "state.sessions: a: is too large"},
      {state(entry(live, "null")), "state.sessions: a: has other times than its status has"},
      {state(entry(live, full_session("a", "completed"))),
       "state.sessions: a: has other times than its status has"},
      {state(entry("\"started\":1,\"touched\":1,\"ended\":2", full_session("a"))),
       "state.sessions: a: has other times than its status has"},
      {state(entry("\"started\":0,\"touched\":1,\"ended\":0", full_session("a"))),
       "state.sessions: a: has other times than its status has"},
      {state(entry(live, full_session("a", "new"))),
       "state.sessions[0].session.status: must be one of active, completed, abandoned"},
      {state(entry(live, full_session("a"), "{\"b\":1}")),
       "state.sessions: a: has a branch without thoughts"},
      {state(entry(live, full_session("a"), "{\"b\":\"1\"}")),
       "state.sessions: a: has a branch that is none"},
      {state(entry(live, full_session("a"), "{\"b\":1,\"b\":2}")),
       "state.sessions: a: has a branch that is none"},
      {state(entry(live, full_session("a"), "{}",
                   "{\"branch\":\"b\",\"thought\":" + full_thought(1) + "}")),
       "state.sessions: a: has a thought of no branch"},
      {state(entry(live, full_session("a"), "{}", "{\"thought\":" + full_thought(0) + "}")),
       "state.sessions[0].thoughts[0].thought.thoughtNumber: must be a positive integer"},
  };
  for (const auto& [text, mistake] : cases) {
    Store store{Limits{}};
    CHECK_EQUAL(mistake, restored(store, text));
  }
}

TEST(observatory_store, replaces_a_member_where_it_stands) {
  const auto with = [](const char* object) {
    return observatory::with_member(jf::Json(object), "status", "5");
  };
  CHECK_EQUAL(std::string("{\"status\":5}"), with("{}"));
  CHECK_EQUAL(std::string("{\"a\":1.0,\"status\":5,\"b\":[ ]}"),
              with("{ \"a\":1.0, \"status\" : {\"x\":1} , \"b\":[ ]}"));
  CHECK_EQUAL(std::string("{\"st\\u0061tus\":5,\"c\":1}"),
              with("{\"st\\u0061tus\":1,\"c\":1,\"status\":2}"));
}

TEST(observatory_store, tells_iso_times_from_other_text) {
  for (const char* time :
       {"2026-11-23", "2026-11-23T04:00Z", "2026-11-23T04:00:00", "2026-11-23T04:00:00Z",
        "2026-11-23T04:00:00.000Z", "2026-11-23 04:00:00.123456+01:00", "2026-11-23T04:00:00-0130",
        "2026-11-23T04:00:00+01"}) {
    CHECK_TRUE_TEXT(observatory::is_iso_time(time), time);
  }
  for (const char* text :
       {"", "now", "2026", "2026-13-01", "2026-11-32", "2026-11-23T", "2026-11-23T4:00",
        "2026-11-23T25:00", "2026-11-23T04:00:00.", "2026-11-23T04:00:00ZZ",
        "2026-11-23T04:00:00+1", "23.11.2026", "1795406400"}) {
    CHECK_FALSE_TEXT(observatory::is_iso_time(text), text);
  }
}
