// The chat's rooms: names, history, bounds.
#include <string>
#include <utility>
#include <vector>

#include "plugins/chat/rooms.hpp"

#include <CppUTest/TestHarness.h>

using chat::Limits;
using chat::Rooms;

namespace {

std::string joined(Rooms& rooms, chat::MemberId member, const char* wish) {
  return rooms.join("r", member, wish).value_or("(full)");
}

std::string texts(const Rooms& rooms, const std::string& room) {
  std::string all;
  for (const chat::Message& message : rooms.history(room)) all += message.text + " ";
  return all;
}

}  // namespace

TEST_GROUP(chat_rooms){};

TEST(chat_rooms, cleans_names) {
  CHECK_EQUAL(std::string("Ada L"), chat::clean_name(" \tAda L\n", 40));
  CHECK_EQUAL(std::string("\xC3\xA9\xC3\xA9"), chat::clean_name("\xC3\xA9\xC3\xA9", 2));
  CHECK_EQUAL(std::string(""), chat::clean_name("\xC3\xA9\xC3\xA9", 1));
  CHECK_EQUAL(std::string(""), chat::clean_name("  ", 40));
  CHECK_EQUAL(std::string(""), chat::clean_name("a\nb", 40));
  CHECK_EQUAL(std::string(""), chat::clean_name("a\x7F", 40));
  CHECK_EQUAL(std::string(""), chat::clean_name("a\xC2\x85", 40));
}

TEST(chat_rooms, gives_every_member_a_name_of_its_own) {
  Rooms rooms{Limits{}};
  CHECK_EQUAL(std::string("Ada"), joined(rooms, 1, "Ada"));
  CHECK_EQUAL(std::string("Ada 2"), joined(rooms, 2, "Ada"));
  CHECK_EQUAL(std::string("Ada 3"), joined(rooms, 3, "Ada"));
  CHECK_EQUAL(std::string("Guest 1"), joined(rooms, 4, ""));
  CHECK_EQUAL(std::string("Guest 2"), joined(rooms, 5, ""));
  rooms.leave("r", 2);
  CHECK_EQUAL(std::string("Ada 2"), joined(rooms, 6, "Ada"));
  CHECK_EQUAL(std::string("Ada"), rooms.join("other", 7, "Ada").value_or(""));
}

TEST(chat_rooms, a_name_with_a_number_stays_within_the_length) {
  Limits limits;
  limits.name_length = 5;
  Rooms rooms{limits};
  joined(rooms, 1, "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
  CHECK_EQUAL(std::string("\xC3\xA9\xC3\xA9\xC3\xA9 2"),
              joined(rooms, 2, "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"));
}

TEST(chat_rooms, who_joins_again_keeps_its_name_or_takes_a_new_one) {
  Rooms rooms{Limits{}};
  joined(rooms, 1, "Ada");
  CHECK_EQUAL(std::string("Ada"), joined(rooms, 1, ""));
  CHECK_EQUAL(std::string("Ada"), joined(rooms, 1, "Ada"));
  CHECK_EQUAL(std::string("Bob"), joined(rooms, 1, "Bob"));
  UNSIGNED_LONGS_EQUAL(1, rooms.members("r").size());
  CHECK_EQUAL(std::string("Ada"), joined(rooms, 2, "Ada"));
}

TEST(chat_rooms, renames_only_to_a_name_that_is_free) {
  Rooms rooms{Limits{}};
  joined(rooms, 1, "Ada");
  joined(rooms, 2, "Bob");
  CHECK_TRUE(rooms.rename("r", 2, "Ada") == Rooms::Renamed::kTaken);
  CHECK_TRUE(rooms.rename("r", 2, "Bob") == Rooms::Renamed::kDone);
  CHECK_TRUE(rooms.rename("r", 2, "Eve") == Rooms::Renamed::kDone);
  CHECK_TRUE(rooms.rename("r", 1, "Bob") == Rooms::Renamed::kDone);
  CHECK_TRUE(rooms.rename("r", 9, "Zoe") == Rooms::Renamed::kNoMember);
  CHECK_TRUE(rooms.rename("none", 1, "Zoe") == Rooms::Renamed::kNoMember);
}

TEST(chat_rooms, keeps_the_last_messages) {
  Limits limits;
  limits.history_messages = 2;
  Rooms rooms{limits};
  joined(rooms, 1, "Ada");
  CHECK_FALSE(rooms.say("r", 9, "x", "t").has_value());
  CHECK_FALSE(rooms.say("none", 1, "x", "t").has_value());
  for (const char* text : {"a", "b", "c"}) rooms.say("r", 1, text, "t");
  CHECK_EQUAL(std::string("b c "), texts(rooms, "r"));
  UNSIGNED_LONGS_EQUAL(3, rooms.history("r").back().id);
  rooms.join("s", 2, "Bob");
  UNSIGNED_LONGS_EQUAL(4, rooms.say("s", 2, "d", "t")->id);
}

TEST(chat_rooms, a_room_without_members_and_history_vanishes) {
  Rooms rooms{Limits{}};
  joined(rooms, 1, "Ada");
  rooms.leave("r", 1);
  UNSIGNED_LONGS_EQUAL(0, rooms.size());
  CHECK_FALSE(rooms.leave("r", 1).has_value());
  joined(rooms, 1, "Ada");
  rooms.say("r", 1, "a", "t");
  CHECK_EQUAL(std::string("Ada"), rooms.leave("r", 1).value_or(""));
  UNSIGNED_LONGS_EQUAL(1, rooms.size());
  CHECK_EQUAL(std::string("a "), texts(rooms, "r"));
}

TEST(chat_rooms, a_new_room_takes_the_place_of_the_longest_empty_one) {
  Limits limits;
  limits.rooms = 2;
  Rooms rooms{limits};
  for (const char* room : {"a", "b"}) {
    rooms.join(room, 1, "Ada");
    rooms.say(room, 1, "x", "t");
  }
  CHECK_FALSE(rooms.join("c", 2, "Bob").has_value());
  rooms.leave("b", 1);
  rooms.leave("a", 1);
  CHECK_TRUE(rooms.join("c", 2, "Bob").has_value());
  CHECK_EQUAL(std::string(""), texts(rooms, "b"));
  CHECK_EQUAL(std::string("x "), texts(rooms, "a"));
}

TEST(chat_rooms, smaller_limits_hold_at_once) {
  Rooms rooms{Limits{}};
  for (const char* room : {"a", "b", "c"}) {
    rooms.join(room, 1, "Ada");
    rooms.say(room, 1, "x", "t");
    rooms.say(room, 1, "y", "t");
    rooms.leave(room, 1);
  }
  Limits limits;
  limits.rooms = 2;
  limits.history_messages = 1;
  rooms.limit(limits);
  UNSIGNED_LONGS_EQUAL(2, rooms.size());
  CHECK_EQUAL(std::string("y "), texts(rooms, "c"));
  limits.history_messages = 0;
  rooms.limit(limits);
  UNSIGNED_LONGS_EQUAL(0, rooms.size());
}

TEST(chat_rooms, all_histories_together_are_bounded_and_the_oldest_messages_go) {
  Limits limits;
  limits.history_bytes = 20'000;
  Rooms rooms{limits};
  rooms.join("a", 1, "Ada");
  rooms.join("b", 2, "Bob");
  const std::string text(1000, 'x');
  for (int i = 0; i < 30; ++i) {
    rooms.say("a", 1, text, "t");
    if (i < 5) rooms.say("b", 2, text, "t");
  }
  CHECK(rooms.history_bytes() <= 20'000);
  CHECK(rooms.history("b").empty());  // what it had was older
  CHECK(rooms.history("a").size() > 10);
  LONGS_EQUAL(35, rooms.history("a").back().id);
  rooms.limit(Limits{});
  rooms.leave("b", 2);
  LONGS_EQUAL(1, rooms.size());
  limits.history_messages = 0;
  rooms.limit(limits);
  LONGS_EQUAL(0, rooms.history_bytes());
}

namespace {

std::string restored(Rooms& rooms, const std::string& state) {
  return rooms.restore(jf::Json(state));
}

std::string one_message(const std::string& message) {
  return "{\"lastMessage\":9,\"rooms\":[{\"room\":\"r\",\"touched\":1}],\"messages\":[" + message +
         "]}";
}

}  // namespace

TEST(chat_rooms, histories_go_on_in_another_object) {
  Rooms before{Limits{}};
  const std::string odd = "a\":\xC3\xA9\xED\xA0\xBD";  // with half of a surrogate pair
  before.join("r", 1, "Ada");
  before.join(odd, 2, odd);
  before.say("r", 1, "a", "t1");
  before.say(odd, 2, odd, "t2");
  before.say("r", 1, "b", "t3");
  Rooms after{Limits{}};
  const Rooms::State state = before.state(1 << 20);
  UNSIGNED_LONGS_EQUAL(0, state.left_out);
  CHECK_EQUAL(std::string(""), restored(after, state.json));
  UNSIGNED_LONGS_EQUAL(2, after.size());
  UNSIGNED_LONGS_EQUAL(before.history_bytes(), after.history_bytes());
  CHECK_EQUAL(std::string("a b "), texts(after, "r"));
  CHECK_EQUAL(odd + " ", texts(after, odd));
  CHECK_EQUAL(odd, after.history(odd)[0].name);
  CHECK_EQUAL(std::string("t2"), after.history(odd)[0].time);
  UNSIGNED_LONGS_EQUAL(3, after.history("r")[1].id);
  UNSIGNED_LONGS_EQUAL(0, after.members("r").size());
  CHECK_EQUAL(std::string("Ada"), after.adopt("r", 1, "Ada"));
  UNSIGNED_LONGS_EQUAL(4, after.say("r", 1, "c", "t4")->id);
  CHECK_EQUAL(std::string("a b c "), texts(after, "r"));
}

TEST(chat_rooms, the_count_of_messages_goes_on_without_any_history) {
  Limits limits;
  limits.history_messages = 0;
  Rooms before{limits};
  joined(before, 1, "Ada");
  before.say("r", 1, "a", "t");
  Rooms after{limits};
  CHECK_EQUAL(std::string(""), restored(after, before.state(1 << 20).json));
  UNSIGNED_LONGS_EQUAL(0, after.size());
  after.adopt("r", 1, "Ada");
  UNSIGNED_LONGS_EQUAL(2, after.say("r", 1, "b", "t")->id);
}

TEST(chat_rooms, a_state_leaves_out_the_oldest_messages) {
  Rooms before{Limits{}};
  joined(before, 1, "Ada");
  before.join("old", 2, "Bob");
  before.say("old", 2, "x", "t");
  for (int i = 0; i < 50; ++i) before.say("r", 1, std::string(20, '\x01'), "t");
  const Rooms::State state = before.state(4000);
  CHECK_TRUE(state.json.size() <= 4000);
  CHECK_TRUE(state.left_out > 1);
  Rooms after{Limits{}};
  CHECK_EQUAL(std::string(""), restored(after, state.json));
  CHECK_TRUE(after.history("old").empty());
  UNSIGNED_LONGS_EQUAL(51 - state.left_out, after.history("r").size());
  UNSIGNED_LONGS_EQUAL(51, after.history("r").back().id);
}

TEST(chat_rooms, restored_histories_keep_within_the_limits_of_now) {
  Rooms before{Limits{}};
  joined(before, 1, "Ada");
  for (int i = 0; i < 20; ++i) before.say("r", 1, std::to_string(10 + i), "t");
  Limits limits;
  limits.history_messages = 3;
  Rooms few{limits};
  CHECK_EQUAL(std::string(""), restored(few, before.state(1 << 20).json));
  CHECK_EQUAL(std::string("27 28 29 "), texts(few, "r"));
  limits = Limits{};
  limits.history_bytes = before.history_bytes() / 2;
  Rooms small{limits};
  CHECK_EQUAL(std::string(""), restored(small, before.state(1 << 20).json));
  CHECK_TRUE(small.history_bytes() <= limits.history_bytes);
  UNSIGNED_LONGS_EQUAL(10, small.history("r").size());
}

TEST(chat_rooms, no_room_goes_before_its_members_are_back) {
  Rooms before{Limits{}};
  for (const char* room : {"a", "b", "c"}) {
    before.join(room, 1, "Ada");
    before.say(room, 1, "x", "t");
  }
  before.leave("b", 1);
  before.leave("c", 1);
  Limits limits;
  limits.rooms = 2;
  Rooms after{limits};
  CHECK_EQUAL(std::string(""), restored(after, before.state(1 << 20).json));
  after.adopt("d", 5, "Dan");
  CHECK_EQUAL(std::string("Ada"), after.adopt("a", 1, "Ada"));
  UNSIGNED_LONGS_EQUAL(4, after.size());
  CHECK_FALSE(after.join("e", 6, "Eve").has_value());  // for which b and c went, and still none
  UNSIGNED_LONGS_EQUAL(2, after.size());
  CHECK_EQUAL(std::string("x "), texts(after, "a"));
}

TEST(chat_rooms, the_longest_empty_room_is_known_in_another_object) {
  Limits limits;
  limits.rooms = 2;
  Rooms before{limits};
  for (const char* room : {"a", "b"}) {
    before.join(room, 1, "Ada");
    before.say(room, 1, "x", "t");
  }
  before.leave("b", 1);
  before.leave("a", 1);
  Rooms after{limits};
  CHECK_EQUAL(std::string(""), restored(after, before.state(1 << 20).json));
  CHECK_TRUE(after.join("c", 2, "Bob").has_value());
  CHECK_EQUAL(std::string(""), texts(after, "b"));
  CHECK_EQUAL(std::string("x "), texts(after, "a"));
}

TEST(chat_rooms, an_adopted_member_keeps_a_name_that_is_longer_than_new_ones_may_be) {
  Limits limits;
  limits.name_length = 16;
  Rooms rooms{limits};
  const std::string name(30, 'n');
  CHECK_EQUAL(name, rooms.adopt("r", 1, name));
  CHECK_EQUAL(std::string("Guest 1"), rooms.adopt("r", 2, ""));
  CHECK_EQUAL(std::string(14, 'n') + " 2", rooms.adopt("r", 3, name));
}

TEST(chat_rooms, refuses_a_state_that_is_none) {
  const std::string good = R"({"room":0,"id":5,"name":"Ada","text":"x","time":"t"})";
  {
    Rooms rooms{Limits{}};
    CHECK_EQUAL(std::string(""), restored(rooms, one_message(good)));
  }
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "state: must be an object"},
      {"{}", "state.lastMessage: is required"},
      {R"({"lastMessage":0,"rooms":[{"room":"a","touched":1},{"room":"a","touched":2}],)"
       R"("messages":[]})",
       "state.rooms: has a room twice"},
      {R"({"lastMessage":0,"rooms":[{"room":")" + std::string(4097, 'a') +
           R"(","touched":1}],"messages":[]})",
       "state.rooms[0].room: must be part of a topic"},
      {one_message(R"({"room":1,"id":5,"name":"Ada","text":"x","time":"t"})"),
       "state.messages: one is of no room"},
      {one_message(R"({"room":0,"id":10,"name":"Ada","text":"x","time":"t"})"),
       "state.messages: must be from the newest to the oldest"},
      {one_message(good + "," + good), "state.messages: must be from the newest to the oldest"},
      {one_message(R"({"room":0,"id":5,"name":" Ada","text":"x","time":"t"})"),
       "state.messages[0].name: must be a name"},
      {one_message(R"({"room":0,"id":5,"name":")" + std::string(257, 'a') +
                   R"(","text":"x","time":"t"})"),
       "state.messages[0].name: must be a name"},
      {one_message(R"({"room":0,"id":5,"name":"Ada","text":"","time":"t"})"),
       "state.messages[0].text: must be a message's text"},
      {one_message(R"({"room":0,"id":5,"name":"Ada","text":")" + std::string(1000001, 'a') +
                   R"(","time":"t"})"),
       "state.messages[0].text: must be a message's text"},
      {one_message(R"({"room":0,"id":5,"name":"Ada","text":"x","time":")" + std::string(65, '0') +
                   R"("})"),
       "state.messages[0].time: must be a time"},
  };
  for (const auto& [state, mistake] : cases) {
    Rooms rooms{Limits{}};
    CHECK_EQUAL(mistake, restored(rooms, state));
  }
}
