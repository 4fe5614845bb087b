#include "core/plugin/changeover.hpp"

#include <utility>

namespace jackfield::plugin {
namespace {

constexpr std::chrono::milliseconds kOnce{0};
// How often it is looked whether the old generation has done what was begun.
constexpr std::chrono::milliseconds kDrainPeriod{2};

}  // namespace

// Shared by the loop and the thread that runs the start, of which either may be the last.
struct Changeover::Start {
  std::unique_ptr<Generation> fresh;
  State state;
  std::string config;
  base::Status status = base::Status::ok();
  Changeover* change = nullptr;  // null once it was given up; loop thread
};

Changeover::Changeover(const Surroundings& surroundings, Errands& errands, Parts parts, Done done,
                       Returned returned)
    : surroundings_(surroundings),
      errands_(errands),
      parts_(std::move(parts)),
      done_(std::move(done)),
      returned_(std::move(returned)) {}

Changeover::~Changeover() {
  if (timer_ != 0) surroundings_.loop.cancel_timer(timer_);
}

void Changeover::begin() {
  held_at_ = base::Loop::now();
  if (parts_.old == nullptr) {
    start({});
    return;
  }
  surroundings_.hub.hold(parts_.old->channels());
  drain();
}

// A job's end may be what answers a message that was taken long ago, so they count too.
void Changeover::drain() {
  timer_ = 0;
  const bool is_idle = surroundings_.hub.pending_of_held() == 0 && !parts_.old->has_jobs();
  const bool is_over = base::Loop::now() - held_at_ >= parts_.drain_timeout;
  if (is_idle || is_over) {
    save_and_start();
  } else {
    timer_ = surroundings_.loop.start_timer(kDrainPeriod, kOnce, [this] { drain(); });
  }
}

void Changeover::save_and_start() {
  surroundings_.hub.freeze();
  is_saved_ = true;
  auto state = parts_.old->save();
  if (!state.is_ok()) {
    roll_back(base::Status::failure("the generation before cannot hand over: " + state.message()));
    return;
  }
  start(std::move(state.value()));
}

void Changeover::start(State state) {
  start_ = std::make_shared<Start>();
  start_->fresh = std::move(parts_.fresh);
  start_->state = std::move(state);
  start_->config = std::move(parts_.config);
  start_->change = this;
  const base::Status status = errands_.run(
      "jf-start",
      [start = start_] {
        try {
          start->status = start->fresh->start(start->config, start->state);
        } catch (const std::bad_alloc&) {
          start->status = base::Status::failure("out of memory");
        }
      },
      parts_.start_timeout,
      [start = start_, limit = parts_.start_timeout] {
        if (start->change == nullptr) return;
        start->change->give_up("its start did not return within " + std::to_string(limit.count()) +
                               " ms");
      },
      [start = start_, returned = returned_] {
        if (start->change != nullptr) {
          start->change->started();
        } else {
          returned(std::move(start->fresh));
        }
      });
  if (status.is_ok()) return;
  parts_.fresh = std::move(start_->fresh);
  start_.reset();
  roll_back(status);
}

void Changeover::started() {
  const std::shared_ptr<Start> start = std::exchange(start_, nullptr);
  parts_.fresh = std::move(start->fresh);
  if (!start->status.is_ok()) {
    parts_.fresh->end();
    roll_back(start->status);
    return;
  }
  Outcome outcome;
  hub::Hub& hub = surroundings_.hub;
  hub.set_channels(parts_.order(*parts_.fresh));
  if (parts_.old != nullptr) outcome.handed_over = hub.hand_over(parts_.fresh->channels());
  parts_.fresh->serve();
  if (parts_.old != nullptr) hub.release();
  outcome.fresh = std::move(parts_.fresh);
  finish(std::move(outcome));
}

void Changeover::give_up(const std::string& why) {
  if (start_ != nullptr) {
    start_->change = nullptr;
    start_->fresh->abandon();
    start_.reset();
  }
  roll_back(base::Status::failure(why));
}

void Changeover::roll_back(base::Status why) {
  if (is_saved_) parts_.old->resume();
  if (parts_.old != nullptr) surroundings_.hub.release();
  Outcome outcome;
  outcome.status = std::move(why);
  outcome.fresh = std::move(parts_.fresh);
  finish(std::move(outcome));
}

void Changeover::finish(Outcome outcome) {
  outcome.pause = base::Loop::now() - held_at_;
  const Done done = std::move(done_);
  done(std::move(outcome));
}

}  // namespace jackfield::plugin
