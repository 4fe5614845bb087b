// The rooms of the chat: who is in them under which name, and what was said last. Plain values, no
// host: called from the plugin's loop only. Lengths are counted in code points.
#pragma once

#include <jackfield_json.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

using MemberId = std::uint64_t;  // a subscription's id: later members have greater ones

constexpr std::size_t kMaxTextLength = 1000000;  // greatest that limits may have
constexpr std::size_t kMaxNameLength = 256;

struct Limits {
  std::size_t history_messages = 100;    // a room
  std::size_t history_bytes = 16 << 20;  // all rooms together, about; the oldest messages go
  std::size_t rooms = 1000;
  std::size_t text_length = 2000;
  std::size_t name_length = 40;
};

struct Message {
  std::uint64_t id = 0;  // grows over all rooms, never used twice
  std::string name;
  std::string text;
  std::string time;  // ISO 8601
};

// How many code points UTF-8 has.
std::size_t length(std::string_view text);

// The name as it is kept, without white space around it; empty where it cannot be one: nothing
// left, longer than `max`, or with a control character in it.
std::string clean_name(std::string_view name, std::size_t max);

class Rooms {
 public:
  explicit Rooms(Limits limits) : limits_(limits) {}

  void limit(Limits limits);
  const Limits& limits() const { return limits_; }

  // Adds a member to a room, which is opened where it is new. The name is `wish`, or, where that is
  // taken, with a number behind it; without a wish "Guest" and a number. A member that is in
  // already keeps its name, unless it wishes another. Empty: there are too many rooms.
  std::optional<std::string> join(const std::string& room, MemberId member, std::string_view wish);

  // The same for one that was a member before, by the name that it had: never too many rooms.
  std::string adopt(const std::string& room, MemberId member, std::string_view name);

  // The name it had; empty: it is no member.
  std::optional<std::string> leave(const std::string& room, MemberId member);

  enum class Renamed { kDone, kTaken, kNoMember };
  Renamed rename(const std::string& room, MemberId member, const std::string& name);

  std::optional<std::string> name_of(const std::string& room, MemberId member) const;

  // Keeps what a member said; empty: it is no member.
  std::optional<Message> say(const std::string& room, MemberId member, std::string_view text,
                             std::string_view time);

  // In the order in which they joined.
  std::vector<std::string> members(const std::string& room) const;
  // The oldest first.
  std::deque<Message> history(const std::string& room) const;
  std::size_t size() const { return rooms_.size(); }
  // What the histories take, about, in octets.
  std::size_t history_bytes() const { return history_bytes_; }

  // ---- For the next generation of the plugin (rooms_state.cpp).

  struct State {
    std::string json;
    std::size_t left_out = 0;  // messages for which there was no place
  };
  // The histories, and the count of messages; not the members, whom the host knows. At most `max`
  // octets: the oldest messages are left out.
  State state(std::size_t max) const;
  // What `state` of another object gave. Nothing is known about who wrote it: gives the first
  // mistake, or an empty text. REQUIRES: there are no rooms yet; after a mistake, no more use.
  std::string restore(const jf::Json& state);

 private:
  struct Room {
    std::map<MemberId, std::string> members;
    std::set<std::string> names;
    std::deque<Message> history;
    std::uint64_t touched = 0;
  };

  // The room, opened where it is new; rooms without members may go for it. Null: too many.
  Room* open(const std::string& room);
  bool close_an_empty_one();
  std::string enter(Room& room, MemberId member, std::string_view wish);
  void keep(std::map<std::string, Room>::iterator room, const Message& message);
  void keep_older(std::map<std::string, Room>::iterator room, Message message);
  void limit_histories();
  void keep_within_bytes();
  void forget_oldest(std::map<std::string, Room>::iterator room);
  std::map<std::string, Room>::iterator erase(std::map<std::string, Room>::iterator room);
  std::string free_name(const Room& room, std::string_view wish) const;

  Limits limits_;
  std::map<std::string, Room> rooms_;
  // The oldest message of each room that has any, by its id.
  std::map<std::uint64_t, std::map<std::string, Room>::iterator> oldest_;
  std::size_t history_bytes_ = 0;
  std::uint64_t last_message_ = 0;
  std::uint64_t clock_ = 0;
};

}  // namespace chat
