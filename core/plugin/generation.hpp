// One loaded version of a plugin: its image, its instance, and everything that the host did for it
// (channels, timers, posts, jobs), which ends with it. Its life: `start`, `serve`, then any number
// of `save` and `resume`, then `end`, `stop`. Loop thread, except what is said otherwise at its
// place: `start` and `stop` may run on a thread of their own while the loop turns.
//
// What would call into the plugin while it may not be called (before `serve`, between `save` and
// `resume`) waits here, in its order.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/hub/hub.hpp"
#include "core/plugin/guard.hpp"
#include "core/plugin/host_threads.hpp"
#include "core/plugin/library.hpp"
#include "core/plugin/lingering_threads.hpp"
#include "core/plugin/loaded_image.hpp"
#include "core/plugin/manifest.hpp"
#include "core/plugin/plugin_call.hpp"
#include "core/plugin/plugin_channel.hpp"
#include "jackfield.h"

namespace jackfield::plugin {

// What a plugin is run with. All of it outlives every generation.
struct Surroundings {
  hub::Hub& hub;
  base::Loop& loop;
  base::IdSource& ids;
  base::Log& log;
  HostThreads& host_threads;
};

// What is counted of a plugin over all its generations. Loop thread.
struct Tally {
  std::uint64_t slow_calls = 0;  // that took longer than the budget
  std::chrono::microseconds slowest{0};
};

// What a generation hands over to the next.
struct State {
  std::string bytes;
  std::uint32_t version = 0;  // 0: none
  std::string from;           // the version text of the plugin that saved it
};

class Generation {
 public:
  // Bounds on what one plugin may have in line.
  static constexpr std::size_t kMaxTimers = 10'000;
  static constexpr std::size_t kMaxJobs = 1'000;
  static constexpr std::size_t kMaxPostedBytes = 64 << 20;  // on their way from other threads
  static constexpr std::size_t kPostedCost = 256;           // of each, besides its octets
  static constexpr std::size_t kMaxJobBytes = 64 << 20;     // given to jobs in line or running
  static constexpr std::size_t kMaxKeptBytes = 64 << 10;    // with one subscription
  static constexpr std::size_t kMaxOutputBytes = 64 << 20;  // of one job, or of `save`

  // What it is made of.
  struct Origin {
    Library library;
    Manifest manifest;
    std::uint64_t number = 1;         // counts the generations of one plugin
    std::string crash_key;            // CrashHistory::key
    std::set<pid_t> earlier_threads;  // thread_ids() before its image was opened
    std::shared_ptr<Tally> tally = std::make_shared<Tally>();
  };

  Generation(const Surroundings& surroundings, Origin origin);
  // REQUIRES: ended, or never started; nothing runs that uses it.
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  const Manifest& manifest() const { return manifest_; }
  std::uint64_t number() const { return callee_.generation; }
  const Tally& tally() const { return *tally_; }
  // A call of the plugin on the loop that takes longer is logged and counted; 0: none is.
  void set_budget(std::chrono::microseconds budget) {
    budget_ = budget.count() > 0 ? budget : std::chrono::microseconds::max();
  }
  bool has_jobs() const { return door_->jobs > 0; }  // in line or running
  bool is_started() const { return is_started_; }    // so `stop` is due. REQUIRES: no start runs
  bool is_serving() const { return stage_ == Stage::kServing; }
  bool can_configure() const { return manifest_.functions.configure != nullptr; }

  // Those that its `start` registered, in their order. REQUIRES: its start has returned.
  std::vector<hub::Channel*> channels() const;
  std::vector<std::string> patterns() const;

  // ---- its life

  // Calls the plugin's `start`. Any one thread: it counts as the loop's until this returns. What
  // the plugin does to others meanwhile waits for `serve`. After a failure: `end`.
  base::Status start(std::string_view config, const State& state);
  // From now on it may be called. What it did in its start is carried out.
  void serve();

  base::Status configure(std::string_view config);

  // Its state, for the next generation. Nothing calls the plugin after a success but leaves.
  base::Result<State> save();
  // It goes on as before `save`, also after one that failed.
  void resume();

  // Nothing is done for it any more, and nothing of it is called on the loop but its leaves; works
  // that run go on.
  void end();
  // The same for one whose `start` or `stop` does not return: the loop does nothing for that
  // either.
  void abandon() {
    is_abandoned_ = true;
    end();
  }
  // Waits until no work of it runs, then calls the plugin's `stop`. Any one thread, as `start`.
  // REQUIRES: started, ended.
  void stop();

  // Its image, to be closed when nothing of it can run any more. From now on a crash in it is not
  // known for one of this plugin. REQUIRES: ended.
  Library take_library();
  // The threads, if any, that still run code of its image and are not the host's. Any thread.
  std::vector<LingeringThread> lingering_threads() const;
  // Leaves image and instance to such threads for good. REQUIRES: ended; the generation is then
  // never destroyed.
  void abandon_library() { std::move(library_).abandon(); }
  bool has_running_works() const;

  // ---- what the host table asks for (host_table.cpp)

  // Whether this is the loop's thread. Any thread.
  bool is_on_loop() const { return surroundings_.loop.is_on_loop(); }

  // Runs `task` on the loop: at once where this is its thread; from within `start` or `stop` on
  // another thread, waits for it. JF_E_THREAD, and logged, from everywhere else; JF_E_GONE where
  // the loop cannot do it any more. Any thread.
  template <class Task>
  std::int32_t on_loop(std::string_view function, const Task& task) {
    return is_on_loop() ? task() : ask_loop(function, task);
  }

  // Keeps a text for as long as `start` or `stop` runs on another thread, where what it shows could
  // be changed by the loop meanwhile. On the loop: as it is.
  jf_text lend(std::string_view text);

  // Logs under the plugin's name. Any thread.
  void log(base::LogLevel level, std::string_view message, const jf_field* fields,
           std::size_t count);
  // That a call of the host or by it was given up. Throws nothing. Any thread.
  void log_want_of_memory() noexcept;

  std::int32_t add_channel(std::string_view pattern, const jf_channel& handlers, void* channel);
  std::int32_t post(std::string_view bytes, void (*posted)(void*, jf_text), void* user);  // any
  // Does something to others on the loop, which carries `octets`, unless the generation has ended
  // by then. JF_E_LIMIT where too much is on its way. Any thread.
  std::int32_t run_on_loop(std::size_t octets, std::function<void()> task);
  std::int32_t start_timer(std::chrono::milliseconds delay, std::chrono::milliseconds interval,
                           void (*fired)(void*, jf_id), void* user, jf_id* timer);
  std::int32_t cancel_timer(jf_id timer);
  using Work = std::int32_t (*)(void*, jf_text, const jf_output*);
  using Done = void (*)(void*, std::int32_t, jf_text);
  std::int32_t run_job(std::string_view bytes, Work work, Done done, void* user);  // any

  const Surroundings& surroundings() const { return surroundings_; }

  // The payload that the running function was given: checked already, so that passing it on needs
  // no second check. Null data where none runs.
  std::string_view checked_payload() const { return checked_payload_; }
  void set_checked_payload(std::string_view payload) { checked_payload_ = payload; }

  // ---- calls into the plugin

  // For PluginCall.
  const Callee& callee() const { return callee_; }

  // Runs `function`, which is the call that `running` names, so that an exception out of it and a
  // long time in it are known for what they are. JF_E_INTERNAL where it throws. Any thread.
  template <class Function>
  std::int32_t run(const PluginCall& running, Function function) {
    const std::int32_t result = guarded(function, [&](const char* what) {
      log_throw(running.callback(), what);
      return JF_E_INTERNAL;
    });
    const std::chrono::microseconds elapsed = running.elapsed();
    if (elapsed > budget_.load(std::memory_order_relaxed)) note_slow(running, elapsed);
    return result;
  }

 private:
  enum class Stage : std::uint8_t {
    kNew,      // calls of it wait, and what it does to others
    kServing,  // nothing waits
    kSaved,    // calls of it wait
    kEnded,    // nothing is done any more
  };
  enum class Kind : std::uint8_t { kCall, kOutput };

  struct Timer {
    base::TimerId loop_timer = 0;
    void (*fired)(void*, jf_id) = nullptr;
    void* user = nullptr;
    bool is_repeated = false;
    bool is_due = false;  // and has not fired yet
  };
  struct Job;
  struct Asked;
  class OwnThread;

  // Shared with tasks on their way through other threads, which may outlive the generation.
  struct Door {
    std::atomic<bool> is_open{true};
    std::atomic<std::size_t> posted_bytes{0};
    std::atomic<std::size_t> jobs{0};  // in line or running
    std::atomic<std::size_t> job_bytes{0};
    std::mutex mutex;
    std::condition_variable work_ended;
    std::size_t works_running = 0;  // guarded by mutex
  };

  bool is_on_own_thread() const { return own_thread_ == std::this_thread::get_id(); }
  bool check_thread(std::string_view function) const;
  std::int32_t ask_loop(std::string_view function, const std::function<std::int32_t()>& task);
  void admit(Kind kind, std::function<void()> task);
  std::int32_t run_posted(Kind kind, std::size_t octets, std::function<void()> task);
  void come_due(jf_id timer);
  void fire(jf_id timer);
  void begin_job(std::shared_ptr<Job> job);
  void log_throw(std::string_view function, const char* what);
  template <class Function>
  std::int32_t run(const char* callback, Function function) {
    return run(PluginCall(callee_, callback), function);
  }
  void note_slow(const PluginCall& call, std::chrono::microseconds elapsed);
  void note_error(std::string error);

  Surroundings surroundings_;
  Library library_;
  const Manifest manifest_;
  const Callee callee_;
  std::optional<LoadedImage> image_;
  const std::set<pid_t> earlier_threads_;
  const std::shared_ptr<Tally> tally_;
  std::atomic<std::chrono::microseconds> budget_{std::chrono::milliseconds(50)};
  jf_host host_;
  void* instance_ = nullptr;
  Stage stage_ = Stage::kNew;
  bool is_started_ = false;
  bool is_saved_ = false;  // `resume` is due where the hand-over fails
  std::atomic<bool> is_starting_{false};
  std::atomic<bool> is_abandoned_{false};
  std::atomic<std::thread::id> own_thread_{};  // runs start or stop, where that is not the loop's
  std::string last_error_;                     // what it logged last as an error
  std::deque<std::string> lent_;
  std::vector<std::unique_ptr<PluginChannel>> channels_;
  std::unordered_map<jf_id, Timer> timers_;
  std::vector<std::function<void()>> waiting_;
  std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::string_view checked_payload_;
};

}  // namespace jackfield::plugin
