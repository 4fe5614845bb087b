// Jackfield plugins in C++17: derive from jf::Plugin, open channels in `start`, and name the class
// in JACKFIELD_PLUGIN. Header only, over jackfield.h, which has the exact rules; this wrapper keeps
// them for you: exceptions end here, closures live as long as they may be called and no longer.
//
//     #include <jackfield.hpp>
//
//     class Greeter : public jf::Plugin {
//      public:
//       void start(const jf::Start&) override {
//         jf::Channel& hello = channel("hello:<name>");
//         hello.on_join([](jf::Join& join) {
//           join.push("welcome", jf::quoted(join.param("name")));
//         });
//         hello.on("say", jf::want::object({{"text", jf::want::string()}}),
//                  [](jf::Event& event) { event.broadcast("said", event.payload()); });
//       }
//     };
//
//     JACKFIELD_PLUGIN(Greeter, "greeter", "1.0.0", "Says hello", "MIT")
//
// Threads, as in jackfield.h: [loop] is every function of yours that is called here but a job's
// `work`; it never runs concurrently with another, and must not block. Your constructor, `start`,
// `stop` and destructor have threads of their own, with the rights of [loop]. [any]: callable from
// any thread from the begin of `start` to the end of `stop`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "jackfield.h"
#include "jackfield_json.hpp"
#include "jackfield_requests.hpp"
#include "jackfield_state.hpp"
#include "jackfield_values.hpp"
#include "jackfield_waiting.hpp"

namespace jf {

namespace detail {
template <class Class>
struct Entries;
}  // namespace detail

// Serves every topic that its pattern matches. Give it functions, or derive from it and override
// the virtual ones (these come first; the base's versions call the given functions). Functions may
// return nothing or a Result. [loop]
class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  // Narrows the pattern: false leaves the topic to later channels. Must always say the same.
  Channel& on_match(std::function<bool(const Request&)> function) {
    match_ = std::move(function);
    return *this;
  }
  // Without it everybody may subscribe.
  template <class Function>
  Channel& on_join(Function function) {
    join_ = wrap<Join>(std::move(function));
    return *this;
  }
  // An event by its name.
  template <class Function>
  Channel& on(std::string event, Function function) {
    return on(std::move(event), want::any(), std::move(function));
  }
  // The same with a check: a payload that is not as wanted is answered INVALID_PAYLOAD with the
  // path of the mistake, and the function is not called.
  template <class Function>
  Channel& on(std::string event, Want payload, Function function) {
    events_.insert_or_assign(std::move(event),
                             Known{std::move(payload), wrap<Event>(std::move(function))});
    return *this;
  }
  // A subscription has ended.
  Channel& on_leave(std::function<void(const Leave&)> function) {
    leave_ = std::move(function);
    return *this;
  }
  // A subscription of the generation before, taken over. Without it all are.
  template <class Function>
  Channel& on_adopt(Function function) {
    adopt_ = wrap<Adopt>(std::move(function));
    return *this;
  }

 protected:
  virtual bool match(const Request& request) { return !match_ || match_(request); }
  virtual Result join(Join& join) { return join_ ? join_(join) : Result(); }
  virtual Result event(Event& event) {
    const auto known = events_.find(event.name());
    if (known == events_.end()) return kNoEvent;
    std::string mistake = known->second.payload.check(event.payload());
    if (!mistake.empty()) return Error(kInvalidPayload, mistake);
    return known->second.function(event);
  }
  virtual void leave(const Leave& leave) {
    if (leave_) leave_(leave);
  }
  virtual Result adopt(Adopt& adopt) { return adopt_ ? adopt_(adopt) : Result(); }

 private:
  friend class Plugin;

  struct Known {
    Want payload;
    std::function<Result(Event&)> function;
  };

  template <class Argument, class Function>
  static std::function<Result(Argument&)> wrap(Function function) {
    if constexpr (std::is_void_v<std::invoke_result_t<Function&, Argument&>>) {
      return [function = std::move(function)](Argument& argument) mutable {
        function(argument);
        return Result();
      };
    } else {
      return [function = std::move(function)](Argument& argument) mutable {
        return Result(function(argument));
      };
    }
  }

  static Channel& self(void* channel) { return *static_cast<Channel*>(channel); }

  static std::int32_t match_entry(void* channel, const jf_request* request) {
    Channel& to = self(channel);
    bool matches = false;
    detail::guarded(to.host_, "match failed",
                    [&] { matches = to.match(Request(to.host_, to.home_, request)); });
    return matches ? 1 : 0;
  }
  static std::int32_t join_entry(void* channel, const jf_request* request) {
    Channel& to = self(channel);
    Join call(to.host_, to.home_, request);
    return call.answer([&] { return to.join(call); });
  }
  static std::int32_t event_entry(void* channel, const jf_request* request) {
    Channel& to = self(channel);
    Event call(to.host_, to.home_, request);
    return call.answer([&] { return to.event(call); });
  }
  static void leave_entry(void* channel, const jf_request* request) {
    Channel& to = self(channel);
    detail::guarded(to.host_, "leave failed",
                    [&] { to.leave(Leave(to.host_, to.home_, request)); });
  }
  static std::int32_t adopt_entry(void* channel, const jf_request* request) {
    Channel& to = self(channel);
    Adopt adopt(to.host_, to.home_, request);
    return adopt.answer([&] { return to.adopt(adopt); });
  }
  static constexpr jf_channel kTable = {sizeof(jf_channel), match_entry, join_entry,
                                        event_entry,        leave_entry, adopt_entry};

  const jf_host* host_ = nullptr;
  std::shared_ptr<detail::Home> home_;
  std::function<bool(const Request&)> match_;
  std::function<Result(Join&)> join_;
  std::map<std::string, Known, std::less<>> events_;
  std::function<void(const Leave&)> leave_;
  std::function<Result(Adopt&)> adopt_;
};

// The plugin. One instance lives from `start` to `stop`; the functions that call the host may be
// used from the begin of `start` on (not in the constructor). Overridden functions must be public.
class Plugin {
 public:
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  virtual ~Plugin() = default;

  // Reads the configuration and the state, and opens channels. Throw to refuse: the reason is
  // logged. A class that overrides no `save` knows no state, so any state is refused for it.
  virtual void start(const Start& start) = 0;
  // Ends it: join own threads here. Members are destroyed after it; they may still call the host.
  // Not called where `start` threw: what it began is for the members' destructors to end.
  virtual void stop() {}
  // Takes a changed configuration, whole, or throws and changes nothing. Not overridden: a new
  // generation replaces this one instead.
  virtual void configure(const Json& config) { static_cast<void>(config); }
  // Writes the state for the next generation, at most kMaxState octets; returns its version, from 1
  // on, or 0 for none. Throw where that fails: this one goes on then. Not overridden: none.
  virtual std::uint32_t save(std::string& state) {
    state.clear();
    return 0;
  }
  // The replacement failed, from `save` on; go on as before.
  virtual void resume() {}

  // Opens a channel. Only within `start`. It lives as long as the plugin. Channels are asked in the
  // order in which they were opened. Throws where the pattern is malformed.
  Channel& channel(std::string_view pattern) { return channel<Channel>(pattern); }
  // The same with a class of your own, made with `arguments`.
  template <class Derived, class... Arguments>
  Derived& channel(std::string_view pattern, Arguments&&... arguments) {
    auto made = std::make_unique<Derived>(std::forward<Arguments>(arguments)...);
    Derived& result = *made;
    Channel& base = result;
    base.host_ = host_;
    base.home_ = home_;
    channels_.push_back(std::move(made));
    if (host_->channel(host_, text(pattern), &Channel::kTable, &base) < 0) {
      throw Error(kInternalError, "the pattern " + std::string(pattern) + " was refused");
    }
    return result;
  }

  // [any] To one subscription. JF_E_GONE where it has ended.
  std::int32_t push(Id subscription, std::string_view event, JsonText payload) const {
    return host_->push(host_, subscription, text(event), payload.text());
  }
  // [any] To every subscription of exactly this topic, but `except`. On the loop: how many.
  std::int32_t broadcast(std::string_view topic, std::string_view event, JsonText payload,
                         Id except = 0) const {
    return host_->broadcast(host_, text(topic), text(event), payload.text(), except);
  }
  // [any] Ends a subscription or closes a connection.
  std::int32_t kick(Id target, std::string_view code, std::string_view message) const {
    return host_->kick(host_, target, text(code), text(message));
  }
  // [loop] Those still joining are not counted.
  std::int64_t subscribers(std::string_view topic) const {
    return host_->subscribers(host_, text(topic));
  }
  // [loop]
  std::int64_t connections() const { return host_->connections(host_); }
  // [any] Monotonic, in microseconds.
  std::uint64_t now() const { return host_->now(host_); }
  // [any] A further table of functions, or null.
  const void* extension(std::string_view id) const { return host_->extension(host_, text(id)); }

  // [loop] Calls `function` once after `delay_ms`, as long as the Timer lives. Throws at the limit.
  [[nodiscard]] Timer after(std::uint64_t delay_ms, std::function<void()> function) {
    return timer(delay_ms, 0, std::move(function));
  }
  // [loop] Calls it each `interval_ms`, the first time after one interval.
  [[nodiscard]] Timer every(std::uint64_t interval_ms, std::function<void()> function) {
    return timer(interval_ms, interval_ms, std::move(function));
  }
  [[nodiscard]] Timer timer(std::uint64_t delay_ms, std::uint64_t interval_ms,
                            std::function<void()> function) {
    auto ticking = std::make_shared<detail::Ticking>(host_, std::move(function));
    detail::Ticking* const user = ticking.get();
    home_->keep(ticking);
    Id id = 0;
    const std::int32_t result =
        host_->timer(host_, delay_ms, interval_ms, detail::Ticking::run, user, &id);
    if (result < 0) {
      home_->take(user);
      throw Error(kInternalError, "no timer: result " + std::to_string(result));
    }
    return Timer(home_, std::move(ticking), id);
  }

  // [any] Calls `function` on the loop. An error (negative): it will not be called. Where the
  // plugin stops before, it is destroyed uncalled.
  template <class Function>
  std::int32_t post(Function function) {
    using Posted = detail::Posted<Function>;
    auto posted = std::make_shared<Posted>(home_.get(), host_, std::move(function));
    Posted* const user = posted.get();
    home_->keep(std::move(posted));
    const std::int32_t result = host_->post(host_, jf_text{nullptr, 0}, Posted::run, user);
    if (result < 0) home_->take(user);
    return result;
  }

  // [any] Runs `work` on a worker thread, then `done` on the loop with an Outcome of what it
  // returned or threw. `work` must not touch what the loop uses. Where the plugin stops before,
  // `done` is destroyed uncalled.
  template <class Work, class Done>
  std::int32_t job(Work work, Done done) {
    using Job = detail::Job<Work, Done>;
    auto made = std::make_shared<Job>(home_.get(), host_, std::move(work), std::move(done));
    Job* const user = made.get();
    home_->keep(std::move(made));
    const std::int32_t result = host_->job(host_, jf_text{nullptr, 0}, Job::run, Job::finish, user);
    if (result < 0) home_->take(user);
    return result;
  }

  using LogFields = std::initializer_list<LogField>;
  // [any] A line of the server's log, under the plugin's name.
  void log_error(std::string_view message, LogFields fields = {}) const {
    log(JF_LOG_ERROR, message, fields);
  }
  void log_warning(std::string_view message, LogFields fields = {}) const {
    log(JF_LOG_WARNING, message, fields);
  }
  void log_info(std::string_view message, LogFields fields = {}) const {
    log(JF_LOG_INFO, message, fields);
  }
  void log_debug(std::string_view message, LogFields fields = {}) const {
    log(JF_LOG_DEBUG, message, fields);
  }
  void log(std::uint32_t level, std::string_view message, LogFields fields) const {
    std::vector<jf_field> raw;
    raw.reserve(fields.size());
    for (const LogField& field : fields) raw.push_back({text(field.key), text(field.value)});
    host_->log(host_, level, text(message), raw.data(), raw.size());
  }

  // Throws where a configuration is not as wanted; call it from `start` and `configure`.
  static void require(const Json& config, const Want& want) {
    const std::string mistake = want.check(config);
    if (!mistake.empty()) throw Error(kInvalidPayload, "configuration: " + mistake);
  }

  // The host's table, for what this wrapper does not cover.
  const jf_host* host() const { return host_; }

  // Used by JACKFIELD_PLUGIN.
  template <class Class>
  static std::int32_t start_entry(const jf_host* host, const jf_start* args, void** instance) {
    constexpr std::size_t needed = offsetof(jf_host, extension) + sizeof(host->extension);
    if (host->size < needed) return JF_E_UNSUPPORTED;
    Plugin* plugin = nullptr;
    const std::int32_t result = detail::guarded(host, "the plugin does not start", [&] {
      const Start start{Json(view(args->config)), args->state_version, view(args->state),
                        view(args->state_from)};
      if (detail::Entries<Class>::save == nullptr) start.expect_none();
      plugin = new Class();
      plugin->host_ = host;
      plugin->home_ = std::make_shared<detail::Home>(host);
      plugin->start(start);
    });
    if (result < 0 && plugin != nullptr) end(plugin, false);
    if (result == JF_OK) *instance = plugin;
    return result;
  }
  static void stop_entry(void* instance) { end(static_cast<Plugin*>(instance), true); }
  static std::int32_t configure_entry(void* instance, jf_text config) {
    Plugin* const plugin = static_cast<Plugin*>(instance);
    return detail::guarded(plugin->host_, "the configuration is not taken",
                           [&] { plugin->configure(Json(view(config))); });
  }
  static std::int32_t save_entry(void* instance, const jf_output* output, std::uint32_t* version) {
    Plugin* const plugin = static_cast<Plugin*>(instance);
    return detail::guarded(plugin->host_, "the state is not saved", [&] {
      std::string state;
      *version = plugin->save(state);
      if (*version != 0 && output->write(output, text(state)) < 0) {
        throw Error(kLimitExceeded, "the host does not take the state");
      }
    });
  }
  static void resume_entry(void* instance) {
    Plugin* const plugin = static_cast<Plugin*>(instance);
    detail::guarded(plugin->host_, "resume failed", [&] { plugin->resume(); });
  }

 private:
  static void end(Plugin* plugin, bool started) noexcept {
    const jf_host* const host = plugin->host_;
    const std::shared_ptr<detail::Home> home = plugin->home_;
    if (started) detail::guarded(host, "stop failed", [&] { plugin->stop(); });
    if (home) home->clear(started);
    delete plugin;
    if (!home) return;
    home->clear(started);
    home->close();
  }

  const jf_host* host_ = nullptr;
  std::shared_ptr<detail::Home> home_;
  std::vector<std::unique_ptr<Channel>> channels_;
};

namespace detail {

// The entries that a class has: those that it does not override are null, which tells the host.
template <class Class>
struct Entries {
  static constexpr auto configure =
      std::is_same_v<decltype(&Class::configure), decltype(&Plugin::configure)>
          ? nullptr
          : &Plugin::configure_entry;
  static constexpr auto save = std::is_same_v<decltype(&Class::save), decltype(&Plugin::save)>
                                   ? nullptr
                                   : &Plugin::save_entry;
  static constexpr auto resume = std::is_same_v<decltype(&Class::resume), decltype(&Plugin::resume)>
                                     ? nullptr
                                     : &Plugin::resume_entry;
};

}  // namespace detail
}  // namespace jf

// Exports CLASS as the plugin of this shared object. Once in one source file, outside of any
// namespace. The texts are literals: a name of [a-z][a-z0-9_-]{0,31}, a version, one line of
// description, an SPDX licence expression.
#define JACKFIELD_PLUGIN(CLASS, NAME, VERSION, DESCRIPTION, LICENSE) \
  JF_PLUGIN = {sizeof(jf_plugin),                                    \
               JF_ABI_MINOR,                                         \
               JF_TEXT(NAME),                                        \
               JF_TEXT(VERSION),                                     \
               JF_TEXT(DESCRIPTION),                                 \
               JF_TEXT(LICENSE),                                     \
               &::jf::Plugin::start_entry<CLASS>,                    \
               &::jf::Plugin::stop_entry,                            \
               ::jf::detail::Entries<CLASS>::configure,              \
               ::jf::detail::Entries<CLASS>::save,                   \
               ::jf::detail::Entries<CLASS>::resume};
