#include "plugins/chat/rooms.hpp"

#include <utility>

namespace chat {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The first `max` code points.
std::string_view first(std::string_view text, std::size_t max) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (is_continuation(text[at])) continue;
    if (max == 0) break;
    --max;
  }
  return text.substr(0, at);
}

}  // namespace

std::size_t length(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    if (!is_continuation(c)) ++count;
  }
  return count;
}

std::string clean_name(std::string_view name, std::size_t max) {
  const std::size_t from = name.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return "";
  name = name.substr(from, name.find_last_not_of(" \t\r\n") - from + 1);
  if (length(name) > max) return "";
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (c < 0x20 || c == 0x7F) return "";
    // U+0080 to U+009F are control characters too.
    if (c == 0xC2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xA0)
      return "";
  }
  return std::string(name);
}

void Rooms::limit(Limits limits) {
  limits_ = limits;
  limit_histories();
  while (rooms_.size() > limits_.rooms && close_an_empty_one()) {
  }
}

void Rooms::limit_histories() {
  for (auto each = rooms_.begin(); each != rooms_.end();) {
    while (each->second.history.size() > limits_.history_messages) forget_oldest(each);
    const bool gone = each->second.members.empty() && each->second.history.empty();
    each = gone ? erase(each) : std::next(each);
  }
  keep_within_bytes();
}

bool Rooms::close_an_empty_one() {
  auto chosen = rooms_.end();
  for (auto each = rooms_.begin(); each != rooms_.end(); ++each) {
    if (!each->second.members.empty()) continue;
    if (chosen == rooms_.end() || each->second.touched < chosen->second.touched) chosen = each;
  }
  if (chosen == rooms_.end()) return false;
  erase(chosen);
  return true;
}

// ---- what was said

namespace {

std::size_t cost(const Message& message) {
  return sizeof message + message.name.size() + message.text.size() + message.time.size();
}

}  // namespace

// One that is older than those there.
void Rooms::keep_older(std::map<std::string, Room>::iterator room, Message message) {
  std::deque<Message>& history = room->second.history;
  if (!history.empty()) oldest_.erase(history.front().id);
  oldest_.emplace(message.id, room);
  history_bytes_ += cost(message);
  history.push_front(std::move(message));
}

void Rooms::keep(std::map<std::string, Room>::iterator room, const Message& message) {
  std::deque<Message>& history = room->second.history;
  if (history.empty()) oldest_.emplace(message.id, room);
  history.push_back(message);
  history_bytes_ += cost(message);
  while (history.size() > limits_.history_messages) forget_oldest(room);
  keep_within_bytes();
}

void Rooms::keep_within_bytes() {
  while (history_bytes_ > limits_.history_bytes) {
    const auto room = oldest_.begin()->second;
    forget_oldest(room);
    if (room->second.members.empty() && room->second.history.empty()) erase(room);
  }
}

void Rooms::forget_oldest(std::map<std::string, Room>::iterator room) {
  std::deque<Message>& history = room->second.history;
  oldest_.erase(history.front().id);
  history_bytes_ -= cost(history.front());
  history.pop_front();
  if (!history.empty()) oldest_.emplace(history.front().id, room);
}

std::map<std::string, Rooms::Room>::iterator Rooms::erase(
    std::map<std::string, Room>::iterator room) {
  while (!room->second.history.empty()) forget_oldest(room);
  return rooms_.erase(room);
}

// ---- who is there

Rooms::Room* Rooms::open(const std::string& name) {
  const auto found = rooms_.find(name);
  if (found != rooms_.end()) return &found->second;
  while (rooms_.size() >= limits_.rooms) {
    if (!close_an_empty_one()) return nullptr;
  }
  return &rooms_[name];
}

std::string Rooms::free_name(const Room& room, std::string_view wish) const {
  const bool guest = wish.empty();
  if (!guest && room.names.count(std::string(wish)) == 0) return std::string(wish);
  for (std::size_t number = guest ? 1 : 2;; ++number) {
    const std::string suffix = " " + std::to_string(number);
    const std::size_t left =
        limits_.name_length > suffix.size() ? limits_.name_length - suffix.size() : 1;
    std::string name = std::string(first(guest ? "Guest" : wish, left)) + suffix;
    if (room.names.count(name) == 0) return name;
  }
}

std::optional<std::string> Rooms::join(const std::string& name, MemberId member,
                                       std::string_view wish) {
  Room* const room = open(name);
  if (room == nullptr) return std::nullopt;
  return enter(*room, member, wish);
}

std::string Rooms::adopt(const std::string& name, MemberId member, std::string_view had) {
  return enter(rooms_[name], member, had);
}

std::string Rooms::enter(Room& room, MemberId member, std::string_view wish) {
  room.touched = ++clock_;
  const auto held = room.members.find(member);
  if (held != room.members.end()) {
    if (wish.empty() || wish == held->second) return held->second;
    room.names.erase(held->second);
  }
  const std::string given = free_name(room, wish);
  room.names.insert(given);
  room.members[member] = given;
  return given;
}

std::optional<std::string> Rooms::leave(const std::string& name, MemberId member) {
  const auto room = rooms_.find(name);
  if (room == rooms_.end()) return std::nullopt;
  const auto held = room->second.members.find(member);
  if (held == room->second.members.end()) return std::nullopt;
  std::string was = std::move(held->second);
  room->second.names.erase(was);
  room->second.members.erase(held);
  room->second.touched = ++clock_;
  if (room->second.members.empty() && room->second.history.empty()) erase(room);
  return was;
}

Rooms::Renamed Rooms::rename(const std::string& name, MemberId member, const std::string& wish) {
  const auto room = rooms_.find(name);
  if (room == rooms_.end()) return Renamed::kNoMember;
  const auto held = room->second.members.find(member);
  if (held == room->second.members.end()) return Renamed::kNoMember;
  if (held->second == wish) return Renamed::kDone;
  if (!room->second.names.insert(wish).second) return Renamed::kTaken;
  room->second.names.erase(held->second);
  held->second = wish;
  return Renamed::kDone;
}

std::optional<std::string> Rooms::name_of(const std::string& name, MemberId member) const {
  const auto room = rooms_.find(name);
  if (room == rooms_.end()) return std::nullopt;
  const auto held = room->second.members.find(member);
  if (held == room->second.members.end()) return std::nullopt;
  return held->second;
}

std::optional<Message> Rooms::say(const std::string& name, MemberId member, std::string_view text,
                                  std::string_view time) {
  const std::optional<std::string> who = name_of(name, member);
  if (!who) return std::nullopt;
  const auto room = rooms_.find(name);
  room->second.touched = ++clock_;
  Message message{++last_message_, *who, std::string(text), std::string(time)};
  keep(room, message);
  return message;
}

std::vector<std::string> Rooms::members(const std::string& name) const {
  std::vector<std::string> all;
  const auto room = rooms_.find(name);
  if (room == rooms_.end()) return all;
  for (const auto& [member, member_name] : room->second.members) all.push_back(member_name);
  return all;
}

std::deque<Message> Rooms::history(const std::string& name) const {
  const auto room = rooms_.find(name);
  return room == rooms_.end() ? std::deque<Message>() : room->second.history;
}

}  // namespace chat
