// The clients, and what they send.
#include <utility>

#include "tests/support/fake_host.hpp"
#include "tests/support/fake_host_parts.hpp"

namespace jackfield::test {
namespace {

std::string code_of(std::int32_t result) {
  if (result == JF_E_PAYLOAD) return "INVALID_PAYLOAD";
  if (result == JF_E_FORBIDDEN) return "FORBIDDEN";
  return "INTERNAL_ERROR";
}

}  // namespace

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

FakeHost::Match FakeHost::find(Generation& generation, const std::string& topic,
                               jf_id connection) {
  const std::vector<std::string> segments = split(topic);
  for (const Channel& channel : generation.channels) {
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
      Made made{topic, "", "", match.params};
      made.request.connection = connection;
      const Inside inside(generation);
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

void FakeHost::deliver_error(jf_id connection, const std::string& topic, const std::string& code,
                             const std::string& message) {
  deliver(connection, topic, "error",
          jf::JsonWriter().object().field("code", code).field("message", message).end().take());
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
    deliver_error(call.connection, call.topic, code, message);
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

void FakeHost::subscribe(jf_id connection, const std::string& topic, const std::string& payload) {
  if (replacing_) {
    parked_.push_back([=, this] { subscribe(connection, topic, payload); });
    return;
  }
  if (!open(connection)) return;
  const Match match = find(*current_, topic, connection);
  if (match.channel == nullptr) {
    deliver_error(connection, topic, "INTERNAL_ERROR", "No channel matches topic: " + topic);
    return;
  }
  const jf_id call = next_++;
  jf_id held = subscription(connection, topic);
  if (held == 0) {
    held = next_++;
    subscriptions_[held] = Subscription{connection, topic, "", false, call, 0};
  }
  calls_[call] = Call{connection, held, topic, payload, {}};
  std::int32_t result = JF_OK;
  if (match.channel->handlers->join != nullptr) {
    Made made{topic, "", payload, match.params};
    made.request.call = call;
    made.request.connection = connection;
    made.request.subscription = held;
    const Inside inside(*current_);
    result = match.channel->handlers->join(match.channel->channel, made.fill());
  }
  if (result < 0) answer(call, code_of(result), "refused");
  if (result == JF_OK) answer(call, "", "");
  carry_out_kicks();
}

void FakeHost::unsubscribe(jf_id connection, const std::string& topic) {
  if (replacing_) {
    parked_.push_back([=, this] { unsubscribe(connection, topic); });
    return;
  }
  const jf_id held = subscription(connection, topic);
  if (held != 0) end(held, JF_LEAVE_UNSUBSCRIBED);
  deliver(connection, topic, "unsubscribed", "{}");
  carry_out_kicks();
}

void FakeHost::send(jf_id connection, const std::string& topic, const std::string& event,
                    const std::string& payload) {
  if (replacing_) {
    parked_.push_back([=, this] { send(connection, topic, event, payload); });
    return;
  }
  if (!open(connection)) return;
  const Match match = find(*current_, topic, connection);
  if (match.channel == nullptr || match.channel->handlers->event == nullptr) {
    deliver(connection, topic, "no-event", "null");
    return;
  }
  const jf_id call = next_++;
  calls_[call] = Call{connection, 0, topic, payload, {}};
  Made made{topic, event, payload, match.params};
  made.request.call = call;
  made.request.connection = connection;
  made.request.subscription = subscription(connection, topic);
  std::int32_t result = JF_OK;
  {
    const Inside inside(*current_);
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
  if (found == subscriptions_.end() || found->second.ended != 0) return;
  if (!found->second.joined) {
    calls_.erase(found->second.call);
    subscriptions_.erase(found);
    return;
  }
  found->second.ended = reason;
  if (!replacing_) leave(*current_, id, reason);
}

// It is no subscription any more, but its bytes can still be read.
void FakeHost::leave(Generation& generation, jf_id id, std::uint32_t reason) {
  Subscription& subscription = subscriptions_.at(id);
  subscription.ended = reason;
  const Match match = find(generation, subscription.topic, subscription.connection);
  if (match.channel != nullptr && match.channel->handlers->leave != nullptr) {
    Made made{subscription.topic, "", "", match.params};
    made.request.reason = reason;
    made.request.connection = subscription.connection;
    made.request.subscription = id;
    const Inside inside(generation);
    match.channel->handlers->leave(match.channel->channel, made.fill());
  }
  subscriptions_.erase(id);
}

void FakeHost::carry_out_kicks() {
  while (!replacing_ && !kicks_.empty()) {
    const Kick kick = kicks_.front();
    kicks_.pop_front();
    if (open(kick.target)) {
      close(kick.target, JF_LEAVE_KICKED);
    } else if (const auto found = subscriptions_.find(kick.target); found != subscriptions_.end()) {
      deliver_error(found->second.connection, found->second.topic, kick.code, kick.message);
      end(kick.target, JF_LEAVE_KICKED);
    }
  }
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
  for (const auto& [id, each] : subscriptions_) {
    if (each.connection == connection && each.topic == topic && each.ended == 0) return id;
  }
  return 0;
}

}  // namespace jackfield::test
