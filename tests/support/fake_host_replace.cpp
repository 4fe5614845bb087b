// Replacing the instance that runs, step by step as jackfield.h has it. The time for which the old
// one may finish what it began is over at once: a test lets it finish before.
#include <utility>

#include "tests/support/fake_host.hpp"
#include "tests/support/fake_host_parts.hpp"

namespace jackfield::test {

std::int32_t FakeHost::replace_with_state(std::uint32_t version, const std::string& state) {
  Replacement how;
  how.after_save = [&](std::uint32_t& saved_version, std::string& saved) {
    saved_version = version;
    saved = state;
  };
  return replace(how);
}

std::int32_t FakeHost::replace(const Replacement& how) {
  Generation& old = *current_;
  replacing_ = true;
  old.is_held = true;
  std::string state;
  std::uint32_t version = 0;
  std::int32_t result = save(&state, &version);
  if (result >= 0) {
    if (how.after_save) how.after_save(version, state);
    auto fresh = std::make_unique<Generation>(*this, how.by != nullptr ? *how.by : old.plugin);
    const std::string config = how.config.value_or(config_);
    result = run_start(*fresh, config, version, state, version != 0 ? str(old.plugin.version) : "");
    if (result >= 0) {
      config_ = config;
      hand_over(std::move(fresh));
    }
  }
  if (result < 0) {
    resume();
    old.is_held = false;
    leave_ended();
  }
  replacing_ = false;
  carry_out_kicks();
  for (const auto& message : std::exchange(parked_, {})) message();
  return result;
}

void FakeHost::hand_over(std::unique_ptr<Generation> fresh) {
  settle_calls();
  std::vector<jf_id> ids;
  for (const auto& [id, subscription] : subscriptions_) ids.push_back(id);
  for (const jf_id id : ids) {
    if (adopt(*fresh, id)) continue;
    const Subscription subscription = subscriptions_.at(id);
    if (subscription.ended == 0) {
      deliver_error(subscription.connection, subscription.topic, "CHANNEL_UNLOADED",
                    "The channel of this topic was unloaded");
    }
    leave(*current_, id, subscription.ended != 0 ? subscription.ended : JF_LEAVE_UNLOADED);
  }
  const std::unique_ptr<Generation> old = std::exchange(current_, std::move(fresh));
  leave_ended();
  serve(*current_);
  run_stop(*old);
}

// What the old one has not answered: a join is asked again, an event fails.
void FakeHost::settle_calls() {
  std::vector<std::function<void()>> again;
  for (auto& [id, call] : std::exchange(calls_, {})) {
    if (call.subscription == 0) {
      deliver_error(call.connection, call.topic, "INTERNAL_ERROR",
                    "The channel was replaced before it answered");
      continue;
    }
    const auto joining = subscriptions_.find(call.subscription);
    if (joining != subscriptions_.end() && !joining->second.joined) subscriptions_.erase(joining);
    again.push_back([this, connection = call.connection, topic = call.topic,
                     payload = call.payload] { subscribe(connection, topic, payload); });
  }
  parked_.insert(parked_.begin(), again.begin(), again.end());
}

bool FakeHost::adopt(Generation& generation, jf_id id) {
  const Subscription& subscription = subscriptions_.at(id);
  const Match match = find(generation, subscription.topic, subscription.connection);
  if (match.channel == nullptr) return false;
  if (match.channel->handlers->adopt == nullptr) return true;
  Made made{subscription.topic, "", "", match.params};
  made.request.connection = subscription.connection;
  made.request.subscription = id;
  const Inside inside(generation);
  return match.channel->handlers->adopt(match.channel->channel, made.fill()) >= 0;
}

// Those that have ended while the plugin was being replaced.
void FakeHost::leave_ended() {
  std::vector<std::pair<jf_id, std::uint32_t>> ended;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.ended != 0) ended.emplace_back(id, subscription.ended);
  }
  for (const auto& [id, reason] : ended) leave(*current_, id, reason);
}

}  // namespace jackfield::test
