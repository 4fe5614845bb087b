// Channels that come and go while clients stay: held, handed over to their successors, retired.
#include <algorithm>
#include <cassert>
#include <utility>

#include "core/hub/hub.hpp"
#include "core/hub/words.hpp"

namespace jackfield::hub {
namespace {

bool contains(const std::vector<Channel*>& channels, const Channel* channel) {
  return std::find(channels.begin(), channels.end(), channel) != channels.end();
}

}  // namespace

void Hub::set_channels(const std::vector<Channel*>& channels) {
  router_.set(channels);
  router_.hold(hold_.channels);
}

std::size_t Hub::subscription_count(const std::vector<Channel*>& channels) const {
  return subscriptions_.of_channels(channels).size();
}

// ---- held

void Hub::hold(const std::vector<Channel*>& channels) {
  assert(hold_.channels.empty() && "one hold at a time");
  hold_.channels = channels;
  router_.hold(channels);
}

bool Hub::is_held(const Channel& channel) const { return contains(hold_.channels, &channel); }

std::size_t Hub::pending_of_held() const {
  std::size_t count = 0;
  pending_calls_.for_each([&](const Call& call) {
    if (is_held(*call.channel)) ++count;
  });
  return count;
}

void Hub::freeze() {
  settle();
  hold_.is_frozen = true;
}

bool Hub::must_wait(const Connection& connection, std::string_view topic,
                    std::string_view event) const {
  if (hold_.channels.empty()) return false;
  const Subscription* subscription = subscriptions_.find(connection, topic);
  if (subscription != nullptr && is_held(*subscription->channel)) return true;
  if (event == kUnsubscribe) return false;
  Params params;
  return router_.find(topic, connection.id, params).is_held;
}

// The message waits, and what the connection sends after it waits with the peer: so the order of
// its messages stays, over all channels.
void Hub::park(Connection& connection, std::string_view topic, std::string_view text,
               bool is_utf8) {
  if (hold_.bytes + text.size() > kMaxHeldBytes) {
    send_limit_error(connection, topic, "Too much waits for a channel being replaced");
    return;
  }
  std::size_t& last = hold_.last[connection.id];
  hold_.messages.push_back({connection.id, std::string(text), is_utf8, last});
  last = hold_.messages.size();
  hold_.bytes += text.size();
  if (!connection.is_parked) connection.link.pause_reading();
  connection.is_parked = true;
}

// Their places stay.
void Hub::forget_parked(const Connection& connection) {
  const auto last = hold_.last.find(connection.id);
  if (last == hold_.last.end()) return;
  for (std::size_t at = last->second; at != 0; at = hold_.messages[at - 1].before) {
    hold_.bytes -= hold_.messages[at - 1].text.size();
    hold_.messages[at - 1].connection = 0;
    std::string().swap(hold_.messages[at - 1].text);
  }
  hold_.last.erase(last);
}

void Hub::release() {
  Hold ended = std::exchange(hold_, {});
  router_.release();
  while (!ended.leaves.is_empty()) {
    Subscription& due = ended.leaves.take();
    leave(due, due.ended_by);
  }
  for (JoinAgain& next : ended.joins_again) joins_again_.push_back(std::move(next));
  settle();
  std::vector<base::Id> paused;
  for (const Hold::Message& message : ended.messages) {
    Connection* connection = find_connection(message.connection);
    if (connection != nullptr && connection->is_parked) {
      connection->is_parked = false;
      paused.push_back(connection->id);
    }
  }
  for (const Hold::Message& message : ended.messages) {
    if (Connection* connection = find_connection(message.connection)) {
      read(*connection, message.text, message.is_utf8);
    }
  }
  for (const base::Id id : paused) {
    if (Connection* connection = find_connection(id)) connection->link.resume_reading();
  }
}

// ---- handed over

Hub::HandOver Hub::hand_over(const std::vector<Channel*>& successors) {
  const std::vector<Channel*> old = hold_.channels;
  settle();
  hold_.is_frozen = false;  // what cannot be handed over leaves the old channels
  for (const auto& call : take_pending_calls(old)) {
    if (call->joining == nullptr) {
      send_error(*call->connection, call->topic, kInternalError,
                 "The channel was replaced before it answered");
    } else if (call->joining->is_ended) {
      subscriptions_.erase(*call->joining);  // it joined nothing, and now never will
    } else {
      ask_again(*call->joining);
    }
  }
  HandOver result;
  for (const base::Id id : subscriptions_.of_channels(old)) {
    Subscription& subscription = *subscriptions_.find(id);
    if (adopt(subscription, successors)) {
      ++result.adopted;
    } else if (!subscription.is_ended) {
      ++result.ended;
      end_unserved(subscription);
    }
  }
  while (!hold_.leaves.is_empty()) {
    Subscription& due = hold_.leaves.take();
    leave(due, due.ended_by);
  }
  settle();
  assert(subscriptions_.of_channels(old).empty() && "a channel is left that will be destroyed");
  return result;
}

// Those of the held channels, in the order in which they were made.
std::vector<std::unique_ptr<Call>> Hub::take_pending_calls(const std::vector<Channel*>& channels) {
  std::vector<Call*> found;
  pending_calls_.for_each([&](Call& call) {
    if (contains(channels, call.channel)) found.push_back(&call);
  });
  std::sort(found.begin(), found.end(), [](const Call* a, const Call* b) { return a->id < b->id; });
  std::vector<std::unique_ptr<Call>> taken;
  for (Call* call : found) taken.push_back(take_pending(*call));
  return taken;
}

// A join that was not answered: whoever serves the topic now is asked.
void Hub::ask_again(Subscription& subscription) {
  Connection& connection = *subscription.connection;
  const std::unique_ptr<Joining> joining = end_joining(subscription);
  const std::string topic = subscription.topic->name;
  const auto again = [&](std::string& payload) {
    CountedOctets asked(asked_bytes_, payload.size());
    hold_.joins_again.push_back({connection.id, topic, std::move(payload), std::move(asked)});
  };
  again(joining->payload);
  for (std::string& payload : joining->further) again(payload);
  if (!joining->is_again) {
    subscriptions_.end(subscription);
    subscriptions_.erase(subscription);
    return;
  }
  while (!joining->deferred.is_empty()) {
    const wire::FrameRef frame = joining->deferred.take();
    if ((frame->mark() & kOfJoinBit) == 0) enqueue(connection, frame);
  }
}

// Whether a successor serves it from now on.
bool Hub::adopt(Subscription& subscription, const std::vector<Channel*>& successors) {
  Params params;
  const Request request = about(subscription, params);
  for (Channel* successor : successors) {
    if (!successor->pattern().match(request.topic, params) || !successor->match(request)) continue;
    if (!successor->adopt(request)) return false;
    subscription.channel = successor;
    return true;
  }
  return false;
}

void Hub::end_unserved(Subscription& subscription) {
  Connection& connection = *subscription.connection;
  const std::string topic = subscription.topic->name;
  end_subscription(subscription, LeaveReason::kUnloaded);
  send_error(connection, topic, kChannelUnloaded, "The channel of this topic was unloaded");
}

// ---- retired

void Hub::retire(const std::vector<Channel*>& channels, LeaveReason reason) {
  settle();
  const bool are_told = reason == LeaveReason::kUnloaded;
  for (const base::Id id : subscriptions_.of_channels(channels)) {
    Subscription& subscription = *subscriptions_.find(id);
    if (subscription.is_ended) continue;
    if (are_told) {
      end_unserved(subscription);
    } else {
      end_subscription(subscription, reason);
    }
  }
  settle();
  for (const auto& call : take_pending_calls(channels)) {
    if (!are_told || call->joining != nullptr) continue;
    send_error(*call->connection, call->topic, kChannelUnloaded,
               "The channel of this topic was unloaded");
  }
  // What is left joined nothing, and now never will.
  for (const base::Id id : subscriptions_.of_channels(channels)) {
    subscriptions_.erase(*subscriptions_.find(id));
  }
}

}  // namespace jackfield::hub
