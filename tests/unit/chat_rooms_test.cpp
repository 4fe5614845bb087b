// The chat's rooms: names, history, bounds.
#include <string>

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
