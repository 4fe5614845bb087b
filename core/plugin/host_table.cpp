#include "core/plugin/host_table.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/plugin/generation.hpp"
#include "core/plugin/text.hpp"
#include "core/wire/json_text.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::plugin {
namespace {

constexpr std::size_t kMaxNameOctets = 4096;  // of a topic, event, code or pattern
constexpr std::size_t kMaxMessageOctets = 64 << 10;
constexpr std::uint64_t kMaxTimerMs = std::uint64_t{1} << 40;  // 35 years

Generation& generation_of(const jf_host* host) { return *static_cast<Generation*>(host->impl); }

bool is_name(const jf_text& text) {
  if (!is_valid(text) || text.size > kMaxNameOctets) return false;
  if (wire::is_quoted_as_is(view(text)))
    return true;  // as most are: ASCII without control characters
  return view(text).find('\0') == std::string_view::npos && wire::is_wtf8(view(text));
}

bool is_message(const jf_text& text) {
  return is_valid(text) && text.size <= kMaxMessageOctets && wire::is_wtf8(view(text));
}

// JF_OK where the payload may be sent. The very bytes that the host handed in were checked before.
std::int32_t check_payload(const Generation& generation, const jf_text& payload, bool is_on_loop) {
  if (!is_valid(payload)) return JF_E_ARGUMENT;
  if (is_on_loop) {
    const std::string_view checked = generation.checked_payload();
    const bool is_same =
        payload.data != nullptr && payload.data == checked.data() && payload.size == checked.size();
    if (is_same) return JF_OK;
  }
  return wire::is_json(view(payload)) ? JF_OK : JF_E_JSON;
}

std::int32_t to_result(hub::Hub::Outcome outcome) {
  return outcome == hub::Hub::Outcome::kDone ? JF_OK : JF_E_GONE;
}

std::int32_t clamp_count(std::size_t count) {
  constexpr auto kMax = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  return static_cast<std::int32_t>(std::min(count, kMax));
}

// ---- what goes to clients: done at once on the loop, else through the one door

std::int32_t host_push(const jf_host* host, jf_id target, jf_text event, jf_text payload) {
  Generation& generation = generation_of(host);
  const bool is_on_loop = generation.surroundings().loop.is_on_loop();
  if (!is_name(event)) return JF_E_ARGUMENT;
  if (const auto error = check_payload(generation, payload, is_on_loop); error < 0) return error;
  hub::Hub& hub = generation.surroundings().hub;
  if (is_on_loop) return to_result(hub.push(target, view(event), view(payload)));
  return generation.run_on_loop(
      payload.size, [&hub, target, event = std::string(view(event)),
                     payload = std::string(view(payload))] { hub.push(target, event, payload); });
}

std::int32_t host_broadcast(const jf_host* host, jf_text topic, jf_text event, jf_text payload,
                            jf_id except) {
  Generation& generation = generation_of(host);
  const bool is_on_loop = generation.surroundings().loop.is_on_loop();
  if (!is_name(topic) || !is_name(event)) return JF_E_ARGUMENT;
  if (const auto error = check_payload(generation, payload, is_on_loop); error < 0) return error;
  hub::Hub& hub = generation.surroundings().hub;
  if (is_on_loop) {
    return clamp_count(hub.broadcast(view(topic), view(event), view(payload), except));
  }
  return generation.run_on_loop(
      payload.size, [&hub, topic = std::string(view(topic)), event = std::string(view(event)),
                     payload = std::string(view(payload)),
                     except] { hub.broadcast(topic, event, payload, except); });
}

std::int32_t host_reply(const jf_host* host, jf_id call, jf_text code, jf_text message) {
  Generation& generation = generation_of(host);
  if (!is_name(code) || !is_message(message)) return JF_E_ARGUMENT;
  hub::Hub& hub = generation.surroundings().hub;
  hub::Answer answer =
      code.size == 0 ? hub::Answer::ok()
                     : hub::Answer::refused(std::string(view(code)), std::string(view(message)));
  if (generation.surroundings().loop.is_on_loop()) {
    return to_result(hub.reply(call, std::move(answer)));
  }
  return generation.run_on_loop(message.size, [&hub, call, answer = std::move(answer)] {
    static_cast<void>(hub.reply(call, answer));
  });
}

std::int32_t host_kick(const jf_host* host, jf_id target, jf_text code, jf_text message) {
  Generation& generation = generation_of(host);
  if (!is_name(code) || !is_message(message)) return JF_E_ARGUMENT;
  hub::Hub& hub = generation.surroundings().hub;
  if (generation.surroundings().loop.is_on_loop()) {
    return to_result(hub.kick(target, view(code), view(message)));
  }
  return generation.run_on_loop(
      message.size, [&hub, target, code = std::string(view(code)),
                     message = std::string(view(message))] { hub.kick(target, code, message); });
}

// ---- the plugin's own

std::int32_t host_channel(const jf_host* host, jf_text pattern, const jf_channel* handlers,
                          void* channel) {
  if (!is_name(pattern) || handlers == nullptr || handlers->size < sizeof(std::uint32_t)) {
    return JF_E_ARGUMENT;
  }
  return generation_of(host).add_channel(view(pattern), *handlers, channel);
}

std::int32_t host_post(const jf_host* host, jf_text bytes, void (*posted)(void*, jf_text),
                       void* user) {
  if (!is_valid(bytes) || posted == nullptr) return JF_E_ARGUMENT;
  return generation_of(host).post(view(bytes), posted, user);
}

std::int32_t host_timer(const jf_host* host, std::uint64_t delay_ms, std::uint64_t interval_ms,
                        void (*fired)(void*, jf_id), void* user, jf_id* timer) {
  Generation& generation = generation_of(host);
  return generation.on_loop("timer", [&]() -> std::int32_t {
    if (fired == nullptr || delay_ms > kMaxTimerMs || interval_ms > kMaxTimerMs) {
      return JF_E_ARGUMENT;
    }
    return generation.start_timer(std::chrono::milliseconds(delay_ms),
                                  std::chrono::milliseconds(interval_ms), fired, user, timer);
  });
}

std::int32_t host_cancel(const jf_host* host, jf_id timer) {
  Generation& generation = generation_of(host);
  return generation.on_loop("cancel", [&] { return generation.cancel_timer(timer); });
}

std::uint64_t host_now(const jf_host* /*host*/) noexcept {
  return static_cast<std::uint64_t>(base::Loop::now().count());
}

std::int32_t host_job(const jf_host* host, jf_text bytes,
                      std::int32_t (*work)(void*, jf_text, const jf_output*),
                      void (*done)(void*, std::int32_t, jf_text), void* user) {
  if (!is_valid(bytes) || work == nullptr) return JF_E_ARGUMENT;
  return generation_of(host).run_job(view(bytes), work, done, user);
}

std::int32_t host_set(const jf_host* host, jf_id subscription, jf_text bytes) {
  Generation& generation = generation_of(host);
  return generation.on_loop("set", [&]() -> std::int32_t {
    if (!is_valid(bytes)) return JF_E_ARGUMENT;
    if (bytes.size > Generation::kMaxKeptBytes) return JF_E_LIMIT;
    std::string* kept = generation.surroundings().hub.kept(subscription);
    if (kept == nullptr) return JF_E_GONE;
    kept->assign(view(bytes));
    return JF_OK;
  });
}

std::int32_t host_get(const jf_host* host, jf_id subscription, jf_text* bytes) {
  Generation& generation = generation_of(host);
  return generation.on_loop("get", [&]() -> std::int32_t {
    if (bytes == nullptr) return JF_E_ARGUMENT;
    *bytes = {};
    const std::string* kept = generation.surroundings().hub.kept(subscription);
    if (kept == nullptr) return JF_E_GONE;
    *bytes = generation.lend(*kept);
    return JF_OK;
  });
}

// ---- facts

std::int64_t host_subscribers(const jf_host* host, jf_text topic) {
  Generation& generation = generation_of(host);
  std::int64_t count = 0;
  const std::int32_t result = generation.on_loop("subscribers", [&]() -> std::int32_t {
    if (!is_name(topic)) return JF_E_ARGUMENT;
    count = static_cast<std::int64_t>(generation.surroundings().hub.subscriber_count(view(topic)));
    return JF_OK;
  });
  return result < 0 ? result : count;
}

std::int64_t host_connections(const jf_host* host) {
  Generation& generation = generation_of(host);
  std::int64_t count = 0;
  const std::int32_t result = generation.on_loop("connections", [&]() -> std::int32_t {
    count = static_cast<std::int64_t>(generation.surroundings().hub.connection_count());
    return JF_OK;
  });
  return result < 0 ? result : count;
}

void host_log(const jf_host* host, std::uint32_t level, jf_text message, const jf_field* fields,
              std::size_t fields_count) {
  constexpr std::size_t kMaxFields = 32;
  const bool is_level = level >= JF_LOG_ERROR && level <= JF_LOG_DEBUG;
  if (!is_level || !is_valid(message)) return;
  if (fields == nullptr || fields_count > kMaxFields) fields_count = 0;
  generation_of(host).log(static_cast<base::LogLevel>(level), view(message), fields, fields_count);
}

std::int32_t host_connection(const jf_host* host, jf_id connection, jf_connection* facts) {
  Generation& generation = generation_of(host);
  return generation.on_loop("connection", [&]() -> std::int32_t {
    if (facts == nullptr || facts->size < sizeof(std::uint32_t)) return JF_E_ARGUMENT;
    const hub::ConnectionFacts* found = generation.surroundings().hub.facts(connection);
    if (found == nullptr) return JF_E_GONE;
    jf_connection filled{};
    filled.size = facts->size;
    filled.is_local = found->is_local() ? 1 : 0;
    filled.peer = generation.lend(found->peer());
    filled.identity = generation.lend(found->identity());
    filled.path = generation.lend(found->path());
    filled.query = generation.lend(found->query());
    std::memcpy(facts, &filled, std::min<std::size_t>(facts->size, sizeof filled));
    return JF_OK;
  });
}

std::int32_t host_header(const jf_host* host, jf_id connection, jf_text name, jf_text* value) {
  Generation& generation = generation_of(host);
  return generation.on_loop("header", [&]() -> std::int32_t {
    if (!is_valid(name) || value == nullptr) return JF_E_ARGUMENT;
    *value = {};
    const hub::ConnectionFacts* found = generation.surroundings().hub.facts(connection);
    if (found == nullptr) return JF_E_GONE;
    const std::string_view text = found->header(view(name));
    if (!text.empty()) *value = generation.lend(text);
    return JF_OK;
  });
}

const void* host_extension(const jf_host* /*host*/, jf_text /*id*/) noexcept { return nullptr; }

// Stands around each of them: nothing unwinds into a plugin. Where there is no memory for what it
// wants, it is told so.
template <auto kFunction>
struct Sheltered;

template <class Result, class... Arguments, Result (*kFunction)(const jf_host*, Arguments...)>
struct Sheltered<kFunction> {
  static Result call(const jf_host* host, Arguments... arguments) noexcept {
    try {
      return kFunction(host, arguments...);
    } catch (const std::bad_alloc&) {
      generation_of(host).log_want_of_memory();
    }
    if constexpr (!std::is_void_v<Result>) return JF_E_INTERNAL;
  }
};

}  // namespace

jf_host make_host_table(Generation& generation) {
  jf_host host{};
  host.size = sizeof host;
  host.minor = JF_ABI_MINOR;
  host.impl = &generation;
  host.version = to_text(JACKFIELD_VERSION);
  host.channel = Sheltered<host_channel>::call;
  host.push = Sheltered<host_push>::call;
  host.broadcast = Sheltered<host_broadcast>::call;
  host.reply = Sheltered<host_reply>::call;
  host.kick = Sheltered<host_kick>::call;
  host.post = Sheltered<host_post>::call;
  host.timer = Sheltered<host_timer>::call;
  host.cancel = Sheltered<host_cancel>::call;
  host.now = host_now;
  host.job = Sheltered<host_job>::call;
  host.set = Sheltered<host_set>::call;
  host.get = Sheltered<host_get>::call;
  host.subscribers = Sheltered<host_subscribers>::call;
  host.connections = Sheltered<host_connections>::call;
  host.log = Sheltered<host_log>::call;
  host.connection = Sheltered<host_connection>::call;
  host.header = Sheltered<host_header>::call;
  host.extension = host_extension;
  return host;
}

}  // namespace jackfield::plugin
