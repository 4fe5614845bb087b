// The chat plugin, from its shared object.
#include <jackfield_json.hpp>

#include <string>
#include <vector>

#include "tests/support/fake_host_damaged.hpp"
#include "tests/support/fake_host.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::test::expect_damaged_refused;
using jackfield::test::FakeHost;
using jackfield::test::PluginFile;
using jackfield::test::replace_with_altered;

TEST_GROUP(chat_plugin) {
  PluginFile file{"chat"};
  FakeHost host{file.table()};
  jf_id ada = 0;
  jf_id bob = 0;

  void setup() override {
    LONGS_EQUAL(JF_OK, host.start());
    ada = host.connect();
    bob = host.connect();
  }
  void teardown() override {
    host.stop();
    UNSIGNED_LONGS_EQUAL(0, host.faults().size());
  }
  void both_join() {
    host.subscribe(ada, "room:x", "{\"name\":\"Ada\"}");
    host.subscribe(bob, "room:x", "{\"name\":\"Bob\"}");
    host.received(ada);
    host.received(bob);
  }
  std::string error(const std::string& code, const std::string& message) const {
    return "room:x error {\"code\":\"" + code + "\",\"message\":\"" + message + "\"}";
  }
};

TEST(chat_plugin, shows_the_room_to_who_joins_and_tells_the_others) {
  host.subscribe(ada, "room:x", "{\"name\":\"Ada\"}");
  CHECK_EQUAL(std::string("room:x subscribed {}\nroom:x snapshot {\"room\":\"x\",\"name\":\"Ada\","
                          "\"members\":[\"Ada\"],\"history\":[]}"),
              host.heard(ada));
  host.subscribe(bob, "room:x", "{\"name\":\" Bob \"}");
  CHECK_EQUAL(std::string("{\"room\":\"x\",\"name\":\"Bob\",\"members\":[\"Ada\",\"Bob\"],"
                          "\"history\":[]}"),
              host.last(bob, "snapshot"));
  CHECK_EQUAL(std::string(""), host.last(bob, "joined"));
  const std::string joined = host.last(ada, "joined");
  CHECK_EQUAL(std::string("\"Bob\""), std::string(jf::Json(joined)["name"].raw()));
}

TEST(chat_plugin, no_payload_fails_a_subscribe) {
  for (const char* payload :
       {"null", "5", "{\"name\":5}", "{\"name\":\"\"}", "{\"name\":\"a\\nb\"}"}) {
    const jf_id client = host.connect();
    host.subscribe(client, "room:x", payload);
    const std::string snapshot = host.last(client, "snapshot");
    STRCMP_CONTAINS("\"name\":\"Guest ", snapshot.c_str());
  }
}

TEST(chat_plugin, says_to_everybody_and_keeps_it_for_those_who_come_later) {
  both_join();
  host.send(ada, "room:x", "say", "{\"text\":\"hi \\ud83d\\ude00 \\ud83d\"}");
  const std::string said = host.last(bob, "said");
  CHECK_EQUAL(said, host.last(ada, "said"));
  const jf::Json json(said);
  CHECK_EQUAL(std::string("1"), std::string(json["id"].raw()));
  CHECK_EQUAL(std::string("\"Ada\""), std::string(json["name"].raw()));
  CHECK_EQUAL(std::string("\"hi \xF0\x9F\x98\x80 \\ud83d\""), std::string(json["text"].raw()));
  UNSIGNED_LONGS_EQUAL(24, json["time"].string().value_or("").size());
  const jf_id late = host.connect();
  host.subscribe(late, "room:x");
  CHECK_EQUAL(
      "{\"room\":\"x\",\"name\":\"Guest 1\",\"members\":[\"Ada\",\"Bob\",\"Guest 1\"],"
      "\"history\":[" +
          said + "]}",
      host.last(late, "snapshot"));
}

TEST(chat_plugin, joining_again_shows_the_room_again_without_a_notice) {
  both_join();
  host.subscribe(bob, "room:x");
  CHECK_EQUAL(std::string("{\"room\":\"x\",\"name\":\"Bob\",\"members\":[\"Ada\",\"Bob\"],"
                          "\"history\":[]}"),
              host.last(bob, "snapshot"));
  CHECK_EQUAL(std::string(""), host.heard(ada));
  host.subscribe(bob, "room:x", "{\"name\":\"Bert\"}");
  STRCMP_CONTAINS("{\"from\":\"Bob\",\"to\":\"Bert\"", host.last(ada, "renamed").c_str());
}

TEST(chat_plugin, tells_the_others_who_leaves) {
  both_join();
  host.unsubscribe(bob, "room:x");
  STRCMP_CONTAINS("{\"name\":\"Bob\",\"time\":", host.last(ada, "left").c_str());
  CHECK_EQUAL(std::string(""), host.last(bob, "left"));
  host.send(ada, "room:x", "who");
  CHECK_EQUAL(std::string("{\"room\":\"x\",\"members\":[\"Ada\"]}"), host.last(ada, "members"));
}

TEST(chat_plugin, does_not_announce_that_the_server_stops) {
  both_join();
  host.stop();
  CHECK_EQUAL(std::string(""), host.heard(ada) + host.heard(bob));
}

TEST(chat_plugin, renames_and_refuses_a_name_that_is_taken) {
  both_join();
  host.send(bob, "room:x", "name", "{\"name\":\"Eve\"}");
  STRCMP_CONTAINS("{\"from\":\"Bob\",\"to\":\"Eve\"", host.last(ada, "renamed").c_str());
  host.received(bob);
  host.send(bob, "room:x", "name", "{\"name\":\"Ada\"}");
  CHECK_EQUAL(error("NAME_TAKEN", "Somebody in the room is called Ada"), host.heard(bob));
  host.send(bob, "room:x", "name", "{\"name\":\" \"}");
  STRCMP_CONTAINS("INVALID_PAYLOAD", host.heard(bob).c_str());
  host.send(bob, "room:x", "name", "{}");
  CHECK_EQUAL(error("INVALID_PAYLOAD", "name: is required"), host.heard(bob));
}

TEST(chat_plugin, only_members_speak) {
  host.subscribe(ada, "room:x");
  host.received(ada);
  for (const char* event : {"say", "name"}) {
    host.send(bob, "room:x", event, "{\"text\":\"hi\",\"name\":\"Bob\"}");
    CHECK_EQUAL(error("FORBIDDEN", "Only who has subscribed to the room may do that"),
                host.heard(bob));
  }
  CHECK_EQUAL(std::string(""), host.heard(ada));
  host.send(bob, "room:x", "who");
  CHECK_EQUAL(std::string("room:x members {\"room\":\"x\",\"members\":[\"Guest 1\"]}"),
              host.heard(bob));
}

TEST(chat_plugin, refuses_text_that_is_empty_or_too_long) {
  host.stop();
  LONGS_EQUAL(JF_OK, host.start("{\"text_length\":3}"));
  both_join();
  host.send(ada, "room:x", "say", "{\"text\":\"\xC3\xA9\xC3\xA9\xC3\xA9\"}");
  STRCMP_CONTAINS("said", host.heard(ada).c_str());
  for (const char* payload : {"{\"text\":\"\"}", "{\"text\":\"abcd\"}"}) {
    host.send(ada, "room:x", "say", payload);
    CHECK_EQUAL(error("INVALID_PAYLOAD", "text: must have from 1 to 3 characters"),
                host.heard(ada));
  }
  host.send(ada, "room:x", "say", "{\"text\":5}");
  CHECK_EQUAL(error("INVALID_PAYLOAD", "text: must be a string"), host.heard(ada));
}

TEST(chat_plugin, refuses_a_room_too_many) {
  host.stop();
  LONGS_EQUAL(JF_OK, host.start("{\"rooms\":1}"));
  host.subscribe(ada, "room:x");
  host.received(ada);
  host.subscribe(ada, "room:y");
  CHECK_EQUAL(std::string("room:y error {\"code\":\"LIMIT_EXCEEDED\",\"message\":"
                          "\"There are too many rooms\"}"),
              host.heard(ada));
  host.unsubscribe(ada, "room:x");
  host.received(ada);
  host.subscribe(ada, "room:y");
  STRCMP_CONTAINS("subscribed", host.heard(ada).c_str());
}

TEST(chat_plugin, says_what_is_wrong_with_its_configuration) {
  FakeHost other(file.table());
  CHECK_TRUE(other.start("{\"history\":5}") < 0);
  STRCMP_CONTAINS("history: is not known", other.log()[0].c_str());
}

TEST(chat_plugin, nobody_sees_that_it_is_replaced) {
  both_join();
  const jf_id guest = host.connect();
  host.subscribe(guest, "room:x");
  host.send(bob, "room:x", "name", "{\"name\":\"Eve\"}");
  host.send(ada, "room:x", "say", "{\"text\":\"hi\"}");
  const std::string said = host.last(bob, "said");
  for (const jf_id each : {ada, bob, guest}) host.received(each);

  for (int i = 0; i < 3; ++i) LONGS_EQUAL(JF_OK, host.replace());
  for (const jf_id each : {ada, bob, guest}) CHECK_EQUAL(std::string(""), host.heard(each));

  const jf_id late = host.connect();
  host.subscribe(late, "room:x", "{\"name\":\"Eve\"}");
  CHECK_EQUAL(
      "{\"room\":\"x\",\"name\":\"Eve 2\",\"members\":[\"Ada\",\"Eve\",\"Guest 1\",\"Eve 2\"],"
      "\"history\":[" +
          said + "]}",
      host.last(late, "snapshot"));
  host.received(ada);
  host.send(bob, "room:x", "say", "{\"text\":\"still here\"}");
  STRCMP_CONTAINS("{\"id\":2,\"name\":\"Eve\",", host.last(ada, "said").c_str());
  host.close(guest);
  STRCMP_CONTAINS("{\"name\":\"Guest 1\",", host.last(ada, "left").c_str());
}

TEST(chat_plugin, who_leaves_while_it_is_replaced_is_told_to_the_others) {
  both_join();
  FakeHost::Replacement how;
  how.after_save = [this](std::uint32_t&, std::string&) {
    host.close(bob);
    host.send(ada, "room:x", "say", "{\"text\":\"Bob?\"}");
  };
  LONGS_EQUAL(JF_OK, host.replace(how));
  const std::vector<std::string> heard = host.received(ada);
  UNSIGNED_LONGS_EQUAL(2, heard.size());
  STRCMP_CONTAINS("room:x left {\"name\":\"Bob\",", heard[0].c_str());
  STRCMP_CONTAINS("room:x said {\"id\":1,\"name\":\"Ada\",\"text\":\"Bob?\"", heard[1].c_str());
  host.send(ada, "room:x", "who");
  CHECK_EQUAL(std::string("{\"room\":\"x\",\"members\":[\"Ada\"]}"), host.last(ada, "members"));
}

TEST(chat_plugin, a_replacement_with_smaller_limits_takes_all_members_over) {
  both_join();
  host.subscribe(ada, "room:y", "{\"name\":\"a name of twenty\"}");
  host.send(ada, "room:x", "say", "{\"text\":\"one\"}");
  host.send(ada, "room:x", "say", "{\"text\":\"two\"}");
  host.received(ada);
  host.received(bob);
  FakeHost::Replacement how;
  how.config = "{\"rooms\":1,\"name_length\":16,\"history_messages\":1,\"text_length\":1}";
  LONGS_EQUAL(JF_OK, host.replace(how));
  CHECK_EQUAL(std::string(""), host.heard(ada) + host.heard(bob));
  host.send(ada, "room:y", "who");
  CHECK_EQUAL(std::string("{\"room\":\"y\",\"members\":[\"a name of twenty\"]}"),
              host.last(ada, "members"));
  host.subscribe(bob, "room:x");
  STRCMP_CONTAINS("\"history\":[{\"id\":2,", host.last(bob, "snapshot").c_str());
}

TEST(chat_plugin, does_not_take_a_damaged_state_on_trust) {
  both_join();
  host.send(ada, "room:x", "say", "{\"text\":\"hi\"}");
  const std::string said = host.last(ada, "said");
  const std::string state = expect_damaged_refused(host);
  host.received(bob);
  host.subscribe(bob, "room:x");  // the old one goes on
  CHECK_EQUAL("{\"room\":\"x\",\"name\":\"Bob\",\"members\":[\"Ada\",\"Bob\"],\"history\":[" +
                  said + "]}",
              host.last(bob, "snapshot"));

  replace_with_altered(host, state, [this] {
    host.send(ada, "room:x", "say", "{\"text\":\"hi\"}");
    CHECK_TRUE(!host.last(bob, "said").empty());
    host.received(ada);
    host.received(bob);
  });
}
