#include "core/plugin/generation.hpp"

#include <cassert>
#include <utility>

#include "core/plugin/guard.hpp"
#include "core/plugin/host_table.hpp"
#include "core/plugin/text.hpp"

namespace jackfield::plugin {
namespace {

std::string result_name(std::int32_t result) {
  switch (result) {
    case JF_E_INTERNAL: return "JF_E_INTERNAL";
    case JF_E_PAYLOAD: return "JF_E_PAYLOAD";
    case JF_E_FORBIDDEN: return "JF_E_FORBIDDEN";
    case JF_E_GONE: return "JF_E_GONE";
    case JF_E_THREAD: return "JF_E_THREAD";
    case JF_E_ARGUMENT: return "JF_E_ARGUMENT";
    case JF_E_JSON: return "JF_E_JSON";
    case JF_E_UNSUPPORTED: return "JF_E_UNSUPPORTED";
    case JF_E_LIMIT: return "JF_E_LIMIT";
    case JF_E_STATE: return "JF_E_STATE";
    default: return std::to_string(result);
  }
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

Generation::Generation(const Surroundings& surroundings, Library library, Manifest manifest)
    : surroundings_(surroundings),
      library_(std::move(library)),
      manifest_(std::move(manifest)),
      host_(make_host_table(*this)) {}

Generation::~Generation() {
  assert(!is_started_ && !is_stuck_ && "a generation is stopped before it goes");
}

std::vector<std::string> Generation::patterns() const {
  std::vector<std::string> patterns;
  for (const auto& channel : channels_) patterns.push_back(channel->pattern());
  return patterns;
}

// ---- from start to stop

base::Status Generation::start(std::string_view config) {
  jf_start args{};
  args.size = sizeof args;
  args.config = to_text(config);
  std::string thrown;
  is_starting_ = true;
  const std::int32_t result =
      guarded([&] { return manifest_.functions.start(&host_, &args, &instance_); },
              [&](const char* what) {
                thrown = what;
                return JF_E_INTERNAL;
              });
  is_starting_ = false;
  if (result >= 0) {
    is_started_ = true;
    return base::Status::ok();
  }
  revoke();
  for (const auto& channel : channels_) {
    surroundings_.hub.remove_channel(*channel, hub::LeaveReason::kUnloaded);
  }
  channels_.clear();
  is_stuck_ = !wait_for_works(std::chrono::seconds(5));
  const std::string& why = thrown.empty() ? start_error_ : thrown;
  return base::Status::failure("its start failed with " + result_name(result) +
                               (why.empty() ? "" : ": " + why));
}

base::Status Generation::stop(hub::LeaveReason reason, std::chrono::milliseconds patience) {
  assert(is_started_ && "stop() of a generation that does not run");
  for (const auto& channel : channels_) surroundings_.hub.remove_channel(*channel, reason);
  revoke();
  is_started_ = false;
  is_stuck_ = !wait_for_works(patience);
  if (is_stuck_) return base::Status::failure("a job of it still runs");
  if (manifest_.functions.stop != nullptr) {
    guarded([&] { manifest_.functions.stop(instance_); },
            [&](const char* what) { log_throw("stop", what); });
  }
  channels_.clear();
  return base::Status::ok();
}

// Ends what the host does for it, in one place: nothing of it runs on the loop after this.
void Generation::revoke() {
  door_->is_open = false;
  for (const auto& [id, timer] : timers_) surroundings_.loop.cancel_timer(timer.loop_timer);
  timers_.clear();
}

bool Generation::wait_for_works(std::chrono::milliseconds patience) {
  std::unique_lock lock(door_->mutex);
  return door_->work_ended.wait_for(lock, patience, [&] { return door_->works_running == 0; });
}

std::int32_t Generation::add_channel(std::string_view pattern, const jf_channel& handlers,
                                     void* channel) {
  if (!is_starting_) return JF_E_STATE;
  auto made = std::make_unique<PluginChannel>(*this, std::string(pattern), handlers, channel);
  if (auto status = surroundings_.hub.add_channel(pattern, *made); !status.is_ok()) {
    surroundings_.log.error("plugin's pattern refused",
                            {{"plugin", manifest_.name}, {"reason", status.message()}});
    return JF_E_ARGUMENT;
  }
  channels_.push_back(std::move(made));
  return JF_OK;
}

// ---- threads

bool Generation::check_thread(std::string_view function) {
  if (surroundings_.loop.is_on_loop()) return true;
  surroundings_.log.error("plugin called a [loop] function from another thread",
                          {{"plugin", manifest_.name}, {"function", function}});
  return false;
}

void Generation::log(base::LogLevel level, std::string_view message, const jf_field* fields,
                     std::size_t count) {
  if (!surroundings_.log.is_on(level)) return;
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
  surroundings_.log.write(level, message, shown.data(), shown.size());
  if (level == base::LogLevel::kError && surroundings_.loop.is_on_loop() && is_starting_) {
    start_error_ = message;
    for (std::size_t i = 1; i < shown.size(); ++i)
      start_error_ += ": " + std::string(shown[i].value());
  }
}

std::int32_t Generation::run_on_loop(std::size_t octets, std::function<void()> task) {
  const std::size_t cost = octets + kPostedCost;
  if (door_->posted_bytes.fetch_add(cost) + cost > kMaxPostedBytes) {
    door_->posted_bytes -= cost;
    return JF_E_LIMIT;
  }
  surroundings_.loop.post([door = door_, task = std::move(task), cost] {
    door->posted_bytes -= cost;
    if (door->is_open) task();
  });
  return JF_OK;
}

std::int32_t Generation::post(std::string_view bytes, void (*posted)(void*, jf_text), void* user) {
  return run_on_loop(bytes.size(), [this, bytes = std::string(bytes), posted, user] {
    guarded([&] { posted(user, to_text(bytes)); },
            [&](const char* what) { log_throw("posted", what); });
  });
}

void Generation::log_throw(std::string_view function, const char* what) {
  surroundings_.log.error("plugin threw an exception across the ABI",
                          {{"plugin", manifest_.name}, {"function", function}, {"what", what}});
}

// ---- timers

std::int32_t Generation::start_timer(std::chrono::milliseconds delay,
                                     std::chrono::milliseconds interval,
                                     void (*fired)(void*, jf_id), void* user, jf_id* timer) {
  if (timers_.size() >= kMaxTimers) return JF_E_LIMIT;
  const jf_id id = surroundings_.ids.next();
  const base::TimerId loop_timer =
      surroundings_.loop.start_timer(delay, interval, [this, id] { fire(id); });
  timers_.emplace(id, Timer{loop_timer, fired, user, interval.count() > 0});
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

void Generation::fire(jf_id id) {
  const auto found = timers_.find(id);
  if (found == timers_.end()) return;
  const Timer timer = found->second;  // a copy: the plugin may cancel it meanwhile
  if (!timer.is_repeated) timers_.erase(found);
  guarded([&] { timer.fired(timer.user, id); },
          [&](const char* what) { log_throw("timer", what); });
}

// ---- jobs

std::int32_t Generation::run_job(std::string_view bytes, Work work, Done done, void* user) {
  const std::size_t size = bytes.size();
  const std::size_t jobs = door_->jobs.fetch_add(1) + 1;
  const std::size_t job_bytes = door_->job_bytes.fetch_add(size) + size;
  if (jobs > kMaxJobs || job_bytes > kMaxJobBytes) {
    --door_->jobs;
    door_->job_bytes -= size;
    return JF_E_LIMIT;
  }
  auto job = std::make_shared<Job>();
  job->bytes = std::string(bytes);
  job->work = work;
  job->done = done;
  job->user = user;
  if (surroundings_.loop.is_on_loop()) {
    begin_job(std::move(job));
  } else {
    surroundings_.loop.post([this, door = door_, job = std::move(job)] {
      if (door->is_open) begin_job(job);
    });
  }
  return JF_OK;
}

void Generation::begin_job(std::shared_ptr<Job> job) {
  // The generation outlives a work that runs: `stop` waits for it, or leaves all of it behind.
  const auto work = [this, door = door_, job] {
    {
      const std::lock_guard lock(door->mutex);
      if (!door->is_open) return;
      ++door->works_running;
    }
    jf_output output{};
    output.size = sizeof output;
    output.impl = job.get();
    output.write = [](const jf_output* self, jf_text bytes) -> std::int32_t {
      auto& written = static_cast<Job*>(self->impl)->output;
      if (!is_valid(bytes)) return JF_E_ARGUMENT;
      if (bytes.size > kMaxOutputBytes - written.size()) return JF_E_LIMIT;
      written += view(bytes);
      return JF_OK;
    };
    job->result = guarded([&] { return job->work(job->user, to_text(job->bytes), &output); },
                          [&](const char* what) {
                            log_throw("work", what);
                            return JF_E_INTERNAL;
                          });
    const std::lock_guard lock(door->mutex);
    --door->works_running;
    door->work_ended.notify_all();
  };
  const auto done = [this, door = door_, job] {
    --door->jobs;
    door->job_bytes -= job->bytes.size();
    if (!door->is_open || job->done == nullptr) return;
    guarded([&] { job->done(job->user, job->result, to_text(job->output)); },
            [&](const char* what) { log_throw("done", what); });
  };
  surroundings_.loop.run_job(work, done);
}

}  // namespace jackfield::plugin
