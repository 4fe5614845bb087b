// What a client sends (subscribe, unsubscribe, events), and how the calls that this leads to are
// answered.
#include <utility>

#include "core/hub/hub.hpp"
#include "core/hub/words.hpp"
#include "core/wire/json_text.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::hub {
void Hub::receive(Connection& connection, std::string_view text, bool is_utf8) {
  if (connection.state != Connection::State::kOpen) return;
  if (connection.is_parked) {
    // Nobody has read it yet: an error about it has the topic of those about what is no message.
    park(connection, "error", text, is_utf8);
    return;
  }
  wire::Message message;
  const wire::NameLimits names{limits_.max_topic_bytes, limits_.max_event_bytes};
  const auto outcome = is_utf8 || wire::is_utf8(text) ? reader_.read(text, names, message)
                                                      : wire::MessageReader::Outcome::kNotJson;
  if (outcome != wire::MessageReader::Outcome::kMessage) {
    ++counts_.messages_refused;
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
    subscribe(connection, message);
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
  enqueue(connection, wire::make_error_frame(topic, code, message));
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
      send_limit_error(
          connection, message.topic,
          "At most " + std::to_string(limits_.max_subscriptions) + " subscriptions per connection");
      return;
    }
  }
  // The payload is kept where the answer is pending. It waits for the channel, not for the client:
  // it makes nobody a slow consumer.
  const std::size_t asked = connection.asked_bytes;
  if (asked > 0 && asked + message.payload.size() > limits_.max_outbox_bytes) {
    send_limit_error(connection, message.topic, "Too many joins wait for their answers");
    return;
  }
  std::string id(wire::find_string(message.payload, "id"));
  if (subscription == nullptr) {
    subscription = &subscriptions_.add(ids_.next(), connection, message.topic, *channel);
  }
  join(*subscription, std::move(id), message.payload, params);
}

void Hub::wait_for_join(Subscription& subscription, std::string_view payload) {
  Connection& connection = *subscription.connection;
  auto& further = subscription.joining->further;
  const std::size_t asked = connection.asked_bytes + payload.size();
  if (further.size() >= kMaxWaitingJoins || asked > limits_.max_outbox_bytes) {
    send_limit_error(connection, subscription.topic->name, "This topic is being joined");
    return;
  }
  connection.asked_bytes += payload.size();
  further.emplace_back(payload);
}

void Hub::join(Subscription& subscription, std::string id, std::string_view payload,
               const Params& params) {
  Connection& connection = *subscription.connection;
  auto joining = std::make_unique<Joining>();
  joining->call = ids_.next();
  joining->id = std::move(id);
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
  Answer answer = run(call, request, true);
  if (answer.kind == Answer::Kind::kPending) {
    answer = keep_pending(connection, std::move(call), request.topic);
    if (answer.kind == Answer::Kind::kPending) {
      subscription.joining->payload = payload;  // it may have to be asked again
      connection.asked_bytes += payload.size();
      return;
    }
  }
  finish_join(subscription, answer);
}

// The confirmation comes first, then what was pushed and broadcast meanwhile, in its order. Calls
// into no channel: it may be reached from within one.
void Hub::finish_join(Subscription& subscription, const Answer& answer) {
  Connection& connection = *subscription.connection;
  const std::unique_ptr<Joining> joining = subscriptions_.end_joining(subscription);
  uncount(connection, *joining);
  const bool is_refused = answer.kind != Answer::Kind::kOk;
  if (is_refused) {
    send_error(connection, subscription.topic->name, answer.code, answer.message);
  } else {
    const std::string payload = joining->id.empty() ? "{}" : "{\"id\":" + joining->id + "}";
    enqueue(connection, wire::make_message_frame(subscription.topic->name, kSubscribed, payload));
    if (!joining->is_again) {
      subscription.is_joined = true;
      ++subscription.topic->joined;
    }
  }
  const bool stands = !is_refused || joining->is_again;
  for (const Joining::Deferred& deferred : joining->deferred) {
    if (stands && !(is_refused && deferred.is_of_join)) enqueue(connection, deferred.frame);
  }
  for (std::string& payload : joining->further) {
    joins_again_.push_back({connection.id, subscription.topic->name, std::move(payload)});
  }
  log_.debug(is_refused ? "join refused" : "subscribed",
             {{"conn", connection.id}, {"topic", subscription.topic->name}});
  if (stands) return;
  subscriptions_.end(subscription);
  ended_.push_back(subscription.id);
}

void Hub::unsubscribe(Connection& connection, const wire::Message& message) {
  Subscription* subscription = subscriptions_.find(connection, message.topic);
  if (subscription != nullptr) {
    end_subscription(*subscription, LeaveReason::kUnsubscribed);
    log_.debug("unsubscribed", {{"conn", connection.id}, {"topic", message.topic}});
  }
  enqueue(connection, wire::make_message_frame(message.topic, kUnsubscribed, "{}"));
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
