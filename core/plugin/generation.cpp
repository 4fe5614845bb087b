#include "core/plugin/generation.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/plugin/crash_handler.hpp"
#include "core/plugin/host_table.hpp"
#include "core/plugin/result_name.hpp"
#include "core/plugin/text.hpp"

namespace jackfield::plugin {
namespace {

// Where the plugin writes what the host keeps: a jf_output into a string.
class Output {
 public:
  explicit Output(std::string& bytes) {
    table_.size = sizeof table_;
    table_.impl = &bytes;
    table_.write = [](const jf_output* self, jf_text text) -> std::int32_t {
      auto& written = *static_cast<std::string*>(self->impl);
      if (!is_valid(text)) return JF_E_ARGUMENT;
      if (text.size > Generation::kMaxOutputBytes - written.size()) return JF_E_LIMIT;
      try {
        written += view(text);
      } catch (const std::bad_alloc&) {  // nothing unwinds into the plugin
        return JF_E_INTERNAL;
      }
      return JF_OK;
    };
  }

  const jf_output* table() const { return &table_; }

 private:
  jf_output table_{};
};

base::Status failure(const char* function, std::int32_t result, const std::string& why) {
  return base::Status::failure(std::string("its ") + function + " failed with " +
                               result_name(result) + (why.empty() ? "" : ": " + why));
}

}  // namespace

// What a job carries between the loop and a worker.
struct Generation::Job {
  std::string bytes;
  std::string output;
  std::int32_t result = JF_OK;
  Work work = nullptr;
  Done done = nullptr;
  void* user = nullptr;
};

// A question of another thread to the loop.
struct Generation::Asked {
  std::mutex mutex;
  std::condition_variable answered;
  std::int32_t result = JF_E_GONE;  // where the loop ends before it comes to it
  bool is_answered = false;
};

// Marks this thread as the one that runs the plugin's start or stop.
class Generation::OwnThread {
 public:
  explicit OwnThread(Generation& generation) : generation_(generation) {
    if (!generation.is_on_loop()) generation_.own_thread_ = std::this_thread::get_id();
  }
  ~OwnThread() {
    generation_.own_thread_ = std::thread::id();
    generation_.lent_.clear();
  }
  OwnThread(const OwnThread&) = delete;
  OwnThread& operator=(const OwnThread&) = delete;

 private:
  Generation& generation_;
};

Generation::Generation(const Surroundings& surroundings, Origin origin)
    : surroundings_(surroundings),
      library_(std::move(origin.library)),
      manifest_(std::move(origin.manifest)),
      callee_{manifest_.name, manifest_.version, origin.number, std::move(origin.crash_key)},
      earlier_threads_(std::move(origin.earlier_threads)),
      tally_(std::move(origin.tally)),
      host_(make_host_table(*this)) {
  if (const auto code = CodeRange::of(&library_.table())) image_.emplace(*code, callee_);
}

Generation::~Generation() {
  assert((stage_ == Stage::kEnded || !is_started_) && "a generation is ended before it goes");
}

std::vector<hub::Channel*> Generation::channels() const {
  std::vector<hub::Channel*> channels;
  for (const auto& channel : channels_) channels.push_back(channel.get());
  return channels;
}

std::vector<std::string> Generation::patterns() const {
  std::vector<std::string> patterns;
  for (const auto& channel : channels_) patterns.push_back(channel->pattern().text());
  return patterns;
}

Library Generation::take_library() {
  assert((stage_ == Stage::kEnded || !is_started_) && "an image is taken when all is ended");
  image_.reset();
  return std::move(library_);
}

std::vector<LingeringThread> Generation::lingering_threads() const {
  return threads_in(library_.ranges_to_unmap(), surroundings_.host_threads.ids(), earlier_threads_);
}

bool Generation::has_running_works() const {
  const std::lock_guard lock(door_->mutex);
  return door_->works_running > 0;
}

// ---- its life

base::Status Generation::start(std::string_view config, const State& state) {
  jf_start args{};
  args.size = sizeof args;
  args.state_version = state.version;
  args.config = to_text(config);
  args.state = to_text(state.bytes);
  args.state_from = to_text(state.from);
  const OwnThread here(*this);
  is_starting_ = true;
  const std::int32_t result =
      run("start", [&] { return manifest_.functions.start(&host_, &args, &instance_); });
  is_starting_ = false;
  is_started_ = result >= 0;
  return is_started_ ? base::Status::ok() : failure("start", result, last_error_);
}

void Generation::serve() {
  stage_ = Stage::kServing;
  for (const auto& task : std::exchange(waiting_, {})) task();
}

base::Status Generation::configure(std::string_view config) {
  last_error_.clear();
  const std::int32_t result =
      run("configure", [&] { return manifest_.functions.configure(instance_, to_text(config)); });
  return result >= 0 ? base::Status::ok() : failure("configure", result, last_error_);
}

base::Result<State> Generation::save() {
  assert(stage_ == Stage::kServing && "save() of a generation that does not serve");
  stage_ = Stage::kSaved;
  State state;
  if (manifest_.functions.save == nullptr) return state;
  is_saved_ = true;
  last_error_.clear();
  const Output output(state.bytes);
  std::uint32_t version = 0;
  const std::int32_t result =
      run("save", [&] { return manifest_.functions.save(instance_, output.table(), &version); });
  if (result < 0) {
    return base::Result<State>::failure(failure("save", result, last_error_).message());
  }
  if (version == 0) return State();
  state.version = version;
  state.from = manifest_.version;
  return state;
}

void Generation::resume() {
  assert(stage_ == Stage::kSaved && "resume() without save()");
  if (std::exchange(is_saved_, false) && manifest_.functions.resume != nullptr) {
    run("resume", [&] {
      manifest_.functions.resume(instance_);
      return JF_OK;
    });
  }
  serve();
}

// Ends what the host does for it, in one place.
void Generation::end() {
  stage_ = Stage::kEnded;
  door_->is_open = false;
  for (const auto& [id, timer] : timers_) surroundings_.loop.cancel_timer(timer.loop_timer);
  timers_.clear();
  waiting_.clear();
}

void Generation::stop() {
  assert(is_started_ && !door_->is_open && "stop() comes after start() and end()");
  {
    std::unique_lock lock(door_->mutex);
    door_->work_ended.wait(lock, [&] { return door_->works_running == 0; });
  }
  if (manifest_.functions.stop == nullptr) return;
  const OwnThread here(*this);
  run("stop", [&] {
    manifest_.functions.stop(instance_);
    return JF_OK;
  });
}

// ---- for the host table

bool Generation::check_thread(std::string_view function) const {
  if (is_on_loop() || is_on_own_thread()) return true;
  surroundings_.log.error("plugin called a [loop] function from another thread",
                          {{"plugin", manifest_.name}, {"function", function}});
  return false;
}

std::int32_t Generation::ask_loop(std::string_view function,
                                  const std::function<std::int32_t()>& task) {
  if (!check_thread(function)) return JF_E_THREAD;
  // The loop destroys what it does not come to; that is an answer too.
  struct Answer {
    std::shared_ptr<Asked> asked = std::make_shared<Asked>();
    ~Answer() {
      const std::lock_guard lock(asked->mutex);
      asked->is_answered = true;
      asked->answered.notify_all();
    }
  };
  auto answer = std::make_shared<Answer>();
  const std::shared_ptr<Asked> asked = answer->asked;
  surroundings_.loop.post([this, &task, answer = std::move(answer)] {
    if (is_abandoned_) return;
    try {
      answer->asked->result = task();
    } catch (const std::bad_alloc&) {
      answer->asked->result = JF_E_INTERNAL;
      log_want_of_memory();
    }
  });
  std::unique_lock lock(asked->mutex);
  asked->answered.wait(lock, [&] { return asked->is_answered; });
  return asked->result;
}

jf_text Generation::lend(std::string_view text) {
  if (own_thread_.load() == std::thread::id()) return to_text(text);
  return to_text(lent_.emplace_back(text));
}

std::int32_t Generation::add_channel(std::string_view pattern, const jf_channel& handlers,
                                     void* channel) {
  if (!check_thread("channel")) return JF_E_THREAD;
  if (!is_starting_) return JF_E_STATE;
  auto parsed = hub::Pattern::parse(pattern);
  if (!parsed.is_ok()) {
    surroundings_.log.error("plugin's pattern refused",
                            {{"plugin", manifest_.name}, {"reason", parsed.message()}});
    return JF_E_ARGUMENT;
  }
  channels_.push_back(
      std::make_unique<PluginChannel>(*this, std::move(parsed.value()), handlers, channel));
  return JF_OK;
}

void Generation::log(base::LogLevel level, std::string_view message, const jf_field* fields,
                     std::size_t count) {
  if (!surroundings_.log.is_on(level) && level != base::LogLevel::kError) return;
  std::vector<base::LogField> shown;
  shown.reserve(count + 1);
  shown.emplace_back("plugin", std::string_view(manifest_.name));
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_key = is_valid(fields[i].key) && fields[i].key.size > 0 &&
                        is_valid(fields[i].value) &&
                        view(fields[i].key)
                                .find_first_not_of(
                                    "abcdefghijklmnopqrstuvwxyz"
                                    "0123456789_") == std::string_view::npos;
    if (is_key) shown.emplace_back(view(fields[i].key), view(fields[i].value));
  }
  if (surroundings_.log.is_on(level)) {
    surroundings_.log.write(level, message, shown.data(), shown.size());
  }
  if (level != base::LogLevel::kError) return;
  std::string error(message);
  for (std::size_t i = 1; i < shown.size(); ++i) error += ": " + std::string(shown[i].value());
  note_error(std::move(error));
}

// The last one is the reason that is given where its start, save or configure fails.
void Generation::note_error(std::string error) {
  if (is_on_loop() || is_on_own_thread()) last_error_ = std::move(error);
}

void Generation::log_throw(std::string_view function, const char* what) {
  surroundings_.log.error("plugin threw an exception across the ABI",
                          {{"plugin", manifest_.name}, {"function", function}, {"what", what}});
  try {
    note_error(what);
  } catch (const std::bad_alloc&) {  // there is none to note it
  }
}

void Generation::log_want_of_memory() noexcept {
  surroundings_.log.error("no memory for what a plugin wants", {{"plugin", manifest_.name}});
}

void Generation::note_slow(const PluginCall& call, std::chrono::microseconds elapsed) {
  if (!is_on_loop() || is_starting_) return;  // it held up nobody
  ++tally_->slow_calls;
  tally_->slowest = std::max(tally_->slowest, elapsed);
  surroundings_.log.warning("plugin held up the loop", {{"plugin", manifest_.name},
                                                        {"version", manifest_.version},
                                                        {"function", call.callback()},
                                                        {"channel", call.pattern()},
                                                        {"topic", call.topic()},
                                                        {"event", call.event()},
                                                        {"ms", elapsed.count() / 1000}});
}

// ---- what comes from other threads and from the loop's clock

// The one gate: what calls the plugin, or was done by it, waits where it may not be done now.
void Generation::admit(Kind kind, std::function<void()> task) {
  const bool must_wait = stage_ == Stage::kNew || (stage_ == Stage::kSaved && kind == Kind::kCall);
  if (must_wait) {
    waiting_.push_back(std::move(task));
  } else if (stage_ != Stage::kEnded) {
    task();
  }
}

std::int32_t Generation::run_posted(Kind kind, std::size_t octets, std::function<void()> task) {
  const std::size_t cost = octets + kPostedCost;
  if (door_->posted_bytes.fetch_add(cost) + cost > kMaxPostedBytes) {
    door_->posted_bytes -= cost;
    return JF_E_LIMIT;
  }
  auto posted = [this, kind, door = door_, task = std::move(task), cost]() mutable {
    if (!door->is_open) return;
    try {
      admit(kind, [this, door, task = std::move(task), cost] {
        door->posted_bytes -= cost;
        try {
          task();
        } catch (const std::bad_alloc&) {
          log_want_of_memory();
        }
      });
    } catch (const std::bad_alloc&) {  // it could not be kept until it may be done
      door->posted_bytes -= cost;
      log_want_of_memory();
    }
  };
  try {
    surroundings_.loop.post(std::move(posted));
  } catch (const std::bad_alloc&) {
    door_->posted_bytes -= cost;
    throw;
  }
  return JF_OK;
}

std::int32_t Generation::run_on_loop(std::size_t octets, std::function<void()> task) {
  return run_posted(Kind::kOutput, octets, std::move(task));
}

std::int32_t Generation::post(std::string_view bytes, void (*posted)(void*, jf_text), void* user) {
  return run_posted(Kind::kCall, bytes.size(), [this, bytes = std::string(bytes), posted, user] {
    run("posted", [&] {
      posted(user, to_text(bytes));
      return JF_OK;
    });
  });
}

// ---- timers

std::int32_t Generation::start_timer(std::chrono::milliseconds delay,
                                     std::chrono::milliseconds interval,
                                     void (*fired)(void*, jf_id), void* user, jf_id* timer) {
  if (stage_ == Stage::kEnded) return JF_E_GONE;
  if (timers_.size() >= kMaxTimers) return JF_E_LIMIT;
  const jf_id id = surroundings_.ids.next();
  const auto made = timers_.emplace(id, Timer{0, fired, user, interval.count() > 0}).first;
  try {
    made->second.loop_timer =
        surroundings_.loop.start_timer(delay, interval, [this, id] { come_due(id); });
  } catch (const std::bad_alloc&) {
    timers_.erase(made);
    throw;
  }
  if (timer != nullptr) *timer = id;
  return JF_OK;
}

std::int32_t Generation::cancel_timer(jf_id id) {
  const auto found = timers_.find(id);
  if (found == timers_.end()) return JF_E_GONE;
  surroundings_.loop.cancel_timer(found->second.loop_timer);
  timers_.erase(found);
  return JF_OK;
}

// Where it comes due again before it could fire, that time is skipped.
void Generation::come_due(jf_id id) {
  const auto found = timers_.find(id);
  if (found == timers_.end() || std::exchange(found->second.is_due, true)) return;
  admit(Kind::kCall, [this, id] { fire(id); });
}

void Generation::fire(jf_id id) {
  const auto found = timers_.find(id);
  if (found == timers_.end()) return;
  found->second.is_due = false;
  const Timer timer = found->second;  // a copy: the plugin may cancel it meanwhile
  if (!timer.is_repeated) timers_.erase(found);
  run("timer", [&] {
    timer.fired(timer.user, id);
    return JF_OK;
  });
}

// ---- jobs

std::int32_t Generation::run_job(std::string_view bytes, Work work, Done done, void* user) {
  auto job = std::make_shared<Job>();
  const std::size_t size = bytes.size();
  if (size <= kMaxJobBytes) job->bytes = std::string(bytes);
  const std::size_t jobs = door_->jobs.fetch_add(1) + 1;
  const std::size_t job_bytes = door_->job_bytes.fetch_add(size) + size;
  if (jobs > kMaxJobs || job_bytes > kMaxJobBytes) {
    --door_->jobs;
    door_->job_bytes -= size;
    return JF_E_LIMIT;
  }
  job->work = work;
  job->done = done;
  job->user = user;
  auto begin = [this, door = door_, job = std::move(job)] {
    if (door->is_open) admit(Kind::kCall, [this, job] { begin_job(job); });
  };
  try {
    if (is_on_loop()) {
      begin();
    } else {
      surroundings_.loop.post(std::move(begin));
    }
  } catch (const std::bad_alloc&) {  // also of a job that would begin at once
    --door_->jobs;
    door_->job_bytes -= size;
    throw;
  }
  return JF_OK;
}

void Generation::begin_job(std::shared_ptr<Job> job) {
  // The generation outlives a work that runs: `stop` waits for it.
  const auto work = [this, door = door_, job] {
    {
      const std::lock_guard lock(door->mutex);
      if (!door->is_open) return;
      ++door->works_running;
      surroundings_.host_threads.add();
    }
    // A worker lives on, and each work of a plugin that it runs may crash in it.
    thread_local const CrashStack stack;
    const Output output(job->output);
    job->result =
        run("work", [&] { return job->work(job->user, to_text(job->bytes), output.table()); });
    const std::lock_guard lock(door->mutex);
    --door->works_running;
    door->work_ended.notify_all();
  };
  const auto done = [this, door = door_, job] {
    --door->jobs;
    door->job_bytes -= job->bytes.size();
    if (!door->is_open || job->done == nullptr) return;
    admit(Kind::kCall, [this, job] {
      run("done", [&] {
        job->done(job->user, job->result, to_text(job->output));
        return JF_OK;
      });
    });
  };
  surroundings_.loop.run_job(work, done);
}

}  // namespace jackfield::plugin
