// The host's functions, as the plugin sees them.
#include <algorithm>

#include "tests/support/fake_host.hpp"
#include "tests/support/fake_host_parts.hpp"

namespace jackfield::test {

struct FakeHost::Table {
  static Generation& self(const jf_host* host) { return *static_cast<Generation*>(host->impl); }

  // What `start` does to others comes when it has succeeded.
  template <class Effect>
  static std::int32_t now_or_then(Generation& generation, Effect effect) {
    if (!generation.is_starting) return effect();
    generation.effects.push_back([effect] { static_cast<void>(effect()); });
    return JF_OK;
  }

  static std::int32_t channel(const jf_host* host, jf_text pattern, const jf_channel* handlers,
                              void* channel) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "channel") < 0) return JF_E_THREAD;
    if (!to.is_starting) return JF_E_STATE;
    to.channels.push_back({split(jf::view(pattern)), handlers, channel});
    to.patterns.push_back(str(pattern));
    return JF_OK;
  }

  static std::int32_t push(const jf_host* host, jf_id target, jf_text event, jf_text payload) {
    Generation& to = self(host);
    const std::lock_guard lock(to.owner.mutex_);
    if (!is_json(jf::view(payload))) {
      to.owner.fault("push of what is not JSON: " + str(payload));
      return JF_E_JSON;
    }
    return now_or_then(to, [&owner = to.owner, target, event = str(event), payload = str(payload)] {
      return owner.push(target, event, payload);
    });
  }

  static std::int32_t broadcast(const jf_host* host, jf_text topic, jf_text event, jf_text payload,
                                jf_id except) {
    Generation& to = self(host);
    const std::lock_guard lock(to.owner.mutex_);
    if (!is_json(jf::view(payload))) {
      to.owner.fault("broadcast of what is not JSON: " + str(payload));
      return JF_E_JSON;
    }
    return now_or_then(to, [&owner = to.owner, topic = str(topic), event = str(event),
                            payload = str(payload), except] {
      return owner.broadcast(topic, event, payload, except);
    });
  }

  static std::int32_t reply(const jf_host* host, jf_id call, jf_text code, jf_text message) {
    Generation& to = self(host);
    const std::lock_guard lock(to.owner.mutex_);
    if (code.size > 4096 || message.size > 65536) return JF_E_ARGUMENT;
    return now_or_then(to, [&owner = to.owner, call, code = str(code), message = str(message)] {
      return owner.reply(call, code, message);
    });
  }

  static std::int32_t kick(const jf_host* host, jf_id target, jf_text code, jf_text message) {
    Generation& to = self(host);
    const std::lock_guard lock(to.owner.mutex_);
    return now_or_then(to, [&owner = to.owner, target, code = str(code), message = str(message)] {
      return owner.kick(target, code, message);
    });
  }

  static std::int32_t post(const jf_host* host, jf_text bytes, void (*posted)(void*, jf_text),
                           void* user) {
    Generation& to = self(host);
    const std::lock_guard lock(to.owner.mutex_);
    to.posts.push_back({str(bytes), posted, user});
    return JF_OK;
  }

  static std::int32_t timer(const jf_host* host, std::uint64_t delay, std::uint64_t interval,
                            void (*fired)(void*, jf_id), void* user, jf_id* timer) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "timer") < 0) return JF_E_THREAD;
    *timer = to.owner.next_++;
    to.timers[*timer] = Timer{to.owner.now_ms_ + delay, interval, fired, user};
    return JF_OK;
  }

  static std::int32_t cancel(const jf_host* host, jf_id timer) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "cancel") < 0) return JF_E_THREAD;
    return to.timers.erase(timer) > 0 ? JF_OK : JF_E_GONE;
  }

  static std::uint64_t now(const jf_host* host) { return self(host).owner.now_ms_ * 1000; }

  static std::int32_t job(const jf_host* host, jf_text bytes,
                          std::int32_t (*work)(void*, jf_text, const jf_output*),
                          void (*done)(void*, std::int32_t, jf_text), void* user) {
    Generation& to = self(host);
    const std::lock_guard lock(to.owner.mutex_);
    to.jobs.push_back({str(bytes), work, done, user, false, JF_OK, ""});
    return JF_OK;
  }

  static std::int32_t set(const jf_host* host, jf_id subscription, jf_text bytes) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "set") < 0) return JF_E_THREAD;
    const auto found = to.owner.subscriptions_.find(subscription);
    if (found == to.owner.subscriptions_.end()) return JF_E_GONE;
    if (bytes.size > 65536) return JF_E_LIMIT;
    found->second.bytes = str(bytes);
    return JF_OK;
  }

  static std::int32_t get(const jf_host* host, jf_id subscription, jf_text* bytes) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "get") < 0) return JF_E_THREAD;
    const auto found = to.owner.subscriptions_.find(subscription);
    if (found == to.owner.subscriptions_.end()) return JF_E_GONE;
    *bytes = text(found->second.bytes);
    return JF_OK;
  }

  static std::int64_t subscribers(const jf_host* host, jf_text topic) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "subscribers") < 0) return JF_E_THREAD;
    const auto& all = to.owner.subscriptions_;
    return std::count_if(all.begin(), all.end(), [&](const auto& each) {
      return each.second.joined && each.second.ended == 0 && each.second.topic == jf::view(topic);
    });
  }

  static std::int64_t connections(const jf_host* host) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "connections") < 0) return JF_E_THREAD;
    return static_cast<std::int64_t>(to.owner.connections_.size());
  }

  static void log(const jf_host* host, std::uint32_t level, jf_text message, const jf_field* fields,
                  std::size_t count) {
    FakeHost& owner = self(host).owner;
    const std::lock_guard lock(owner.mutex_);
    std::string line = std::to_string(level) + " " + str(message);
    for (std::size_t i = 0; i < count; ++i) {
      line += " " + str(fields[i].key) + "=" + str(fields[i].value);
    }
    owner.log_.push_back(line);
  }

  static std::int32_t connection(const jf_host* host, jf_id connection, jf_connection* facts) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "connection") < 0) return JF_E_THREAD;
    const auto found = to.owner.connections_.find(connection);
    if (found == to.owner.connections_.end()) return JF_E_GONE;
    facts->is_local = found->second.local ? 1 : 0;
    facts->peer = found->second.local ? jf_text JF_TEXT("127.0.0.1") : jf_text JF_TEXT("192.0.2.1");
    facts->identity = text(found->second.identity);
    facts->path = jf_text JF_TEXT("/");
    facts->query = jf_text JF_TEXT("");
    return JF_OK;
  }

  static std::int32_t header(const jf_host* host, jf_id connection, jf_text, jf_text* value) {
    Generation& to = self(host);
    if (to.owner.check_loop(to, "header") < 0) return JF_E_THREAD;
    if (!to.owner.open(connection)) return JF_E_GONE;
    *value = text(to.owner.headers);
    return JF_OK;
  }

  static const void* extension(const jf_host*, jf_text) { return nullptr; }
};

FakeHost::Generation::Generation(FakeHost& host, const jf_plugin& made_of)
    : owner(host), plugin(made_of) {
  table = {sizeof(jf_host),  JF_ABI_MINOR,       this,
           JF_TEXT("fake"),  Table::channel,     Table::push,
           Table::broadcast, Table::reply,       Table::kick,
           Table::post,      Table::timer,       Table::cancel,
           Table::now,       Table::job,         Table::set,
           Table::get,       Table::subscribers, Table::connections,
           Table::log,       Table::connection,  Table::header,
           Table::extension};
}

std::int32_t FakeHost::check_loop(const Generation& generation, const char* function) {
  const std::thread::id self = std::this_thread::get_id();
  if (self == generation.own_thread || (self == loop_ && generation.inside > 0)) return JF_OK;
  fault(std::string(function) + " called from outside of the loop");
  return JF_E_THREAD;
}

std::int32_t FakeHost::push(jf_id target, const std::string& event, const std::string& payload) {
  if (const auto call = calls_.find(target); call != calls_.end()) {
    if (call->second.subscription != 0) {
      call->second.held.emplace_back(event, payload);
    } else {
      deliver(call->second.connection, call->second.topic, event, payload);
    }
    return JF_OK;
  }
  const auto found = subscriptions_.find(target);
  if (found == subscriptions_.end() || found->second.ended != 0) return JF_E_GONE;
  if (!found->second.joined) {
    calls_[found->second.call].held.emplace_back(event, payload);
  } else {
    deliver(found->second.connection, found->second.topic, event, payload);
  }
  return JF_OK;
}

std::int32_t FakeHost::broadcast(const std::string& topic, const std::string& event,
                                 const std::string& payload, jf_id except) {
  std::int32_t count = 0;
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.topic != topic || id == except || subscription.ended != 0) continue;
    push(id, event, payload);
    ++count;
  }
  return count;
}

std::int32_t FakeHost::reply(jf_id call, const std::string& code, const std::string& message) {
  if (calls_.count(call) == 0) return JF_E_GONE;
  answer(call, code, message);
  return JF_OK;
}

std::int32_t FakeHost::kick(jf_id target, const std::string& code, const std::string& message) {
  if (subscriptions_.count(target) == 0 && !open(target)) return JF_E_GONE;
  kicks_.push_back({target, code, message});
  return JF_OK;
}

}  // namespace jackfield::test
