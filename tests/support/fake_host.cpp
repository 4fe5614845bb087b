// The plugin's life, time and work.
#include "tests/support/fake_host.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <stdexcept>

#include "core/wire/json_text.hpp"
#include "tests/support/fake_host_parts.hpp"

// Where the plugins of this build are.
#if !defined(JACKFIELD_PLUGIN_DIR)
#define JACKFIELD_PLUGIN_DIR JACKFIELD_PLUGINS
#endif

namespace jackfield::test {
namespace {

std::int32_t append(const jf_output* output, jf_text bytes) {
  static_cast<std::string*>(output->impl)->append(jf::view(bytes));
  return JF_OK;
}

}  // namespace

bool is_json(std::string_view json) { return wire::is_json(json); }

PluginFile::PluginFile(const std::string& name) {
  const std::string path = std::string(JACKFIELD_PLUGIN_DIR) + "/" + name + ".so";
  library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) throw std::runtime_error(dlerror());
  table_ = static_cast<const jf_plugin*>(dlsym(library_, JF_SYMBOL_NAME));
  if (table_ == nullptr) throw std::runtime_error(path + " has no " JF_SYMBOL_NAME);
}

PluginFile::~PluginFile() { dlclose(library_); }

FakeHost::FakeHost(const jf_plugin& plugin)
    : plugin_(plugin), current_(std::make_unique<Generation>(*this, plugin)) {}

FakeHost::~FakeHost() { stop(); }

const jf_host* FakeHost::table() const { return &current_->table; }
const std::vector<std::string>& FakeHost::patterns() const { return current_->patterns; }
std::size_t FakeHost::timers() const { return current_->timers.size(); }
std::size_t FakeHost::jobs() const { return current_->jobs.size() + late_jobs_.size(); }

void FakeHost::fault(const std::string& what) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(what);
}

// ---- from start to stop

std::int32_t FakeHost::run_start(Generation& generation, const std::string& config,
                                 std::uint32_t state_version, const std::string& state,
                                 const std::string& state_from) {
  jf_start args{};
  args.size = sizeof args;
  args.state_version = state_version;
  args.config = text(config);
  args.state = text(state);
  args.state_from = text(state_from);
  std::int32_t result = JF_OK;
  generation.is_starting = true;
  generation.on_own_thread(
      [&] { result = generation.plugin.start(&generation.table, &args, &generation.instance); });
  generation.is_starting = false;
  generation.is_started = result >= 0;
  if (result >= 0) return result;
  generation.channels.clear();
  generation.patterns.clear();
  generation.timers.clear();
  generation.posts.clear();
  generation.effects.clear();
  for (Job& job : generation.jobs) late_jobs_.push_back(std::move(job));
  generation.jobs.clear();
  return result;
}

void FakeHost::serve(Generation& generation) {
  for (const auto& effect : std::exchange(generation.effects, {})) effect();
}

void FakeHost::run_stop(Generation& generation) {
  generation.timers.clear();
  generation.on_own_thread([&] { generation.plugin.stop(generation.instance); });
  generation.is_started = false;
  generation.channels.clear();
  generation.timers.clear();
  generation.posts.clear();
  generation.jobs.clear();
}

std::int32_t FakeHost::start(const std::string& config, std::uint32_t state_version,
                             const std::string& state) {
  if (current_->is_started) fault("started while it runs");
  current_ = std::make_unique<Generation>(*this, plugin_);
  config_ = config;
  const std::int32_t result =
      run_start(*current_, config, state_version, state, state_version != 0 ? "1.0.0" : "");
  if (result >= 0) serve(*current_);
  carry_out_kicks();
  return result;
}

void FakeHost::stop() {
  if (!current_->is_started) return;
  while (!subscriptions_.empty()) end(subscriptions_.begin()->first, JF_LEAVE_SHUTDOWN);
  run_stop(*current_);
}

std::int32_t FakeHost::configure(const std::string& config) {
  if (current_->plugin.configure == nullptr) return JF_E_UNSUPPORTED;
  const Inside inside(*current_);
  const std::int32_t result = current_->plugin.configure(current_->instance, text(config));
  if (result >= 0) config_ = config;
  return result;
}

std::int32_t FakeHost::save(std::string* state, std::uint32_t* version) {
  state->clear();
  *version = 0;
  if (current_->plugin.save == nullptr) return JF_OK;
  const jf_output output = {sizeof output, state, append};
  const Inside inside(*current_);
  return current_->plugin.save(current_->instance, &output, version);
}

void FakeHost::resume() {
  const Inside inside(*current_);
  if (current_->plugin.resume != nullptr) current_->plugin.resume(current_->instance);
}

// ---- time and work

void FakeHost::advance(std::uint64_t ms) {
  const std::uint64_t until = now_ms_ + ms;
  std::map<jf_id, Timer>& timers = current_->timers;
  while (!current_->is_held) {
    auto next = timers.end();
    for (auto timer = timers.begin(); timer != timers.end(); ++timer) {
      if (timer->second.due > until) continue;
      if (next == timers.end() || timer->second.due < next->second.due) next = timer;
    }
    if (next == timers.end()) break;
    const jf_id id = next->first;
    const Timer timer = next->second;
    now_ms_ = std::max(now_ms_, timer.due);
    if (timer.interval == 0) {
      timers.erase(next);
    } else {
      // One that has fallen behind skips.
      while (next->second.due <= now_ms_) next->second.due += timer.interval;
    }
    const Inside inside(*current_);
    timer.fired(timer.user, id);
  }
  now_ms_ = until;
  carry_out_kicks();
}

void FakeHost::run_posts() {
  while (!current_->is_held && !current_->posts.empty()) {
    const Post post = std::move(current_->posts.front());
    current_->posts.pop_front();
    const Inside inside(*current_);
    post.posted(post.user, text(post.bytes));
  }
  carry_out_kicks();
}

void FakeHost::work(Job& job) {
  std::thread([&] {
    const jf_output output = {sizeof output, &job.written, append};
    job.result = job.work(job.user, text(job.bytes), &output);
  }).join();
  job.worked = true;
}

void FakeHost::run_jobs(bool only_work) {
  for (Job& job : late_jobs_) work(job);
  late_jobs_.clear();
  std::deque<Job>& jobs = current_->jobs;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!jobs[i].worked) work(jobs[i]);
  }
  while (!only_work && !current_->is_held && !jobs.empty()) {
    Job job = std::move(jobs.front());
    jobs.pop_front();
    if (!job.worked) work(job);
    const Inside inside(*current_);
    job.done(job.user, job.result, text(job.written));
  }
  carry_out_kicks();
}

}  // namespace jackfield::test
