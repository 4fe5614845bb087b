// One loaded version of a plugin: its image, its instance, and everything that the host did for it
// (channels, timers, posts, jobs), which ends with it. Loop thread, except what is said otherwise
// at its place.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/hub/hub.hpp"
#include "core/plugin/library.hpp"
#include "core/plugin/manifest.hpp"
#include "core/plugin/plugin_channel.hpp"
#include "jackfield.h"

namespace jackfield::plugin {

// What a plugin is run with. All of it outlives every generation.
struct Surroundings {
  hub::Hub& hub;
  base::Loop& loop;
  base::IdSource& ids;
  base::Log& log;
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
  static constexpr std::size_t kMaxOutputBytes = 64 << 20;  // of one job

  Generation(const Surroundings& surroundings, Library library, Manifest manifest);
  // REQUIRES: stopped, or never started; not stuck.
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  const Manifest& manifest() const { return manifest_; }
  // A job did not return after the end: its thread may still use this object and its image, so
  // neither may be destroyed.
  bool is_stuck() const { return is_stuck_; }
  // In the order of registration.
  std::vector<std::string> patterns() const;

  // Calls the plugin's `start`. After a failure nothing of what it registered or began stays, but
  // for a job that does not return in 5 seconds (is_stuck).
  base::Status start(std::string_view config);

  // Leaves for all its subscriptions, then the plugin's `stop`. Waits for jobs that run, at most
  // `patience`; where they take longer, `stop` is not called, and the result is a failure.
  base::Status stop(hub::LeaveReason reason, std::chrono::milliseconds patience);

  // ---- what the host table asks for (host_table.cpp)

  // Whether this is the loop's thread; logs the misuse where it is not. Any thread.
  bool check_thread(std::string_view function);
  // Logs under the plugin's name. Any thread.
  void log(base::LogLevel level, std::string_view message, const jf_field* fields,
           std::size_t count);

  // Logs that a function of the plugin let an exception out.
  void log_throw(std::string_view function, const char* what);

  std::int32_t add_channel(std::string_view pattern, const jf_channel& handlers, void* channel);
  std::int32_t post(std::string_view bytes, void (*posted)(void*, jf_text), void* user);  // any
  // Runs `task`, which carries `octets`, on the loop, unless the generation has ended by then.
  // JF_E_LIMIT where too much is on its way. Any thread.
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

 private:
  struct Timer {
    base::TimerId loop_timer = 0;
    void (*fired)(void*, jf_id) = nullptr;
    void* user = nullptr;
    bool is_repeated = false;
  };
  struct Job;

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

  void fire(jf_id timer);
  void begin_job(std::shared_ptr<Job> job);
  void revoke();
  bool wait_for_works(std::chrono::milliseconds patience);

  Surroundings surroundings_;
  Library library_;
  Manifest manifest_;
  jf_host host_;
  void* instance_ = nullptr;
  bool is_starting_ = false;
  std::string start_error_;  // what it logged last as an error while it started
  bool is_started_ = false;
  bool is_stuck_ = false;
  std::vector<std::unique_ptr<PluginChannel>> channels_;
  std::unordered_map<jf_id, Timer> timers_;
  std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::string_view checked_payload_;
};

}  // namespace jackfield::plugin
