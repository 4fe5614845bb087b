// The chat plugin: rooms, over `room:<room>`. Whoever subscribes is in the room, under a name of
// its own (the payload {"name":"Ada"}, else a guest's) that nobody else in the room has. What it
// says is broadcast and kept for those who come later, bounded. README.md in this folder has the
// messages.
#include <jackfield.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "plugins/chat/rooms.hpp"

namespace chat {
namespace {

constexpr const char* kNameTaken = "NAME_TAKEN";
constexpr std::uint32_t kStateVersion = 1;

Limits read_limits(const jf::Json& config) {
  namespace want = jf::want;
  jf::Plugin::require(config,
                      want::object({{"history_messages", want::integer(0, 100000).optional()},
                                    {"history_bytes", want::integer(0, 1 << 30).optional()},
                                    {"rooms", want::integer(1, 1000000).optional()},
                                    {"text_length", want::integer(1, kMaxTextLength).optional()},
                                    {"name_length", want::integer(16, kMaxNameLength).optional()}})
                          .closed());
  Limits limits;
  const auto read = [&config](const char* key, std::size_t& to) {
    if (const auto value = config[key].integer()) to = static_cast<std::size_t>(*value);
  };
  read("history_messages", limits.history_messages);
  read("history_bytes", limits.history_bytes);
  read("rooms", limits.rooms);
  read("text_length", limits.text_length);
  read("name_length", limits.name_length);
  return limits;
}

void write(jf::JsonWriter& writer, const Message& message) {
  writer.object()
      .field("id", message.id)
      .field("name", message.name)
      .field("text", message.text)
      .field("time", message.time)
      .end();
}

jf::JsonWriter notice(const std::string& name) {
  jf::JsonWriter writer;
  writer.object().field("name", name).field("time", jf::iso_time()).end();
  return writer;
}

jf::Error not_a_member() {
  return jf::Error(jf::kForbidden, "Only who has subscribed to the room may do that");
}

class Chat : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    configure(start.config);
    if (const jf::Json state = start.json_state_of(kStateVersion)) {
      const std::string mistake = rooms_.restore(state);
      if (!mistake.empty()) start.refuse(mistake);
    }
    namespace want = jf::want;
    channel("room:<room>")
        .on_join([this](jf::Join& join) { enter(join); })
        .on("say", want::object({{"text", want::string()}}),
            [this](jf::Event& event) { say(event); })
        .on("name", want::object({{"name", want::string()}}),
            [this](jf::Event& event) { rename(event); })
        .on("who",
            [this](jf::Event& event) {
              jf::JsonWriter writer;
              writer.object().field("room", event.param("room")).key("members");
              write_members(writer, room_of(event));
              event.push("members", writer.end());
            })
        .on_leave([this](const jf::Leave& leave) { exit(leave); })
        .on_adopt([this](jf::Adopt& adopt) {
          // It goes on under the name that the generation before has kept with it, also where that
          // is longer than a new one may be.
          const std::string had = clean_name(adopt.get(), kMaxNameLength);
          adopt.set(rooms_.adopt(room_of(adopt), adopt.subscription(), had));
        });
  }

  void configure(const jf::Json& config) override { rooms_.limit(read_limits(config)); }

  std::uint32_t save(std::string& state) override {
    Rooms::State saved = rooms_.state(jf::kMaxState);
    if (saved.left_out > 0) {
      log_warning("the oldest messages are not handed over", {{"messages", saved.left_out}});
    }
    state = std::move(saved.json);
    return kStateVersion;
  }

 private:
  static std::string room_of(const jf::Request& request) {
    return std::string(request.param("room"));
  }

  // A name that cannot be one does not refuse anybody (no payload fails a subscribe): who has it
  // enters as a guest, and reads its name in the snapshot.
  void enter(jf::Join& join) {
    const std::string room = room_of(join);
    const std::string wish =
        clean_name(join.payload()["name"].string().value_or(""), rooms_.limits().name_length);
    const std::optional<std::string> before = rooms_.name_of(room, join.subscription());
    const std::optional<std::string> name = rooms_.join(room, join.subscription(), wish);
    if (!name) throw jf::Error(jf::kLimitExceeded, "There are too many rooms");
    join.set(*name);

    jf::JsonWriter writer;
    writer.object().field("room", join.param("room")).field("name", *name).key("members");
    write_members(writer, room);
    writer.key("history").array();
    for (const Message& message : rooms_.history(room)) write(writer, message);
    join.push("snapshot", writer.end().end());

    if (!before) {
      join.broadcast_others("joined", notice(*name));
    } else if (*before != *name) {
      tell_renamed(join, *before, *name);
    }
  }

  void exit(const jf::Leave& leave) {
    const std::optional<std::string> name = rooms_.leave(room_of(leave), leave.subscription());
    // At the end of all of it, nobody has to hear that everybody leaves.
    const bool all = leave.reason() == JF_LEAVE_SHUTDOWN || leave.reason() == JF_LEAVE_UNLOADED;
    if (name && !all) broadcast(leave.topic(), "left", notice(*name), leave.subscription());
  }

  void say(jf::Event& event) {
    const std::string text = event.payload()["text"].string().value_or("");
    if (text.empty() || length(text) > rooms_.limits().text_length) {
      throw jf::Error(jf::kInvalidPayload, "text: must have from 1 to " +
                                               std::to_string(rooms_.limits().text_length) +
                                               " characters");
    }
    const std::optional<Message> message =
        rooms_.say(room_of(event), event.subscription(), text, jf::iso_time());
    if (!message) throw not_a_member();
    jf::JsonWriter writer;
    write(writer, *message);
    event.broadcast("said", writer);
  }

  void rename(jf::Event& event) {
    const std::string room = room_of(event);
    const std::string wish =
        clean_name(event.payload()["name"].string().value_or(""), rooms_.limits().name_length);
    if (wish.empty()) {
      throw jf::Error(jf::kInvalidPayload, "name: must have from 1 to " +
                                               std::to_string(rooms_.limits().name_length) +
                                               " characters, none of them a control character");
    }
    const std::optional<std::string> before = rooms_.name_of(room, event.subscription());
    if (!before) throw not_a_member();
    if (rooms_.rename(room, event.subscription(), wish) == Rooms::Renamed::kTaken) {
      throw jf::Error(kNameTaken, "Somebody in the room is called " + wish);
    }
    event.set(wish);
    tell_renamed(event, *before, wish);
  }

  static void tell_renamed(const jf::Call& call, const std::string& from, const std::string& to) {
    call.broadcast("renamed", jf::JsonWriter()
                                  .object()
                                  .field("from", from)
                                  .field("to", to)
                                  .field("time", jf::iso_time())
                                  .end());
  }

  void write_members(jf::JsonWriter& writer, const std::string& room) const {
    writer.array();
    for (const std::string& name : rooms_.members(room)) writer.value(name);
    writer.end();
  }

  Rooms rooms_{Limits{}};
};

}  // namespace
}  // namespace chat

JACKFIELD_PLUGIN(chat::Chat, "chat", "1.0.0", "Rooms to talk in, with names and a history", "MIT")
