// A host without sockets, for tests of plugins: it implements jf_host in-process, plays the
// clients, and keeps a virtual clock. It answers clients as the server does (protocol.md, version
// 1), replaces the plugin as the server does (jackfield.h, "How a newer generation replaces one"),
// and writes down what a plugin does against the ABI's rules (`faults`). The thread that makes it
// is the loop; `start` and `stop` run on threads of their own. It is a model to test plugins with,
// not the server's code.
#pragma once

#include <jackfield.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace jackfield::test {

// A plugin's shared object, open as long as this lives.
class PluginFile {
 public:
  // NAME.so in the build's folder of plugins; throws std::runtime_error where it does not open.
  explicit PluginFile(const std::string& name);
  ~PluginFile();
  PluginFile(const PluginFile&) = delete;
  PluginFile& operator=(const PluginFile&) = delete;
  const jf_plugin& table() const { return *table_; }

 private:
  void* library_ = nullptr;
  const jf_plugin* table_ = nullptr;
};

class FakeHost {
 public:
  explicit FakeHost(const jf_plugin& plugin);
  ~FakeHost();  // stops the plugin
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  // ---- The plugin's life. Results are the plugin's own.
  std::int32_t start(const std::string& config = "{}", std::uint32_t state_version = 0,
                     const std::string& state = "");
  void stop();
  std::int32_t configure(const std::string& config);
  // The state and its version; the result is negative where it fails.
  std::int32_t save(std::string* state, std::uint32_t* version);
  void resume();

  // ---- Replacing the instance that runs by a new one, with all that belongs to it.
  struct Replacement {
    const jf_plugin* by = nullptr;      // null: the same plugin; outlives the host
    std::optional<std::string> config;  // empty: the one that the old instance has
    // Runs when the old one has saved and the new one has not started. May change what was saved;
    // what clients send meanwhile waits.
    std::function<void(std::uint32_t& version, std::string& state)> after_save;
  };
  // JF_OK, or what `save` or `start` returned: then the old one has resumed and goes on.
  std::int32_t replace(const Replacement& how);
  std::int32_t replace() { return replace(Replacement()); }
  // The same with another state than was saved.
  std::int32_t replace_with_state(std::uint32_t version, const std::string& state);

  // ---- The clients. What a client is told waits in `received`.
  jf_id connect(bool local = true, const std::string& identity = "");
  void close(jf_id connection, std::uint32_t reason = JF_LEAVE_CLOSED);
  void subscribe(jf_id connection, const std::string& topic, const std::string& payload = "{}");
  void unsubscribe(jf_id connection, const std::string& topic);
  void send(jf_id connection, const std::string& topic, const std::string& event,
            const std::string& payload = "{}");
  // "TOPIC EVENT PAYLOAD" of each message since the last call, in order.
  std::vector<std::string> received(jf_id connection);
  // The same, joined by newlines.
  std::string heard(jf_id connection);
  // The payload of the last message in what waits with that event, or "" (takes nothing away).
  std::string last(jf_id connection, const std::string& event);
  // The id of a subscription, or 0.
  jf_id subscription(jf_id connection, const std::string& topic) const;
  bool open(jf_id connection) const { return connections_.count(connection) != 0; }

  // ---- Time and work. Nothing of it happens by itself, and nothing while the plugin is replaced.
  void advance(std::uint64_t ms);  // fires the timers that come due, in order
  void run_posts();
  void run_jobs(bool only_work = false);  // each on a thread of its own, then `done` here
  std::size_t timers() const;
  std::size_t jobs() const;

  const std::vector<std::string>& faults() const { return faults_; }
  // "LEVEL MESSAGE key=value ..." of each line.
  const std::vector<std::string>& log() const { return log_; }
  const std::vector<std::string>& patterns() const;
  std::string headers;           // the value of every header
  const jf_host* table() const;  // of the instance that runs

 private:
  struct Generation;  // one instance, and what is done for it
  class Inside;       // marks that it runs on the loop
  struct Table;       // the host's functions

  struct Channel {
    std::vector<std::string> segments;
    const jf_channel* handlers;
    void* channel;
  };
  struct Match {
    const Channel* channel = nullptr;
    std::vector<std::pair<std::string, std::string>> params;
  };
  struct Peer {
    bool local;
    std::string identity;
    std::vector<std::string> inbox;
  };
  struct Subscription {
    jf_id connection;
    std::string topic;
    std::string bytes;
    bool joined = false;
    jf_id call = 0;             // of its first join, while that waits
    std::uint32_t ended = 0;    // why, where its leave is still to come
  };
  struct Call {
    jf_id connection;
    jf_id subscription;  // of a join; else 0
    std::string topic;
    std::string payload;
    std::vector<std::pair<std::string, std::string>> held;  // what comes after `subscribed`
  };
  struct Timer {
    std::uint64_t due;
    std::uint64_t interval;
    void (*fired)(void*, jf_id);
    void* user;
  };
  struct Post {
    std::string bytes;
    void (*posted)(void*, jf_text);
    void* user;
  };
  struct Job {
    std::string bytes;
    std::int32_t (*work)(void*, jf_text, const jf_output*);
    void (*done)(void*, std::int32_t, jf_text);
    void* user;
    bool worked = false;
    std::int32_t result = JF_OK;
    std::string written;
  };
  struct Kick {
    jf_id target;
    std::string code;
    std::string message;
  };

  // fake_host.cpp
  std::int32_t run_start(Generation& generation, const std::string& config,
                         std::uint32_t state_version, const std::string& state,
                         const std::string& state_from);
  void run_stop(Generation& generation);
  void serve(Generation& generation);
  static void work(Job& job);

  // fake_host_clients.cpp
  static Match find(Generation& generation, const std::string& topic, jf_id connection);
  void deliver(jf_id connection, const std::string& topic, const std::string& event,
               const std::string& payload);
  void deliver_error(jf_id connection, const std::string& topic, const std::string& code,
                     const std::string& message);
  void answer(jf_id call, const std::string& code, const std::string& message);
  void end(jf_id subscription, std::uint32_t reason);
  void leave(Generation& generation, jf_id subscription, std::uint32_t reason);
  void carry_out_kicks();

  // fake_host_replace.cpp
  void hand_over(std::unique_ptr<Generation> fresh);
  void settle_calls();
  bool adopt(Generation& generation, jf_id subscription);
  void leave_ended();

  // fake_host_table.cpp: what the plugin asks for, when it takes effect
  std::int32_t push(jf_id target, const std::string& event, const std::string& payload);
  std::int32_t broadcast(const std::string& topic, const std::string& event,
                         const std::string& payload, jf_id except);
  std::int32_t reply(jf_id call, const std::string& code, const std::string& message);
  std::int32_t kick(jf_id target, const std::string& code, const std::string& message);
  std::int32_t check_loop(const Generation& generation, const char* function);
  void fault(const std::string& what);

  const jf_plugin& plugin_;
  std::string config_ = "{}";
  std::unique_ptr<Generation> current_;
  bool replacing_ = false;                      // what clients send waits
  std::vector<std::function<void()>> parked_;  // in its order
  std::thread::id loop_ = std::this_thread::get_id();
  mutable std::recursive_mutex mutex_;
  jf_id next_ = 1;
  std::uint64_t now_ms_ = 0;
  std::map<jf_id, Peer> connections_;
  std::map<jf_id, Subscription> subscriptions_;
  std::map<jf_id, Call> calls_;
  std::deque<Job> late_jobs_;  // of a start that failed; a worker may be on its way
  std::deque<Kick> kicks_;
  std::vector<std::string> faults_;
  std::vector<std::string> log_;
};

// Whether `json` is one JSON value of RFC 8259, in UTF-8: what the server takes.
bool is_json(std::string_view json);

}  // namespace jackfield::test
