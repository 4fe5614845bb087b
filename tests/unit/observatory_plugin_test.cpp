// The observatory plugin, from its shared object: who may do what, who is told, and what a late
// follower sees.
#include <string>

#include "tests/support/fake_host_damaged.hpp"
#include "tests/support/fake_host.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::test::expect_damaged_refused;
using jackfield::test::FakeHost;
using jackfield::test::PluginFile;
using jackfield::test::replace_with_altered;

namespace {

const char* const kSession =
    "{\"id\":\"s1\",\"title\":\"T\",\"tags\":[\"a\"],\"createdAt\":\"2026-11-23T04:00:00.000Z\","
    "\"status\":\"active\",\"big\":12345678901234567890}";

std::string thought(int number, const std::string& more = "") {
  return "{\"id\":\"t" + std::to_string(number) + "\",\"thoughtNumber\":" + std::to_string(number) +
         ",\"totalThoughts\":9,\"thought\":\"think\",\"nextThoughtNeeded\":true,"
         "\"timestamp\":\"2026-11-23T04:00:00Z\"" +
         more + "}";
}

std::string added(int number) { return "{\"thought\":" + thought(number) + ",\"parentId\":null}"; }

}  // namespace

TEST_GROUP(observatory_plugin) {
  PluginFile file{"observatory"};
  FakeHost host{file.table()};
  jf_id producer = 0;
  jf_id follower = 0;

  void setup() override { begin("{}"); }
  void teardown() override {
    host.stop();
    UNSIGNED_LONGS_EQUAL(0, host.faults().size());
  }
  void begin(const std::string& config) {
    host.stop();
    LONGS_EQUAL(JF_OK, host.start(config));
    producer = host.connect();
    follower = host.connect(false);
  }
  std::string sent(const std::string& topic, const std::string& event, const std::string& payload) {
    host.send(producer, topic, event, payload);
    return host.heard(producer);
  }
  void start_session() {
    CHECK_EQUAL(std::string(""), sent("observatory", "session:started",
                                      "{\"session\":" + std::string(kSession) + "}"));
  }
};

TEST(observatory_plugin, joining_the_observatory_shows_the_active_sessions) {
  host.subscribe(follower, "observatory");
  CHECK_EQUAL(
      std::string("observatory subscribed {}\nobservatory sessions:active {\"sessions\":[]}"),
      host.heard(follower));
  start_session();
  CHECK_EQUAL("observatory session:started {\"session\":" + std::string(kSession) + "}",
              host.heard(follower));
  host.send(follower, "observatory", "list:active");
  CHECK_EQUAL("observatory sessions:active {\"sessions\":[" + std::string(kSession) + "]}",
              host.heard(follower));
}

TEST(observatory_plugin, lists_sessions_by_status_without_a_subscription) {
  start_session();
  for (const char* payload :
       {"{}", "{\"status\":\"all\"}", "{\"status\":\"active\",\"limit\":1}"}) {
    host.send(follower, "observatory", "list:sessions", payload);
    CHECK_EQUAL("observatory sessions:list {\"sessions\":[" + std::string(kSession) + "]}",
                host.heard(follower));
  }
  for (const char* payload :
       {"{\"status\":\"completed\"}", "{\"offset\":1}", "{\"offset\":99999999999999999999}"}) {
    host.send(follower, "observatory", "list:sessions", payload);
    CHECK_EQUAL(std::string("observatory sessions:list {\"sessions\":[]}"), host.heard(follower));
  }
}

TEST(observatory_plugin, refuses_lists_that_are_asked_for_wrongly) {
  const char* const cases[][2] = {
      {"null", "payload: must be an object"},
      {"{\"limit\":0}", "limit: must be an integer from 1 to 100"},
      {"{\"limit\":101}", "limit: must be an integer from 1 to 100"},
      {"{\"limit\":\"5\"}", "limit: must be an integer from 1 to 100"},
      {"{\"offset\":-1}", "offset: must be an integer of at least 0"},
      {"{\"status\":\"open\"}", "status: must be one of active, completed, abandoned, all"},
  };
  for (const auto& [payload, message] : cases) {
    CHECK_EQUAL("observatory error {\"code\":\"INVALID_PAYLOAD\",\"message\":\"" +
                    std::string(message) + "\"}",
                sent("observatory", "list:sessions", payload));
  }
}

TEST(observatory_plugin, a_follower_of_an_unknown_session_is_told_and_stays_subscribed) {
  host.subscribe(follower, "reasoning:s1");
  CHECK_EQUAL(std::string("reasoning:s1 subscribed {}\nreasoning:s1 error {\"code\":"
                          "\"SESSION_NOT_FOUND\",\"message\":\"Session s1 not found\"}"),
              host.heard(follower));
  sent("reasoning:s1", "thought:added", added(1));
  CHECK_EQUAL("reasoning:s1 thought:added " + added(1), host.heard(follower));
}

TEST(observatory_plugin, follows_thoughts_live_and_shows_them_to_who_comes_late) {
  start_session();
  host.subscribe(follower, "reasoning:s1");
  CHECK_EQUAL("{\"session\":" + std::string(kSession) + ",\"thoughts\":[],\"branches\":{}}",
              host.last(follower, "session:snapshot"));
  host.received(follower);
  const std::string revised =
      "{\"thought\":" + thought(2, ",\"isRevision\":true,\"revisesThought\":1") +
      ",\"parentId\":\"t1\",\"originalThoughtNumber\":1}";
  const std::string branched = "{\"thought\":" + thought(3) +
                               ",\"parentId\":\"t1\",\"branchId\":\"b\",\"fromThoughtNumber\":1}";
  CHECK_EQUAL(std::string(""), sent("reasoning:s1", "thought:added", added(1)));
  CHECK_EQUAL(std::string(""), sent("reasoning:s1", "thought:revised", revised));
  CHECK_EQUAL(std::string(""), sent("reasoning:s1", "thought:branched", branched));
  CHECK_EQUAL("reasoning:s1 thought:added " + added(1) + "\nreasoning:s1 thought:revised " +
                  revised + "\nreasoning:s1 thought:branched " + branched,
              host.heard(follower));
  const jf_id late = host.connect(false);
  host.subscribe(late, "reasoning:s1");
  CHECK_EQUAL("{\"session\":" + std::string(kSession) + ",\"thoughts\":[" + thought(1) + "," +
                  thought(2, ",\"isRevision\":true,\"revisesThought\":1") +
                  "],\"branches\":{\"b\":{\"id\":\"b\",\"fromThoughtNumber\":1,\"thoughts\":[" +
                  thought(3) + "]}}}",
              host.last(late, "session:snapshot"));
}

TEST(observatory_plugin, the_end_of_a_session_is_told_on_both_topics) {
  start_session();
  host.subscribe(follower, "reasoning:s1");
  host.subscribe(follower, "observatory");
  host.received(follower);
  const std::string ended = "{\"sessionId\":\"s1\",\"finalThoughtCount\":0}";
  sent("observatory", "session:ended", ended);
  CHECK_EQUAL("observatory session:ended " + ended + "\nreasoning:s1 session:ended " + ended,
              host.heard(follower));
  host.subscribe(follower, "observatory");
  CHECK_EQUAL(std::string("{\"sessions\":[]}"), host.last(follower, "sessions:active"));
  host.send(follower, "observatory", "list:sessions", "{\"status\":\"completed\"}");
  const std::string list = host.last(follower, "sessions:list");
  STRCMP_CONTAINS("\"status\":\"completed\"", list.c_str());
  STRCMP_CONTAINS("\"completedAt\":\"20", list.c_str());
  STRCMP_CONTAINS("\"big\":12345678901234567890", list.c_str());
}

TEST(observatory_plugin, stores_nothing_of_what_is_wrong_and_names_the_path) {
  start_session();
  host.subscribe(follower, "reasoning:s1");
  host.received(follower);
  const auto message = [this](const std::string& event, const std::string& payload) {
    const std::string heard = sent("reasoning:s1", event, payload);
    const std::string begin = "reasoning:s1 error {\"code\":\"INVALID_PAYLOAD\",\"message\":\"";
    CHECK_EQUAL(begin, heard.substr(0, begin.size()));
    return heard.substr(begin.size(), heard.size() - begin.size() - 2);
  };
  CHECK_EQUAL(std::string("thought: is required"), message("thought:added", "{\"parentId\":null}"));
  CHECK_EQUAL(std::string("parentId: is required"),
              message("thought:added", "{\"thought\":" + thought(1) + "}"));
  CHECK_EQUAL(std::string("parentId: must be a string or null"),
              message("thought:added", "{\"thought\":" + thought(1) + ",\"parentId\":1}"));
  CHECK_EQUAL(std::string("thought.thoughtNumber: must be a positive integer"),
              message("thought:added", "{\"thought\":" + thought(0) + ",\"parentId\":null}"));
  CHECK_EQUAL(std::string("thought.branchId: must be a string"),
              message("thought:added",
                      "{\"thought\":" + thought(1, ",\"branchId\":null") + ",\"parentId\":null}"));
  CHECK_EQUAL(std::string("thought.timestamp: must be an ISO 8601 time"),
              message("thought:added", "{\"thought\":" + thought(1, ",\"timestamp\":\"noon\"") +
                                           ",\"parentId\":null}"));
  CHECK_EQUAL(std::string("originalThoughtNumber: is required"),
              message("thought:revised", added(1)));
  CHECK_EQUAL(std::string("branchId: is required"), message("thought:branched", added(1)));
  CHECK_EQUAL(
      std::string("observatory error {\"code\":\"INVALID_PAYLOAD\",\"message\":"
                  "\"session.status: must be one of active, completed, abandoned\"}"),
      sent("observatory", "session:started",
           "{\"session\":{\"id\":\"s2\",\"createdAt\":\"2026-11-23\",\"status\":\"new\"}}"));
  CHECK_EQUAL(std::string("observatory error {\"code\":\"INVALID_PAYLOAD\",\"message\":"
                          "\"finalThoughtCount: is required\"}"),
              sent("observatory", "session:ended", "{\"sessionId\":\"s1\"}"));
  CHECK_EQUAL(std::string(""), host.heard(follower));
  host.subscribe(follower, "reasoning:s1");
  CHECK_EQUAL("{\"session\":" + std::string(kSession) + ",\"thoughts\":[],\"branches\":{}}",
              host.last(follower, "session:snapshot"));
}

TEST(observatory_plugin, a_session_that_is_too_large_is_refused) {
  const std::string huge = "{\"session\":{\"id\":\"s\",\"title\":\"" + std::string(20000, 'x') +
                           "\",\"createdAt\":\"2026-11-23\",\"status\":\"active\"}}";
  STRCMP_CONTAINS("\"code\":\"LIMIT_EXCEEDED\"",
                  sent("observatory", "session:started", huge).c_str());
}

TEST(observatory_plugin, by_default_only_this_machine_produces) {
  host.send(follower, "reasoning:s1", "thought:added", "not even looked at");
  CHECK_EQUAL(std::string("reasoning:s1 error {\"code\":\"FORBIDDEN\",\"message\":"
                          "\"Only producers may send thought:added\"}"),
              host.heard(follower));
  host.send(follower, "observatory", "session:started",
            "{\"session\":" + std::string(kSession) + "}");
  STRCMP_CONTAINS("FORBIDDEN", host.heard(follower).c_str());
  host.subscribe(follower, "observatory");
  CHECK_EQUAL(std::string("{\"sessions\":[]}"), host.last(follower, "sessions:active"));
}

TEST(observatory_plugin, producers_may_be_anybody_or_known_identities) {
  begin("{\"producers\":\"any\"}");
  host.send(follower, "reasoning:s1", "thought:added", added(1));
  CHECK_EQUAL(std::string(""), host.heard(follower));
  begin("{\"producers\":[\"ada\",\"bob\"]}");
  STRCMP_CONTAINS("FORBIDDEN", sent("reasoning:s1", "thought:added", added(1)).c_str());
  const jf_id ada = host.connect(false, "ada");
  host.send(ada, "reasoning:s1", "thought:added", added(1));
  CHECK_EQUAL(std::string(""), host.heard(ada));
}

TEST(observatory_plugin, says_what_is_wrong_with_its_configuration) {
  const char* const cases[][2] = {
      {"{\"producers\":\"nobody\"}",
       "producers: must be \"local\", \"any\" or a list of identities"},
      {"{\"producers\":[1]}", "producers: must be \"local\", \"any\" or a list of identities"},
      {"{\"max_sessions\":0}", "max_sessions: must be an integer from 1 to 1000000000"},
      {"{\"max_session\":5}", "max_session: is not known"},
  };
  for (const auto& [config, message] : cases) {
    FakeHost other(file.table());
    CHECK_TRUE(other.start(config) < 0);
    UNSIGNED_LONGS_EQUAL(1, other.log().size());
    STRCMP_CONTAINS(message, other.log()[0].c_str());
  }
}

TEST(observatory_plugin, takes_a_new_configuration_while_it_runs) {
  start_session();
  sent("reasoning:s1", "thought:added", added(1));
  sent("reasoning:s1", "thought:added", added(2));
  LONGS_EQUAL(JF_OK, host.configure("{\"max_thoughts_per_session\":1,\"producers\":\"any\"}"));
  host.send(follower, "reasoning:s1", "thought:added", added(3));
  host.subscribe(follower, "reasoning:s1");
  CHECK_EQUAL("{\"session\":" + std::string(kSession) + ",\"thoughts\":[" + thought(3) +
                  "],\"branches\":{}}",
              host.last(follower, "session:snapshot"));
  CHECK_TRUE(host.configure("{\"producers\":5}") < 0);
}

TEST(observatory_plugin, nobody_sees_that_it_is_replaced) {
  start_session();
  host.subscribe(follower, "observatory");
  host.subscribe(follower, "reasoning:s1");
  sent("reasoning:s1", "thought:added", added(1));
  const std::string branched = "{\"thought\":" + thought(2) +
                               ",\"parentId\":\"t1\",\"branchId\":\"b\",\"fromThoughtNumber\":1}";
  sent("reasoning:s1", "thought:branched", branched);
  sent("reasoning:early", "thought:added", added(1));
  host.received(follower);
  for (int i = 0; i < 3; ++i) LONGS_EQUAL(JF_OK, host.replace());
  CHECK_EQUAL(std::string(""), host.heard(follower));

  sent("reasoning:s1", "thought:added", added(3));
  CHECK_EQUAL("reasoning:s1 thought:added " + added(3), host.heard(follower));
  const jf_id late = host.connect(false);
  host.subscribe(late, "reasoning:s1");
  CHECK_EQUAL("{\"session\":" + std::string(kSession) + ",\"thoughts\":[" + thought(1) + "," +
                  thought(3) +
                  "],\"branches\":{\"b\":{\"id\":\"b\",\"fromThoughtNumber\":1,\"thoughts\":[" +
                  thought(2) + "]}}}",
              host.last(late, "session:snapshot"));
  sent("observatory", "session:ended", "{\"sessionId\":\"s1\",\"finalThoughtCount\":3}");
  LONGS_EQUAL(JF_OK, host.replace());
  host.send(late, "observatory", "list:sessions", "{\"status\":\"completed\"}");
  STRCMP_CONTAINS("\"completedAt\":\"20", host.last(late, "sessions:list").c_str());
}

TEST(observatory_plugin, a_payload_of_any_depth_does_not_keep_it_from_being_replaced) {
  start_session();
  const std::string deep(100000, '[');
  const std::string odd =
      ",\"odd\":" + deep + std::string(deep.size(), ']') + ",\"half\":\"\\ud83d\"";
  CHECK_EQUAL(std::string(""), sent("reasoning:s1", "thought:added",
                                    "{\"thought\":" + thought(1, odd) + ",\"parentId\":null}"));
  LONGS_EQUAL(JF_OK, host.replace());
  host.subscribe(follower, "reasoning:s1");
  CHECK_EQUAL("{\"session\":" + std::string(kSession) + ",\"thoughts\":[" + thought(1, odd) +
                  "],\"branches\":{}}",
              host.last(follower, "session:snapshot"));
}

TEST(observatory_plugin, does_not_take_a_damaged_state_on_trust) {
  start_session();
  sent("reasoning:s1", "thought:added", added(1));
  sent("reasoning:s1", "thought:branched",
       "{\"thought\":" + thought(2) +
           ",\"parentId\":\"t1\",\"branchId\":\"b\",\"fromThoughtNumber\":1}");
  host.subscribe(follower, "reasoning:s1");
  const std::string snapshot = host.last(follower, "session:snapshot");
  const std::string state = expect_damaged_refused(host);
  host.subscribe(follower, "reasoning:s1");  // the old one goes on
  CHECK_EQUAL(snapshot, host.last(follower, "session:snapshot"));

  replace_with_altered(host, state, [this] {
    start_session();
    sent("reasoning:s1", "thought:added", added(3));
    host.subscribe(follower, "reasoning:s1");
    STRCMP_CONTAINS(thought(3).c_str(), host.last(follower, "session:snapshot").c_str());
    host.received(follower);
  });
}
