// The echo plugin, from its shared object.
#include <string>

#include "tests/support/fake_host.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::test::FakeHost;
using jackfield::test::PluginFile;

TEST_GROUP(echo_plugin) {
  PluginFile file{"echo"};
  FakeHost host{file.table()};

  void setup() override { LONGS_EQUAL(JF_OK, host.start()); }
  void teardown() override {
    host.stop();
    UNSIGNED_LONGS_EQUAL(0, host.faults().size());
  }
};

TEST(echo_plugin, has_one_pattern_and_says_what_it_is) {
  UNSIGNED_LONGS_EQUAL(1, host.patterns().size());
  CHECK_EQUAL(std::string("echo:<name>"), host.patterns()[0]);
  CHECK_EQUAL(std::string("echo"), std::string(file.table().name.data, file.table().name.size));
}

TEST(echo_plugin, counts_the_one_who_joins_in_the_snapshot) {
  const jf_id a = host.connect();
  const jf_id b = host.connect();
  host.subscribe(a, "echo:x", "{\"id\":\"s\"}");
  CHECK_EQUAL(std::string("echo:x subscribed {\"id\":\"s\"}\n"
                          "echo:x snapshot {\"name\":\"x\",\"subscribers\":1}"),
              host.heard(a));
  host.subscribe(b, "echo:x");
  CHECK_EQUAL(std::string("{\"name\":\"x\",\"subscribers\":2}"), host.last(b, "snapshot"));
  host.close(a);
  host.subscribe(host.connect(), "echo:x");
  host.received(b);
  host.subscribe(b, "echo:y");
  CHECK_EQUAL(std::string("{\"name\":\"y\",\"subscribers\":1}"), host.last(b, "snapshot"));
}

TEST(echo_plugin, does_not_count_twice_who_joins_again) {
  const jf_id a = host.connect();
  host.subscribe(a, "echo:x");
  host.subscribe(host.connect(), "echo:x");
  host.subscribe(a, "echo:x");
  CHECK_EQUAL(std::string("{\"name\":\"x\",\"subscribers\":2}"), host.last(a, "snapshot"));
  host.unsubscribe(a, "echo:x");
  host.subscribe(a, "echo:x");
  CHECK_EQUAL(std::string("{\"name\":\"x\",\"subscribers\":2}"), host.last(a, "snapshot"));
}

TEST(echo_plugin, nobody_sees_that_it_is_replaced) {
  const jf_id a = host.connect();
  const jf_id b = host.connect();
  host.subscribe(a, "echo:x");
  host.subscribe(b, "echo:x");
  host.received(a);
  host.received(b);
  LONGS_EQUAL(JF_OK, host.replace());
  host.send(a, "echo:x", "say", "{\"text\":\"hi\"}");
  CHECK_EQUAL(std::string("echo:x said {\"text\":\"hi\"}"), host.heard(a));
  CHECK_EQUAL(std::string("echo:x said {\"text\":\"hi\"}"), host.heard(b));
  host.subscribe(a, "echo:x");  // still counted once
  CHECK_EQUAL(std::string("{\"name\":\"x\",\"subscribers\":2}"), host.last(a, "snapshot"));
}

TEST(echo_plugin, refuses_the_state_of_another_version) {
  LONGS_EQUAL(JF_E_STATE, host.replace_with_state(1, "{}"));
  CHECK_EQUAL(std::string("1 a state, of which this version knows nothing"), host.log().back());
  const jf_id a = host.connect();
  host.send(a, "echo:x", "echo", "1");
  CHECK_EQUAL(std::string("echo:x echoed 1"), host.heard(a));
}

TEST(echo_plugin, quotes_the_name) {
  const jf_id a = host.connect();
  host.subscribe(a, "echo:a\"\\\n\xED\xA0\xBD");
  CHECK_EQUAL(std::string("{\"name\":\"a\\\"\\\\\\n\\ud83d\",\"subscribers\":1}"),
              host.last(a, "snapshot"));
  host.subscribe(a, "echo:");
  CHECK_EQUAL(std::string("{\"name\":\"\",\"subscribers\":1}"), host.last(a, "snapshot"));
}

TEST(echo_plugin, echoes_the_very_payload_to_the_sender_only) {
  const jf_id a = host.connect();
  const jf_id b = host.connect();
  host.subscribe(b, "echo:x");
  host.received(b);
  host.send(a, "echo:x", "echo", "{\"n\": 12345678901234567890.10, \"a\":[ ]}");
  CHECK_EQUAL(std::string("echo:x echoed {\"n\": 12345678901234567890.10, \"a\":[ ]}"),
              host.heard(a));
  CHECK_EQUAL(std::string(""), host.heard(b));
}

TEST(echo_plugin, broadcasts_what_is_said_with_the_very_payload) {
  const jf_id a = host.connect();
  const jf_id b = host.connect();
  host.subscribe(b, "echo:x");
  host.received(b);
  host.send(a, "echo:x", "say", "{\"text\":\"hi\",  \"n\":1.0}");
  CHECK_EQUAL(std::string("echo:x said {\"text\":\"hi\",  \"n\":1.0}"), host.heard(b));
  CHECK_EQUAL(std::string(""), host.heard(a));
}

TEST(echo_plugin, refuses_what_has_no_text) {
  const jf_id a = host.connect();
  for (const char* payload :
       {"null", "[]", "\"text\"", "{}", "{\"text\":5}", "{\"text\":\"a\",\"text\":null}"}) {
    host.send(a, "echo:x", "say", payload);
    const std::string heard = host.heard(a);
    STRCMP_CONTAINS("echo:x error {\"code\":\"INVALID_PAYLOAD\",\"message\":\"", heard.c_str());
  }
}

TEST(echo_plugin, fails_when_asked_to) {
  const jf_id a = host.connect();
  host.send(a, "echo:x", "fail");
  CHECK_EQUAL(std::string("echo:x error {\"code\":\"INTERNAL_ERROR\",\"message\":\"boom failed\"}"),
              host.heard(a));
  host.send(a, "echo:x", "unknown");
  CHECK_EQUAL(std::string(""), host.heard(a));
}
