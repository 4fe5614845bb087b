// The observatory plugin: reasoning followed live, over the channels `observatory` and
// `reasoning:<sessionId>`. What it keeps is in store.hpp, what payloads look like in shapes.hpp;
// here is who may do what, and who is told.
#include <jackfield.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "plugins/observatory/shapes.hpp"
#include "plugins/observatory/store.hpp"

namespace observatory {
namespace {

constexpr std::uint32_t kStateVersion = 1;

// Who may send producer events.
struct Producers {
  bool local = true;  // connections from this machine
  bool any = false;
  std::set<std::string> identities;
};

struct Settings {
  Producers producers;
  Limits limits;
};

Producers read_producers(const jf::Json& json) {
  Producers producers;
  if (!json.exists() || json.equals("local")) return producers;
  producers.local = false;
  producers.any = json.equals("any");
  if (producers.any) return producers;
  const std::string mistake = jf::want::list(jf::want::string()).check(json, "producers");
  if (!mistake.empty()) {
    throw jf::Error(jf::kInvalidPayload,
                    "configuration: producers: must be \"local\", \"any\" or a list of identities");
  }
  for (const jf::Json& identity : json.elements()) {
    producers.identities.insert(identity.string().value_or(""));
  }
  return producers;
}

Settings read_settings(const jf::Json& config) {
  jf::Plugin::require(config, configuration());
  Settings settings;
  settings.producers = read_producers(config["producers"]);
  const auto read = [&config](const char* key, std::size_t& to) {
    if (const auto value = config[key].integer()) to = static_cast<std::size_t>(*value);
  };
  read("max_sessions", settings.limits.max_sessions);
  read("max_thoughts_per_session", settings.limits.max_thoughts);
  read("max_session_bytes", settings.limits.max_session_bytes);
  read("max_bytes", settings.limits.max_bytes);
  return settings;
}

std::string text_of(const jf::Json& json) { return json.string().value_or(""); }

class Observatory : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    configure(start.config);
    if (const jf::Json state = start.json_state_of(kStateVersion)) {
      const std::string mistake = store_.restore(state);
      if (!mistake.empty()) start.refuse(mistake);
    }
    open_observatory(channel("observatory"));
    open_reasoning(channel("reasoning:<sessionId>"));
  }

  void configure(const jf::Json& config) override {
    Settings settings = read_settings(config);
    producers_ = std::move(settings.producers);
    store_.limit(settings.limits);
  }

  std::uint32_t save(std::string& state) override {
    Store::State saved = store_.state(jf::kMaxState);
    if (saved.left_out > 0) {
      log_warning("sessions are not handed over: too large", {{"sessions", saved.left_out}});
    }
    state = std::move(saved.json);
    return kStateVersion;
  }

 private:
  using EventFunction = std::function<void(jf::Event&)>;

  void open_observatory(jf::Channel& channel) {
    channel.on_join([this](jf::Join& join) { join.push("sessions:active", active()); });
    channel.on("list:active", jf::want::object(),
               [this](jf::Event& event) { event.push("sessions:active", active()); });
    channel.on("list:sessions", list_sessions(), [this](jf::Event& event) {
      const jf::Json payload = event.payload();
      const std::string status = payload["status"].string().value_or("all");
      const auto limit = static_cast<std::size_t>(payload["limit"].integer().value_or(50));
      // An offset too large for the number is behind every list as well.
      const auto offset = payload["offset"].exists()
                              ? static_cast<std::size_t>(payload["offset"].integer().value_or(
                                    std::numeric_limits<std::int64_t>::max()))
                              : 0;
      event.push("sessions:list", store_.list(status, limit, offset));
    });
    on_producer(channel, "session:started", session_started(), [this](jf::Event& event) {
      const jf::Json session = event.payload()["session"];
      if (session.raw().size() > kMaxSessionJson) {
        throw jf::Error(jf::kLimitExceeded,
                        "session: is larger than " + std::to_string(kMaxSessionJson) + " octets");
      }
      store_.start(text_of(session["id"]), session);
      event.broadcast("session:started", event.payload());
    });
    on_producer(channel, "session:ended", session_ended(), [this](jf::Event& event) {
      const std::string id = text_of(event.payload()["sessionId"]);
      if (!store_.end(id, jf::iso_time())) {
        log_info("an unknown session ended", {{"session", id}});
      }
      event.broadcast("session:ended", event.payload());
      broadcast("reasoning:" + id, "session:ended", event.payload());
    });
  }

  void open_reasoning(jf::Channel& channel) {
    channel.on_join([this](jf::Join& join) {
      const std::string id(join.param("sessionId"));
      if (const auto snapshot = store_.snapshot(id)) {
        join.push("session:snapshot", *snapshot);
        return;
      }
      join.push("error", jf::JsonWriter()
                             .object()
                             .field("code", "SESSION_NOT_FOUND")
                             .field("message", "Session " + id + " not found")
                             .end());
    });
    const auto add = [this](jf::Event& event) {
      store_.add(std::string(event.param("sessionId")), event.payload()["thought"].raw());
      event.broadcast(event.name(), event.payload());
    };
    on_producer(channel, "thought:added", thought_added(), add);
    on_producer(channel, "thought:revised", thought_revised(), add);
    on_producer(channel, "thought:branched", thought_branched(), [this](jf::Event& event) {
      const jf::Json payload = event.payload();
      store_.add_to_branch(std::string(event.param("sessionId")), text_of(payload["branchId"]),
                           payload["fromThoughtNumber"].integer().value_or(0),
                           payload["thought"].raw());
      event.broadcast("thought:branched", payload);
    });
  }

  // An event that only producers may send; who may not learns nothing of its payload's mistakes.
  void on_producer(jf::Channel& channel, const std::string& name, jf::Want payload,
                   EventFunction function) {
    channel.on(name, [this, payload = std::move(payload),
                      function = std::move(function)](jf::Event& event) {
      if (!is_producer(event.connection())) {
        throw jf::Error(jf::kForbidden, "Only producers may send " + std::string(event.name()));
      }
      const std::string mistake = payload.check(event.payload());
      if (!mistake.empty()) throw jf::Error(jf::kInvalidPayload, mistake);
      function(event);
    });
  }

  bool is_producer(const jf::Connection& connection) const {
    if (producers_.any || (producers_.local && connection.local)) return true;
    return !connection.identity.empty() &&
           producers_.identities.count(std::string(connection.identity)) != 0;
  }

  std::string active() const {
    return store_.list("active", std::numeric_limits<std::size_t>::max(), 0);
  }

  Producers producers_;
  Store store_{Limits{}};
};

}  // namespace
}  // namespace observatory

JACKFIELD_PLUGIN(observatory::Observatory, "observatory", "1.0.0",
                 "Reasoning sessions, followed live", "MIT")
