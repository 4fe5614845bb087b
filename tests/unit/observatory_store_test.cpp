// The observatory's store, and the shapes of its payloads.
#include <string>
#include <string_view>

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
