#include "tests/support/fake_host.hpp"

#include <dlfcn.h>
#include <jackfield_json.hpp>

#include <algorithm>
#include <stdexcept>

// Where the plugins of this build are.
#if !defined(JACKFIELD_PLUGIN_DIR)
#define JACKFIELD_PLUGIN_DIR JACKFIELD_PLUGINS
#endif

namespace jackfield::test {
namespace {

std::string str(jf_text text) { return std::string(jf::view(text)); }
jf_text text(const std::string& string) { return jf_text{string.data(), string.size()}; }

std::vector<std::string> split(std::string_view topic) {
  std::vector<std::string> parts(1);
  for (const char c : topic) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// A reader of JSON that takes nothing else; each function moves on and says whether it was right.
class Reader {
 public:
  explicit Reader(std::string_view json) : json_(json) {}
  bool whole() { return value(0) && (space(), at_ == json_.size()); }

 private:
  char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= json_.size() || json_[at_] != c) return false;
    ++at_;
    return true;
  }
  void space() {
    while (at_ < json_.size() && std::string_view(" \t\r\n").find(peek()) != std::string_view::npos)
      ++at_;
  }
  bool digits() {
    const std::size_t from = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > from;
  }
  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }
  bool string() {
    if (!take('"')) return false;
    while (at_ < json_.size()) {
      const char c = json_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') continue;
      if (take('u')) {
        for (int i = 0; i < 4; ++i, ++at_) {
          if (std::string_view("0123456789abcdefABCDEF").find(peek()) == std::string_view::npos)
            return false;
        }
      } else if (peek() == '\0' ||
                 std::string_view("\"\\/bfnrt").find(json_[at_++]) == std::string_view::npos) {
        return false;
      }
    }
    return false;
  }
  bool word(std::string_view expected) {
    if (json_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  bool list(char close, int depth) {
    ++at_;
    space();
    if (take(close)) return true;
    do {
      space();
      if (close == '}' && !(string() && (space(), take(':')))) return false;
      if (!value(depth + 1)) return false;
      space();
    } while (take(','));
    return take(close);
  }
  bool value(int depth) {
    if (depth > 1000) return false;
    space();
    switch (peek()) {
      case '{':
        return list('}', depth);
      case '[':
        return list(']', depth);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  std::string_view json_;
  std::size_t at_ = 0;
};

std::int32_t append(const jf_output* output, jf_text bytes) {
  static_cast<std::string*>(output->impl)->append(jf::view(bytes));
  return JF_OK;
}

// A request with the texts that it points to.
struct Made {
  std::string topic;
  std::string event;
  std::string payload;
  std::vector<std::pair<std::string, std::string>> params;
  std::vector<jf_param> raw;
  jf_request request{};

  const jf_request* fill() {
    for (const auto& [name, value] : params) raw.push_back({text(name), text(value)});
    request.size = sizeof request;
    request.topic = text(topic);
    request.event = text(event);
    request.payload = text(payload);
    request.params = raw.data();
    request.params_count = raw.size();
    return &request;
  }
};

}  // namespace

bool is_json(std::string_view json) { return Reader(json).whole(); }

PluginFile::PluginFile(const std::string& name) {
  const std::string path = std::string(JACKFIELD_PLUGIN_DIR) + "/" + name + ".so";
  library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) throw std::runtime_error(dlerror());
  table_ = static_cast<const jf_plugin*>(dlsym(library_, JF_SYMBOL_NAME));
  if (table_ == nullptr) throw std::runtime_error(path + " has no " JF_SYMBOL_NAME);
}

PluginFile::~PluginFile() { dlclose(library_); }

// Within the plugin, [loop] functions may be called.
class FakeHost::Inside {
 public:
  explicit Inside(FakeHost* host) : host_(host) { ++host_->inside_; }
  ~Inside() { --host_->inside_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  FakeHost* host_;
};

struct FakeHost::Table {
  static FakeHost& self(const jf_host* host) { return *static_cast<FakeHost*>(host->impl); }

  static std::int32_t channel(const jf_host* host, jf_text pattern, const jf_channel* handlers,
                              void* channel) {
    FakeHost& to = self(host);
    if (to.check_loop("channel") < 0) return JF_E_THREAD;
    if (!to.starting_) return JF_E_STATE;
    to.channels_.push_back({split(jf::view(pattern)), handlers, channel});
    to.patterns_.push_back(str(pattern));
    return JF_OK;
  }

  static std::int32_t push(const jf_host* host, jf_id target, jf_text event, jf_text payload) {
    FakeHost& to = self(host);
    const std::lock_guard lock(to.mutex_);
    if (!is_json(jf::view(payload))) {
      to.fault("push of what is not JSON: " + str(payload));
      return JF_E_JSON;
    }
    if (const auto call = to.calls_.find(target); call != to.calls_.end()) {
      if (call->second.subscription != 0) {
        call->second.held.emplace_back(str(event), str(payload));
      } else {
        to.deliver(call->second.connection, call->second.topic, str(event), str(payload));
      }
      return JF_OK;
    }
    const auto found = to.subscriptions_.find(target);
    if (found == to.subscriptions_.end()) return JF_E_GONE;
    if (!found->second.joined) {
      to.calls_[found->second.call].held.emplace_back(str(event), str(payload));
    } else {
      to.deliver(found->second.connection, found->second.topic, str(event), str(payload));
    }
    return JF_OK;
  }

  static std::int32_t broadcast(const jf_host* host, jf_text topic, jf_text event, jf_text payload,
                                jf_id except) {
    FakeHost& to = self(host);
    const std::lock_guard lock(to.mutex_);
    if (!is_json(jf::view(payload))) {
      to.fault("broadcast of what is not JSON: " + str(payload));
      return JF_E_JSON;
    }
    std::int32_t count = 0;
    for (auto& [id, subscription] : to.subscriptions_) {
      if (subscription.topic != jf::view(topic) || id == except) continue;
      push(host, id, event, payload);
      ++count;
    }
    return count;
  }

  static std::int32_t reply(const jf_host* host, jf_id call, jf_text code, jf_text message) {
    FakeHost& to = self(host);
    const std::lock_guard lock(to.mutex_);
    if (code.size > 4096 || message.size > 65536) return JF_E_ARGUMENT;
    if (to.calls_.count(call) == 0) return JF_E_GONE;
    to.answer(call, str(code), str(message));
    return JF_OK;
  }

  static std::int32_t kick(const jf_host* host, jf_id target, jf_text code, jf_text message) {
    FakeHost& to = self(host);
    const std::lock_guard lock(to.mutex_);
    if (to.subscriptions_.count(target) == 0 && !to.open(target)) return JF_E_GONE;
    to.kicks_.push_back({target, str(code), str(message)});
    return JF_OK;
  }

  static std::int32_t post(const jf_host* host, jf_text bytes, void (*posted)(void*, jf_text),
                           void* user) {
    FakeHost& to = self(host);
    const std::lock_guard lock(to.mutex_);
    to.posts_.push_back({str(bytes), posted, user});
    return JF_OK;
  }

  static std::int32_t timer(const jf_host* host, std::uint64_t delay, std::uint64_t interval,
                            void (*fired)(void*, jf_id), void* user, jf_id* timer) {
    FakeHost& to = self(host);
    if (to.check_loop("timer") < 0) return JF_E_THREAD;
    *timer = to.next_++;
    to.timers_[*timer] = Timer{to.now_ms_ + delay, interval, fired, user};
    return JF_OK;
  }

  static std::int32_t cancel(const jf_host* host, jf_id timer) {
    FakeHost& to = self(host);
    if (to.check_loop("cancel") < 0) return JF_E_THREAD;
    return to.timers_.erase(timer) > 0 ? JF_OK : JF_E_GONE;
  }

  static std::uint64_t now(const jf_host* host) { return self(host).now_ms_ * 1000; }

  static std::int32_t job(const jf_host* host, jf_text bytes,
                          std::int32_t (*work)(void*, jf_text, const jf_output*),
                          void (*done)(void*, std::int32_t, jf_text), void* user) {
    FakeHost& to = self(host);
    const std::lock_guard lock(to.mutex_);
    to.jobs_.push_back({str(bytes), work, done, user});
    return JF_OK;
  }

  static std::int32_t set(const jf_host* host, jf_id subscription, jf_text bytes) {
    FakeHost& to = self(host);
    if (to.check_loop("set") < 0) return JF_E_THREAD;
    const auto found = to.subscriptions_.find(subscription);
    if (found == to.subscriptions_.end()) return JF_E_GONE;
    if (bytes.size > 65536) return JF_E_LIMIT;
    found->second.bytes = str(bytes);
    return JF_OK;
  }

  static std::int32_t get(const jf_host* host, jf_id subscription, jf_text* bytes) {
    FakeHost& to = self(host);
    if (to.check_loop("get") < 0) return JF_E_THREAD;
    const auto found = to.subscriptions_.find(subscription);
    if (found == to.subscriptions_.end()) return JF_E_GONE;
    *bytes = text(found->second.bytes);
    return JF_OK;
  }

  static std::int64_t subscribers(const jf_host* host, jf_text topic) {
    FakeHost& to = self(host);
    if (to.check_loop("subscribers") < 0) return JF_E_THREAD;
    return std::count_if(to.subscriptions_.begin(), to.subscriptions_.end(), [&](const auto& each) {
      return each.second.joined && each.second.topic == jf::view(topic);
    });
  }

  static std::int64_t connections(const jf_host* host) {
    FakeHost& to = self(host);
    if (to.check_loop("connections") < 0) return JF_E_THREAD;
    return static_cast<std::int64_t>(to.connections_.size());
  }

  static void log(const jf_host* host, std::uint32_t level, jf_text message, const jf_field* fields,
                  std::size_t count) {
    FakeHost& to = self(host);
    const std::lock_guard lock(to.mutex_);
    std::string line = std::to_string(level) + " " + str(message);
    for (std::size_t i = 0; i < count; ++i) {
      line += " " + str(fields[i].key) + "=" + str(fields[i].value);
    }
    to.log_.push_back(line);
  }

  static std::int32_t connection(const jf_host* host, jf_id connection, jf_connection* facts) {
    FakeHost& to = self(host);
    if (to.check_loop("connection") < 0) return JF_E_THREAD;
    const auto found = to.connections_.find(connection);
    if (found == to.connections_.end()) return JF_E_GONE;
    facts->is_local = found->second.local ? 1 : 0;
    facts->peer = found->second.local ? jf_text JF_TEXT("127.0.0.1") : jf_text JF_TEXT("192.0.2.1");
    facts->identity = text(found->second.identity);
    facts->path = jf_text JF_TEXT("/");
    facts->query = jf_text JF_TEXT("");
    return JF_OK;
  }

  static std::int32_t header(const jf_host* host, jf_id connection, jf_text, jf_text* value) {
    FakeHost& to = self(host);
    if (to.check_loop("header") < 0) return JF_E_THREAD;
    if (!to.open(connection)) return JF_E_GONE;
    *value = text(to.headers);
    return JF_OK;
  }

  static const void* extension(const jf_host*, jf_text) { return nullptr; }
};

FakeHost::FakeHost(const jf_plugin& plugin) : plugin_(plugin) {
  host_ = {sizeof(jf_host),  JF_ABI_MINOR,       this,
           JF_TEXT("fake"),  Table::channel,     Table::push,
           Table::broadcast, Table::reply,       Table::kick,
           Table::post,      Table::timer,       Table::cancel,
           Table::now,       Table::job,         Table::set,
           Table::get,       Table::subscribers, Table::connections,
           Table::log,       Table::connection,  Table::header,
           Table::extension};
}

FakeHost::~FakeHost() { stop(); }

std::int32_t FakeHost::check_loop(const char* function) {
  if (std::this_thread::get_id() == loop_ && inside_ > 0) return JF_OK;
  fault(std::string(function) + " called from outside of the loop");
  return JF_E_THREAD;
}

void FakeHost::fault(const std::string& what) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(what);
}

std::int32_t FakeHost::start(const std::string& config, std::uint32_t state_version,
                             const std::string& state) {
  const std::string from = state_version != 0 ? "1.0.0" : "";
  jf_start args{};
  args.size = sizeof args;
  args.state_version = state_version;
  args.config = text(config);
  args.state = text(state);
  args.state_from = text(from);
  starting_ = true;
  std::int32_t result = JF_OK;
  {
    const Inside inside(this);
    result = plugin_.start(&host_, &args, &instance_);
  }
  starting_ = false;
  started_ = result >= 0;
  if (!started_) {
    channels_.clear();
    patterns_.clear();
    timers_.clear();
    posts_.clear();
  }
  return result;
}

void FakeHost::stop() {
  if (!started_) return;
  while (!subscriptions_.empty()) end(subscriptions_.begin()->first, JF_LEAVE_SHUTDOWN);
  {
    const Inside inside(this);
    plugin_.stop(instance_);
  }
  started_ = false;
  channels_.clear();
  timers_.clear();
  posts_.clear();
  jobs_.clear();
}

std::int32_t FakeHost::configure(const std::string& config) {
  if (plugin_.configure == nullptr) return JF_E_UNSUPPORTED;
  const Inside inside(this);
  return plugin_.configure(instance_, text(config));
}

std::int32_t FakeHost::save(std::string* state, std::uint32_t* version) {
  if (plugin_.save == nullptr) return JF_E_UNSUPPORTED;
  const Inside inside(this);
  const jf_output output = {sizeof output, state, append};
  return plugin_.save(instance_, &output, version);
}

void FakeHost::resume() {
  const Inside inside(this);
  if (plugin_.resume != nullptr) plugin_.resume(instance_);
}

jf_id FakeHost::connect(bool local, const std::string& identity) {
  const jf_id id = next_++;
  connections_[id] = Peer{local, identity, {}};
  return id;
}

void FakeHost::close(jf_id connection, std::uint32_t reason) {
  std::vector<jf_id> held;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.connection == connection) held.push_back(id);
  }
  std::erase_if(calls_, [&](const auto& each) { return each.second.connection == connection; });
  for (const jf_id id : held) end(id, reason);
  connections_.erase(connection);
  carry_out_kicks();
}

FakeHost::Match FakeHost::find(const std::string& topic, jf_id connection) {
  const std::vector<std::string> segments = split(topic);
  for (const Channel& channel : channels_) {
    Match match;
    bool fits = channel.segments.size() == segments.size();
    for (std::size_t i = 0; fits && i < segments.size(); ++i) {
      const std::string& wanted = channel.segments[i];
      if (wanted.size() > 2 && wanted.front() == '<') {
        match.params.emplace_back(wanted.substr(1, wanted.size() - 2), segments[i]);
      } else {
        fits = wanted == segments[i];
      }
    }
    if (!fits) continue;
    if (channel.handlers->match != nullptr) {
      Made made{topic, "", "", match.params, {}, {}};
      made.request.connection = connection;
      const Inside inside(this);
      if (channel.handlers->match(channel.channel, made.fill()) == 0) continue;
    }
    match.channel = &channel;
    return match;
  }
  return {};
}

void FakeHost::deliver(jf_id connection, const std::string& topic, const std::string& event,
                       const std::string& payload) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  found->second.inbox.push_back(topic + " " + event + " " + payload);
}

void FakeHost::answer(jf_id id, const std::string& code, const std::string& message) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const Call call = std::move(found->second);
  calls_.erase(found);
  if (!code.empty()) {
    if (call.subscription != 0) {
      const auto subscription = subscriptions_.find(call.subscription);
      if (subscription != subscriptions_.end() && !subscription->second.joined) {
        subscriptions_.erase(subscription);
      }
    }
    deliver(call.connection, call.topic, "error",
            jf::JsonWriter().object().field("code", code).field("message", message).end().take());
    return;
  }
  if (call.subscription == 0) return;
  subscriptions_[call.subscription].joined = true;
  const jf::Json wanted = jf::Json(call.payload)["id"];
  deliver(call.connection, call.topic, "subscribed",
          wanted.is_string() ? "{\"id\":" + std::string(wanted.raw()) + "}" : "{}");
  for (const auto& [event, payload] : call.held) {
    deliver(call.connection, call.topic, event, payload);
  }
}

namespace {

std::string code_of(std::int32_t result) {
  if (result == JF_E_PAYLOAD) return "INVALID_PAYLOAD";
  if (result == JF_E_FORBIDDEN) return "FORBIDDEN";
  return "INTERNAL_ERROR";
}

}  // namespace

void FakeHost::subscribe(jf_id connection, const std::string& topic, const std::string& payload) {
  const Match match = find(topic, connection);
  if (match.channel == nullptr) {
    deliver(connection, topic, "error",
            jf::JsonWriter()
                .object()
                .field("code", "INTERNAL_ERROR")
                .field("message", "No channel matches topic: " + topic)
                .end()
                .take());
    return;
  }
  const jf_id call = next_++;
  jf_id held = subscription(connection, topic);
  if (held == 0) {
    held = next_++;
    subscriptions_[held] = Subscription{connection, topic, "", false, call};
  }
  calls_[call] = Call{connection, held, topic, payload, {}};
  std::int32_t result = JF_OK;
  if (match.channel->handlers->join != nullptr) {
    Made made{topic, "", payload, match.params, {}, {}};
    made.request.call = call;
    made.request.connection = connection;
    made.request.subscription = held;
    const Inside inside(this);
    result = match.channel->handlers->join(match.channel->channel, made.fill());
  }
  if (result < 0) answer(call, code_of(result), "refused");
  if (result == JF_OK) answer(call, "", "");
  carry_out_kicks();
}

void FakeHost::unsubscribe(jf_id connection, const std::string& topic) {
  const jf_id held = subscription(connection, topic);
  if (held != 0) end(held, JF_LEAVE_UNSUBSCRIBED);
  deliver(connection, topic, "unsubscribed", "{}");
  carry_out_kicks();
}

void FakeHost::send(jf_id connection, const std::string& topic, const std::string& event,
                    const std::string& payload) {
  const Match match = find(topic, connection);
  if (match.channel == nullptr || match.channel->handlers->event == nullptr) {
    deliver(connection, topic, "no-event", "null");
    return;
  }
  const jf_id call = next_++;
  calls_[call] = Call{connection, 0, topic, payload, {}};
  Made made{topic, event, payload, match.params, {}, {}};
  made.request.call = call;
  made.request.connection = connection;
  made.request.subscription = subscription(connection, topic);
  std::int32_t result = JF_OK;
  {
    const Inside inside(this);
    result = match.channel->handlers->event(match.channel->channel, made.fill());
  }
  if (result == JF_NO_EVENT) {
    calls_.erase(call);
    log_.push_back("2 unhandled event event=" + event);
  }
  if (result < 0) answer(call, code_of(result), "refused");
  if (result == JF_OK) answer(call, "", "");
  carry_out_kicks();
}

void FakeHost::end(jf_id id, std::uint32_t reason) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  if (!found->second.joined) {
    calls_.erase(found->second.call);
    subscriptions_.erase(found);
    return;
  }
  const Match match = find(found->second.topic, found->second.connection);
  if (match.channel != nullptr && match.channel->handlers->leave != nullptr) {
    Made made{found->second.topic, "", "", match.params, {}, {}};
    made.request.reason = reason;
    made.request.connection = found->second.connection;
    made.request.subscription = id;
    // It is no subscription any more, but its bytes can still be read.
    found->second.joined = false;
    found->second.topic.clear();
    const Inside inside(this);
    match.channel->handlers->leave(match.channel->channel, made.fill());
  }
  subscriptions_.erase(id);
}

void FakeHost::carry_out_kicks() {
  while (!kicks_.empty()) {
    const Kick kick = kicks_.front();
    kicks_.pop_front();
    if (open(kick.target)) {
      close(kick.target, JF_LEAVE_KICKED);
    } else if (const auto found = subscriptions_.find(kick.target); found != subscriptions_.end()) {
      deliver(found->second.connection, found->second.topic, "error",
              jf::JsonWriter()
                  .object()
                  .field("code", kick.code)
                  .field("message", kick.message)
                  .end()
                  .take());
      end(kick.target, JF_LEAVE_KICKED);
    }
  }
}

std::int32_t FakeHost::adopt(jf_id connection, const std::string& topic) {
  const Match match = find(topic, connection);
  if (match.channel == nullptr) return JF_E_GONE;
  const jf_id id = next_++;
  subscriptions_[id] = Subscription{connection, topic, "", true, 0};
  if (match.channel->handlers->adopt == nullptr) return JF_OK;
  Made made{topic, "", "", match.params, {}, {}};
  made.request.connection = connection;
  made.request.subscription = id;
  const Inside inside(this);
  return match.channel->handlers->adopt(match.channel->channel, made.fill());
}

std::vector<std::string> FakeHost::received(jf_id connection) {
  const std::lock_guard lock(mutex_);
  return std::exchange(connections_.at(connection).inbox, {});
}

std::string FakeHost::heard(jf_id connection) {
  std::string all;
  for (const std::string& message : received(connection)) {
    if (!all.empty()) all += '\n';
    all += message;
  }
  return all;
}

std::string FakeHost::last(jf_id connection, const std::string& event) {
  const std::lock_guard lock(mutex_);
  std::string found;
  for (const std::string& message : connections_.at(connection).inbox) {
    const std::size_t space = message.find(' ');
    const std::size_t next = message.find(' ', space + 1);
    if (message.substr(space + 1, next - space - 1) == event) found = message.substr(next + 1);
  }
  return found;
}

jf_id FakeHost::subscription(jf_id connection, const std::string& topic) const {
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.connection == connection && subscription.topic == topic) return id;
  }
  return 0;
}

void FakeHost::advance(std::uint64_t ms) {
  const std::uint64_t until = now_ms_ + ms;
  while (true) {
    auto next = timers_.end();
    for (auto timer = timers_.begin(); timer != timers_.end(); ++timer) {
      if (timer->second.due > until) continue;
      if (next == timers_.end() || timer->second.due < next->second.due) next = timer;
    }
    if (next == timers_.end()) break;
    const jf_id id = next->first;
    const Timer timer = next->second;
    now_ms_ = std::max(now_ms_, timer.due);
    if (timer.interval == 0) {
      timers_.erase(next);
    } else {
      next->second.due += timer.interval;
    }
    const Inside inside(this);
    timer.fired(timer.user, id);
  }
  now_ms_ = until;
  carry_out_kicks();
}

void FakeHost::run_posts() {
  while (!posts_.empty()) {
    const Post post = std::move(posts_.front());
    posts_.pop_front();
    const Inside inside(this);
    post.posted(post.user, text(post.bytes));
  }
  carry_out_kicks();
}

void FakeHost::run_jobs(bool only_work) {
  while (!jobs_.empty()) {
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    std::string written;
    std::int32_t result = JF_OK;
    std::thread([&] {
      const jf_output output = {sizeof output, &written, append};
      result = job.work(job.user, text(job.bytes), &output);
    }).join();
    if (only_work) continue;
    const Inside inside(this);
    job.done(job.user, result, text(written));
  }
  carry_out_kicks();
}

}  // namespace jackfield::test
