// What a client sends (subscribe, unsubscribe, events), and how the calls that this leads to are
// answered.
#include <algorithm>
#include <new>
#include <utility>

#include "core/hub/hub.hpp"
#include "core/hub/words.hpp"
#include "core/wire/json_text.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::hub {

// ---- how fast

void Hub::receive(Connection& connection, std::string_view text, bool is_utf8, std::uint64_t now) {
  if (connection.state != Connection::State::kOpen) return;
  if (is_within_rate(connection, text.size(), now)) {
    read(connection, text, is_utf8);
  } else {
    refuse_over_rate(connection, text);
  }
}

void Hub::charge(Connection& connection, std::uint64_t now) {
  if (connection.state != Connection::State::kOpen || is_within_rate(connection, 0, now)) return;
  ++counts_.signs_over_rate;
  note_refusal(connection);
  settle();
}

bool Hub::is_within_rate(Connection& connection, std::size_t octets, std::uint64_t now) {
  Meter& meter = connection.meter;
  if (const std::uint32_t elapsed = meter.elapse(now); elapsed != 0) {
    connection.subscribes -= std::min(connection.subscribes, elapsed);
    if (meter.is_half_full()) connection.refusals = 0;
  }
  if (!meter.has_some()) return false;
  meter.take(rates_, octets);
  return true;
}

void Hub::refuse_over_rate(Connection& connection, std::string_view text) {
  ++counts_.messages_over_rate;
  note_refusal(connection);
  const std::string_view topic = reader_.read_topic(text, message_limits());
  send_limit_error(connection, topic.empty() ? "error" : topic, "Too many messages");
  settle();
}

// Who goes on regardless is closed.
void Hub::note_refusal(Connection& connection) {
  if (connection.refusals == 0) {
    log_.warning("connection is over its rate",
                 {{"conn", connection.id}, {"peer", connection.link.facts().peer()}});
  }
  if (++connection.refusals < rates_.max_refusals) return;
  ++counts_.connections_over_rate;
  doom(connection, CloseCode::kPolicy, "Too many messages");
}

bool Hub::may_subscribe_now(Connection& connection) {
  if (connection.subscribes >= rates_.subscribe_burst) {
    ++counts_.subscribes_over_rate;
    return false;
  }
  connection.subscribes += rates_.subscribe_cost;
  return true;
}

// ---- what it says

void Hub::read(Connection& connection, std::string_view text, bool is_utf8) {
  if (connection.state != Connection::State::kOpen) return;
  if (connection.is_parked) {
    // Nobody has read it yet: an error about it has the topic of those about what is no message.
    park(connection, "error", text, is_utf8);
    return;
  }
  using Read = wire::MessageReader::Outcome;
  wire::Message message;
  const Read outcome = is_utf8 || wire::is_utf8(text)
                           ? reader_.read(text, message_limits(), message)
                           : Read::kNotJson;
  if (outcome != Read::kMessage) {
    ++counts_.messages_refused;
    if (outcome == Read::kBadName) ++counts_.names_refused;
    if (outcome == Read::kTooDeep) ++counts_.payloads_too_deep;
    send_error(connection, "error", kInvalidPayload, wire::MessageReader::explain(outcome));
  } else {
    take(connection, text, message, is_utf8);
  }
  settle();
}

void Hub::take(Connection& connection, std::string_view text, const wire::Message& message,
               bool is_utf8) {
  const bool is_unsubscribe = message.event == kUnsubscribe;
  const Action action = message.event == kSubscribe ? Action::kSubscribe : Action::kSend;
  if (!is_unsubscribe && !may(connection, action, message.topic)) {
    refuse_access(connection, message.topic, message.event);
  } else if (!hold_.channels.empty() && must_wait(connection, message.topic, message.event)) {
    park(connection, message.topic, text, is_utf8);
  } else if (action == Action::kSubscribe) {
    if (may_subscribe_now(connection)) {
      subscribe(connection, message);
    } else {
      send_limit_error(connection, message.topic, "Too many subscribes");
    }
  } else if (is_unsubscribe) {
    unsubscribe(connection, message);
  } else {
    dispatch_event(connection, message);
  }
}

void Hub::refuse_access(Connection& connection, std::string_view topic, std::string_view event) {
  ++counts_.accesses_refused;
  log_.debug("access refused", {{"conn", connection.id}, {"topic", topic}, {"event", event}});
  send_error(connection, topic, kForbidden, "Not allowed on this topic");
}

void Hub::send_error(Connection& connection, std::string_view topic, std::string_view code,
                     std::string_view message) {
  try {
    enqueue(connection, wire::make_error_frame(topic, code, message, &ledger_));
  } catch (const std::bad_alloc&) {
    give_up(connection);
  }
}

void Hub::send_limit_error(Connection& connection, std::string_view topic,
                           std::string_view message) {
  ++counts_.limits_exceeded;
  send_error(connection, topic, kLimitExceeded, message);
}

// The channel of a topic; where there is none, the client is told.
Channel* Hub::find_channel(Connection& connection, std::string_view topic, Params& params) {
  Channel* const channel = router_.find(topic, connection.id, params).channel;
  if (channel == nullptr) {
    send_error(connection, topic, kInternalError,
               "No channel matches topic: " + std::string(topic));
  }
  return channel;
}

// ---- subscribe

// A further subscribe goes to the channel of the one that stands, whatever the router says by now.
void Hub::subscribe(Connection& connection, const wire::Message& message) {
  Subscription* subscription = subscriptions_.find(connection, message.topic);
  if (subscription != nullptr && subscription->joining != nullptr) {
    wait_for_join(*subscription, message.payload);
    return;
  }
  Params params;
  Channel* channel = nullptr;
  if (subscription != nullptr) {
    subscription->channel->pattern().match(message.topic, params);
  } else {
    channel = find_channel(connection, message.topic, params);
    if (channel == nullptr) return;
    if (connection.subscriptions.size() >= limits_.max_subscriptions) {
      ++counts_.subscriptions_over_limit;
      send_limit_error(
          connection, message.topic,
          "At most " + std::to_string(limits_.max_subscriptions) + " subscriptions per connection");
      return;
    }
  }
  // Payload and id are kept where the answer is pending. They wait for the channel, not for the
  // client: they make nobody a slow consumer.
  const std::string_view id = wire::find_string(message.payload, "id");
  const std::size_t asked = connection.asked_bytes;
  const std::size_t more = message.payload.size() + id.size();
  if ((asked > 0 && asked + more > limits_.max_outbox_bytes) ||
      !has_room_to_ask(connection, more)) {
    send_limit_error(connection, message.topic, "Too many joins wait for their answers");
    return;
  }
  // From `add` on nothing may fail before the join has begun.
  auto joining = std::make_unique<Joining>();
  joining->id = id;
  joining->asked = CountedOctets(asked_bytes_);
  if (subscription == nullptr) {
    subscription = &subscriptions_.add(ids_.next(), connection, message.topic, *channel);
    if (subscription->topic->references == 1 && !backlog_.empty()) {
      subscription->topic->policy = policy_of(message.topic);
    }
  }
  join(*subscription, std::move(joining), message.payload, params);
}

void Hub::wait_for_join(Subscription& subscription, std::string_view payload) {
  Connection& connection = *subscription.connection;
  Joining& joining = *subscription.joining;
  const std::size_t asked = connection.asked_bytes + payload.size();
  if (joining.further.size() >= kMaxWaitingJoins || asked > limits_.max_outbox_bytes ||
      !has_room_to_ask(connection, payload.size())) {
    send_limit_error(connection, subscription.topic->name, "This topic is being joined");
    return;
  }
  joining.further.emplace_back(payload);
  joining.asked.add(payload.size());
  connection.asked_bytes += static_cast<std::uint32_t>(payload.size());
}

// Whether so many octets more may wait for answers to joins, of all connections together. A small
// subscribe always may, so that who sends large ones does not keep others from theirs.
bool Hub::has_room_to_ask(const Connection& connection, std::size_t octets) {
  if (asked_bytes_ == 0 || asked_bytes_ + octets <= limits_.max_incoming_bytes) return true;
  if (connection.asked_bytes + octets <= kLeastShare) return true;
  ++counts_.joins_over_budget;
  return false;
}

void Hub::join(Subscription& subscription, std::unique_ptr<Joining> joining,
               std::string_view payload, const Params& params) {
  Connection& connection = *subscription.connection;
  joining->call = ids_.next();
  joining->is_again = subscription.is_joined;
  subscriptions_.begin_joining(subscription, std::move(joining));
  Call call{.id = subscription.joining->call,
            .connection = &connection,
            .joining = &subscription,
            .channel = subscription.channel};
  const Request request{.call = call.id,
                        .connection = connection.id,
                        .subscription = subscription.id,
                        .topic = subscription.topic->name,
                        .params = params,
                        .event = {},
                        .payload = payload};
  Answer answer;
  try {
    answer = run(call, request, true);
    if (answer.kind == Answer::Kind::kPending) {
      Joining& its = *subscription.joining;
      its.payload = payload;  // it may have to be asked again
      its.asked.add(payload.size() + its.id.size());
      connection.asked_bytes += static_cast<std::uint32_t>(its.asked.octets());
      answer = keep_pending(connection, std::move(call), request.topic);
      if (answer.kind == Answer::Kind::kPending) {
        bound_pending(subscription);
        return;
      }
    }
  } catch (
      ...) {  // and so there is no memory: who was asked is told that it is gone, if it answers
    abort_join(subscription);
    throw;
  }
  finish_join(subscription, answer);
}

// As if it had never been asked for.
void Hub::abort_join(Subscription& subscription) {
  const std::unique_ptr<Joining> joining = end_joining(subscription);
  if (joining->is_again) return;
  subscriptions_.end(subscription);
  ended_.add(subscription);
}

// The confirmation comes first, then what was pushed and broadcast meanwhile, in its order. Calls
// into no channel: it may be reached from within one. Does not throw: what the connection cannot be
// told closes it.
void Hub::finish_join(Subscription& subscription, const Answer& answer) {
  Connection& connection = *subscription.connection;
  const std::unique_ptr<Joining> joining = end_joining(subscription);
  const Topic& topic = *subscription.topic;
  const bool is_refused = answer.kind != Answer::Kind::kOk;
  const bool stands = !is_refused || joining->is_again;
  if (!is_refused && !joining->is_again) {
    subscription.is_joined = true;
    ++subscription.topic->joined;
  }
  if (is_refused) {
    send_error(connection, topic.name, answer.code, answer.message);
  } else if (joining->id.empty()) {
    send(connection, topic.name, kSubscribed, "{}");
  } else {
    send_confirmation(connection, topic.name, joining->id);
  }
  while (!joining->deferred.is_empty()) {
    const wire::FrameRef frame = joining->deferred.take();
    const bool is_of_join = (frame->mark() & kOfJoinBit) != 0;
    if (stands && !(is_refused && is_of_join)) enqueue(connection, frame);
  }
  try {
    for (std::string& payload : joining->further) {
      CountedOctets asked(asked_bytes_, payload.size());
      joins_again_.push_back({connection.id, topic.name, std::move(payload), std::move(asked)});
    }
  } catch (const std::bad_alloc&) {
    give_up(connection);
  }
  log_.debug(is_refused ? "join refused" : "subscribed",
             {{"conn", connection.id}, {"topic", topic.name}});
  if (stands) return;
  subscriptions_.end(subscription);
  ended_.add(subscription);
}

void Hub::send_confirmation(Connection& connection, std::string_view topic, const std::string& id) {
  try {
    enqueue(connection, make_frame(topic, kSubscribed, "{\"id\":" + id + "}", SlowPolicy::kClose));
  } catch (const std::bad_alloc&) {
    give_up(connection);
  }
}

void Hub::unsubscribe(Connection& connection, const wire::Message& message) {
  Subscription* subscription = subscriptions_.find(connection, message.topic);
  if (subscription != nullptr) {
    end_subscription(*subscription, LeaveReason::kUnsubscribed);
    log_.debug("unsubscribed", {{"conn", connection.id}, {"topic", message.topic}});
  }
  send(connection, message.topic, kUnsubscribed, "{}");
}

// ---- events

void Hub::dispatch_event(Connection& connection, const wire::Message& message) {
  Channel* const channel = find_channel(connection, message.topic, params_);
  if (channel == nullptr) return;
  const Subscription* subscription = subscriptions_.find(connection, message.topic);
  const bool is_its_own = subscription != nullptr && subscription->channel == channel;
  Call call{.id = ids_.next(), .connection = &connection, .channel = channel};
  const Request request{.call = call.id,
                        .connection = connection.id,
                        .subscription = is_its_own ? subscription->id : 0,
                        .topic = message.topic,
                        .params = params_,
                        .event = message.event,
                        .payload = message.payload};
  Answer answer = run(call, request, false);
  if (answer.kind != Answer::Kind::kOk) finish_event(std::move(call), message, std::move(answer));
}

// For any answer but kOk: keeps the call pending, tells the connection, or logs.
void Hub::finish_event(Call call, const wire::Message& message, Answer answer) {
  Connection& connection = *call.connection;
  const Channel& channel = *call.channel;
  if (answer.kind == Answer::Kind::kPending) {
    answer = keep_pending(connection, std::move(call), message.topic);
  }
  if (answer.kind == Answer::Kind::kRefused) {
    send_error(connection, message.topic, answer.code, answer.message);
  } else if (answer.kind == Answer::Kind::kNoEvent) {
    log_.warning("no such event", {{"conn", connection.id},
                                   {"topic", message.topic},
                                   {"event", message.event},
                                   {"plugin", channel.owner()}});
  }
}

// ---- calls

Answer Hub::run(const Call& call, const Request& request, bool is_join) {
  RunningCall running{.call = call, .topic = request.topic, .answer = {}};
  running_ = &running;
  const struct End {  // also where it throws
    RunningCall*& running;
    ~End() { running = nullptr; }
  } end{running_};
  Answer answer = is_join ? call.channel->join(request) : call.channel->event(request);
  if (running.answer) answer = std::move(*running.answer);
  return answer;
}

// kPending, or a refusal where the connection has too many of them.
Answer Hub::keep_pending(Connection& connection, Call call, std::string_view topic) {
  if (connection.calls.size() >= kMaxPendingCalls) {
    ++counts_.limits_exceeded;
    return Answer::refused(std::string(kLimitExceeded), "Too many requests wait for an answer");
  }
  auto pending = std::make_unique<Call>(std::move(call));
  pending->topic = topic;
  Call& kept = *pending;
  pending_calls_.insert(std::move(pending));  // may throw; the chain does not
  connection.calls.add(kept);
  return Answer::pending();
}

}  // namespace jackfield::hub
