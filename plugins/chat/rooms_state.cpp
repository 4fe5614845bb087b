// What of the rooms outlives one generation of the plugin, as JSON:
//
//     {"lastMessage":7,
//      "rooms":[{"room":"x","touched":3}, ...],
//      "messages":[{"room":0,"id":7,"name":"Ada","text":"hi","time":"..."}, ...]}
//
// A message's room is a place in the list of rooms; the newest message comes first.
#include <jackfield.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "plugins/chat/rooms.hpp"

namespace chat {
namespace {

constexpr std::int64_t kMaxNumber = std::int64_t{1} << 53;  // that a client reads exactly
constexpr std::size_t kMaxRoomName = 4096;                  // a topic's
constexpr std::size_t kMaxTime = 64;

bool is_room(std::string_view text) { return text.size() <= kMaxRoomName; }
bool is_name(std::string_view text) {
  return !text.empty() && clean_name(text, kMaxNameLength) == text;
}
bool is_text(std::string_view text) { return !text.empty() && length(text) <= kMaxTextLength; }
bool is_time(std::string_view text) { return text.size() <= kMaxTime; }

jf::Want shape() {
  namespace want = jf::want;
  const jf::Want room =
      want::object({{"room", want::string().passing(is_room, "be part of a topic")},
                    {"touched", want::integer(0, kMaxNumber)}});
  const jf::Want message =
      want::object({{"room", want::integer(0, kMaxNumber)},
                    {"id", want::integer(1, kMaxNumber)},
                    {"name", want::string().passing(is_name, "be a name")},
                    {"text", want::string().passing(is_text, "be a message's text")},
                    {"time", want::string().passing(is_time, "be a time")}});
  return want::object({{"lastMessage", want::integer(0, kMaxNumber)},
                       {"rooms", want::list(room)},
                       {"messages", want::list(message)}});
}

std::uint64_t number(const jf::Json& json) {
  return static_cast<std::uint64_t>(json.integer().value_or(0));
}

}  // namespace

Rooms::State Rooms::state(std::size_t max) const {
  using Entry = std::map<std::string, Room>::const_iterator;
  std::vector<std::pair<const Message*, Entry>> newest;
  for (auto room = rooms_.begin(); room != rooms_.end(); ++room) {
    for (const Message& message : room->second.history) newest.emplace_back(&message, room);
  }
  std::sort(newest.begin(), newest.end(),
            [](const auto& a, const auto& b) { return a.first->id > b.first->id; });

  State result;
  std::map<const Room*, std::size_t> places;
  jf::JsonWriter rooms;
  jf::JsonWriter messages;
  rooms.array();
  messages.array();
  std::size_t written = 0;
  for (const auto& [message, entry] : newest) {
    // What the two can take at most: each octet of a text becomes six at most.
    const std::size_t next = 6 * (entry->first.size() + message->name.size() +
                                  message->text.size() + message->time.size()) +
                             256;
    if (rooms.str().size() + messages.str().size() + next > max) break;
    const auto [place, is_new] = places.try_emplace(&entry->second, places.size());
    if (is_new) {
      rooms.object().field("room", entry->first).field("touched", entry->second.touched).end();
    }
    messages.object()
        .field("room", place->second)
        .field("id", message->id)
        .field("name", message->name)
        .field("text", message->text)
        .field("time", message->time)
        .end();
    ++written;
  }
  result.left_out = newest.size() - written;
  result.json = jf::JsonWriter()
                    .object()
                    .field("lastMessage", last_message_)
                    .raw_field("rooms", rooms.end().str())
                    .raw_field("messages", messages.end().str())
                    .end()
                    .take();
  return result;
}

std::string Rooms::restore(const jf::Json& state) {
  std::string mistake = shape().check(state, "state");
  if (!mistake.empty()) return mistake;
  std::vector<std::map<std::string, Room>::iterator> places;
  for (const jf::Json& each : state["rooms"].elements()) {
    const auto [room, is_new] = rooms_.try_emplace(each["room"].string().value_or(""));
    if (!is_new) return "state.rooms: has a room twice";
    room->second.touched = number(each["touched"]);
    clock_ = std::max(clock_, room->second.touched);
    places.push_back(room);
  }
  last_message_ = number(state["lastMessage"]);
  std::uint64_t before = last_message_ + 1;
  for (const jf::Json& each : state["messages"].elements()) {
    const std::uint64_t place = number(each["room"]);
    Message message{number(each["id"]), each["name"].string().value_or(""),
                    each["text"].string().value_or(""), each["time"].string().value_or("")};
    if (place >= places.size()) return "state.messages: one is of no room";
    if (message.id >= before) return "state.messages: must be from the newest to the oldest";
    before = message.id;
    keep_older(places[static_cast<std::size_t>(place)], std::move(message));
  }
  // How many rooms there may be is seen to when one is opened: who is where is not known yet.
  limit_histories();
  return "";
}

}  // namespace chat
