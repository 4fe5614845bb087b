#include "core/hub/hub.hpp"

#include <cassert>
#include <utility>

#include "core/hub/words.hpp"

namespace jackfield::hub {

Hub::Hub(const Limits& limits, base::IdSource& ids, base::Log& log)
    : limits_(limits), ids_(ids), log_(log) {}

Hub::~Hub() = default;

// ---- connections

Connection& Hub::open(Link& link) {
  const base::Id id = ids_.next();
  const bool is_full = open_count_ >= limits_.max_connections;
  ++open_count_;
  ++counts_.connections_opened;
  auto made = std::make_unique<Connection>(id, link);
  Connection& connection = *made;
  connections_.insert(std::move(made));
  log_.debug("connection opened", {{"conn", id}, {"peer", link.facts().peer()}});
  if (is_shutting_down_) {
    doom(connection, CloseCode::kNormal, "Server shutting down", LeaveReason::kShutdown);
  } else if (is_full) {
    ++counts_.connections_refused_at_capacity;
    log_.warning("connection refused: at capacity", {{"conn", id},
                                                     {"peer", link.facts().peer()},
                                                     {"max_connections", limits_.max_connections}});
    doom(connection, CloseCode::kPolicy, "Server at maximum capacity");
  }
  return connection;
}

void Hub::close(Connection& connection, CloseCode code, std::string_view reason) {
  doom(connection, code, reason);
}

// Marks who must go. It is closed by settle(), when nothing runs that may hold it or walk a list
// that it is on.
void Hub::doom(Connection& connection, CloseCode code, std::string_view reason,
               LeaveReason reason_of_leaves) {
  if (connection.state != Connection::State::kOpen) return;
  connection.state = Connection::State::kDoomed;
  connection.close_reason = reason_of_leaves;
  --open_count_;
  connection.close_frame = wire::make_close_frame(static_cast<std::uint16_t>(code), reason);
  doomed_.push_back(connection.id);
  log_.debug(
      "connection closing",
      {{"conn", connection.id}, {"code", static_cast<std::uint16_t>(code)}, {"reason", reason}});
}

void Hub::begin_close(Connection& connection) {
  connection.state = Connection::State::kClosing;
  if (std::exchange(connection.is_parked, false)) {
    forget_parked(connection);
    connection.link.resume_reading();
  }
  connection.link.begin_close();
  while (!connection.subscriptions.is_empty()) {
    end_subscription(*connection.subscriptions.newest(), connection.close_reason);
  }
  mark_dirty(connection);
}

void Hub::lost(Connection& connection) {
  log_.debug("connection ended", {{"conn", connection.id}});
  if (connection.state == Connection::State::kOpen) --open_count_;
  connection.state = Connection::State::kClosed;
  connection.outbox.clear();
  while (!connection.subscriptions.is_empty()) {
    end_subscription(*connection.subscriptions.newest(), connection.close_reason);
  }
  mark_clean(connection);
  if (connection.is_parked) forget_parked(connection);
  while (!connection.calls.is_empty()) take_pending(*connection.calls.newest());
  connections_.take(connection.id);
  settle();
}

void Hub::shut_down() {
  is_shutting_down_ = true;
  connections_.for_each([this](Connection& connection) {
    doom(connection, CloseCode::kNormal, "Server shutting down", LeaveReason::kShutdown);
  });
  settle();
}

Connection* Hub::find_connection(base::Id id) const { return connections_.find(id); }

const ConnectionFacts* Hub::facts(base::Id id) const {
  const Connection* connection = find_connection(id);
  return connection == nullptr ? nullptr : &connection->link.facts();
}

// ---- what goes out

// The one place where bytes are let in to wait for a connection, and so where the bound is kept. A
// message over the bound is taken where nothing else waits: the bound is against backlog, not
// against size.
bool Hub::is_over_bound(Connection& connection, const wire::FrameRef& frame) {
  const std::size_t waiting = connection.outbox.bytes() + connection.deferred_bytes;
  if (waiting == 0 || waiting + frame.bytes().size() <= limits_.max_outbox_bytes) return false;
  return is_slow(connection, frame);
}

bool Hub::is_slow(Connection& connection, const wire::FrameRef& frame) {
  write_out(connection);  // what it had no chance to take yet is not its fault
  const std::size_t waiting = connection.outbox.bytes() + connection.deferred_bytes;
  if (waiting == 0 || waiting + frame.bytes().size() <= limits_.max_outbox_bytes) return false;
  ++counts_.slow_consumers_closed;
  log_.warning("slow consumer", {{"conn", connection.id},
                                 {"peer", connection.link.facts().peer()},
                                 {"waiting_bytes", waiting}});
  doom(connection, CloseCode::kTryAgainLater, "Slow consumer");
  connection.outbox.clear();
  return true;
}

void Hub::enqueue(Connection& connection, const wire::FrameRef& frame) {
  if (connection.state != Connection::State::kOpen || is_over_bound(connection, frame)) return;
  connection.outbox.push(frame);
  mark_dirty(connection);
}

void Hub::deliver(Subscription& subscription, const wire::FrameRef& frame, bool is_of_join) {
  Connection& connection = *subscription.connection;
  if (subscription.joining == nullptr) {
    enqueue(connection, frame);
    return;
  }
  if (connection.state != Connection::State::kOpen || is_over_bound(connection, frame)) return;
  connection.deferred_bytes += frame.bytes().size();
  subscription.joining->deferred.push_back({frame, is_of_join});
}

void Hub::mark_dirty(Connection& connection) {
  if (connection.dirty_index != Connection::kNotDirty) return;
  connection.dirty_index = static_cast<std::uint32_t>(dirty_.size());
  dirty_.push_back(&connection);
}

void Hub::mark_clean(Connection& connection) {
  const std::uint32_t index = std::exchange(connection.dirty_index, Connection::kNotDirty);
  if (index != Connection::kNotDirty) dirty_[index] = nullptr;
}

Hub::Outcome Hub::push(base::Id target, std::string_view event, std::string_view payload) {
  const Call* call = nullptr;
  std::string_view topic;
  if (running_ != nullptr && running_->call.id == target) {
    if (running_->answer) return Outcome::kGone;
    call = &running_->call;
    topic = running_->topic;
  } else if (call = pending_calls_.find(target); call != nullptr) {
    topic = call->topic;
  }
  if (call != nullptr) {
    if (call->connection == nullptr) return Outcome::kGone;
    const wire::FrameRef frame = wire::make_message_frame(topic, event, payload);
    if (call->joining != nullptr) {
      deliver(*call->joining, frame, true);
    } else {
      enqueue(*call->connection, frame);
    }
    return Outcome::kDone;
  }
  Subscription* subscription = subscriptions_.find(target);
  if (subscription == nullptr || subscription->is_ended) return Outcome::kGone;
  const bool is_first_join = subscription->joining != nullptr && !subscription->joining->is_again;
  deliver(*subscription, wire::make_message_frame(subscription->topic->name, event, payload),
          is_first_join);
  return Outcome::kDone;
}

// Nobody is removed during the fan-out: who must go is marked.
std::size_t Hub::broadcast(std::string_view name, std::string_view event, std::string_view payload,
                           base::Id except) {
  const Topic* topic = subscriptions_.find_topic(name);
  if (topic == nullptr || topic->members.empty()) return 0;
  const wire::FrameRef frame = wire::make_message_frame(name, event, payload);
  const Subscription* excepted = except == 0 ? nullptr : subscriptions_.find(except);
  std::size_t count = 0;
  for (const Topic::Member& member : topic->members) {
    if (member.subscription == excepted) continue;
    if (member.connection != nullptr) {
      enqueue(*member.connection, frame);
    } else {
      deliver(*member.subscription, frame, false);
    }
    ++count;
  }
  fanned_out_ += count;
  return count;
}

void Hub::writable(Connection& connection) { write_out(connection); }

void Hub::flush(Connection& connection) {
  if (connection.dirty_index == Connection::kNotDirty && connection.outbox.is_empty()) return;
  mark_clean(connection);
  write_out(connection);
}

void Hub::write_out(Connection& connection) {
  Link& link = connection.link;
  bool takes_more = !link.is_congested();
  while (takes_more && !connection.outbox.is_empty()) {
    const std::string_view bytes = connection.outbox.front(batch_);
    const std::size_t size = bytes.size();
    takes_more = link.write(bytes);
    connection.outbox.pop(size);
  }
  if (connection.state == Connection::State::kClosing && takes_more) {
    connection.state = Connection::State::kClosed;
    link.finish_close(connection.close_frame.bytes());
  }
}

void Hub::end_turn() {
  settle();
  // A link that is written to may not call back, so nothing is added meanwhile.
  for (Connection* connection : dirty_) {
    if (connection == nullptr) continue;
    connection->dirty_index = Connection::kNotDirty;
    write_out(*connection);
  }
  dirty_.clear();
  batch_.clear();
  fanned_out_ = 0;
}

// Does what was put off while a channel's function ran. A leave may broadcast, and so mark more.
void Hub::do_what_is_due() {
  while (!doomed_.empty() || !kicks_.empty() || !late_leaves_.empty() || !joins_again_.empty()) {
    for (const base::Id id : std::exchange(doomed_, {})) {
      if (Connection* connection = find_connection(id)) begin_close(*connection);
    }
    for (const Kick& kick : std::exchange(kicks_, {})) {
      Subscription* subscription = subscriptions_.find(kick.target);
      if (subscription == nullptr || subscription->is_ended) continue;
      Connection& connection = *subscription->connection;
      const std::string topic = subscription->topic->name;
      end_subscription(*subscription, LeaveReason::kKicked);
      send_error(connection, topic, kick.code, kick.message);
    }
    for (const base::Id id : std::exchange(late_leaves_, {})) {
      Subscription* subscription = subscriptions_.find(id);
      if (subscription == nullptr) continue;
      leave(*subscription, subscription->joining->ended_by);
    }
    for (const JoinAgain& next : std::exchange(joins_again_, {})) {
      Connection* connection = find_connection(next.connection);
      if (connection == nullptr || connection->state != Connection::State::kOpen) continue;
      if (!may(*connection, Action::kSubscribe, next.topic)) {
        refuse_access(*connection, next.topic, kSubscribe);
        continue;
      }
      if (must_wait(*connection, next.topic, kSubscribe)) {
        hold_.joins_again.push_back(next);
        continue;
      }
      subscribe(*connection, {.topic = next.topic, .event = {}, .payload = next.payload});
    }
  }
  for (const base::Id id : ended_) subscriptions_.erase(*subscriptions_.find(id));
  ended_.clear();
}

void Hub::recheck_access() {
  const auto may_not = [this](const Subscription& subscription) {
    return !subscription.is_ended &&
           !may(*subscription.connection, Action::kSubscribe, subscription.topic->name);
  };
  for (const base::Id id : subscriptions_.which(may_not)) {
    ++counts_.accesses_refused;
    kicks_.push_back({id, std::string(kForbidden), "Not allowed on this topic any more"});
  }
  settle();
}

// ---- the end of a subscription

void Hub::end_subscription(Subscription& subscription, LeaveReason reason) {
  if (subscription.joining != nullptr) {
    uncount(*subscription.connection, *subscription.joining);
  }
  if (subscription.joining != nullptr && !subscription.joining->is_again) {
    // Its join is not answered yet. Where it succeeds after all, the leave follows then.
    subscription.joining->ended_by = reason;
    subscription.joining->deferred.clear();
    subscription.joining->further.clear();
    Call& call = *pending_calls_.find(subscription.joining->call);
    call.connection->calls.remove(call);
    call.connection = nullptr;
    subscriptions_.end(subscription);
    return;
  }
  if (subscription.joining != nullptr) {
    take_pending(*pending_calls_.find(subscription.joining->call));
    subscriptions_.end_joining(subscription);
  }
  --subscription.topic->joined;
  subscriptions_.end(subscription);
  leave(subscription, reason);
}

// The leave of a subscription that has ended, now or when its channel may be called again.
void Hub::leave(Subscription& subscription, LeaveReason reason) {
  if (hold_.is_frozen && is_held(*subscription.channel)) {
    hold_.leaves.push_back({subscription.id, reason});
    return;
  }
  call_leave(subscription, reason);
  ended_.push_back(subscription.id);
}

// What a channel is told of a subscription by itself, without a message of its client.
Request Hub::about(const Subscription& subscription, const Params& params) {
  return {.connection = subscription.connection_id,
          .subscription = subscription.id,
          .topic = subscription.topic->name,
          .params = params,
          .event = {},
          .payload = {}};
}

void Hub::call_leave(Subscription& subscription, LeaveReason reason) {
  Params params;
  subscription.channel->pattern().match(subscription.topic->name, params);
  const Request request = about(subscription, params);
  subscription.channel->leave(request, reason);
}

std::unique_ptr<Call> Hub::take_pending(Call& call) {
  if (call.connection != nullptr) call.connection->calls.remove(call);
  return pending_calls_.take(call.id);
}

// What a join holds counts against its connection's bound no more.
void Hub::uncount(Connection& connection, const Joining& joining) {
  for (const Joining::Deferred& deferred : joining.deferred) {
    connection.deferred_bytes -= deferred.frame.bytes().size();
  }
  for (const std::string& payload : joining.further) connection.asked_bytes -= payload.size();
  connection.asked_bytes -= joining.payload.size();
}

// ---- for channels

Hub::Outcome Hub::reply(base::Id id, Answer answer) {
  if (running_ != nullptr && running_->call.id == id) {
    if (running_->answer) return Outcome::kGone;
    running_->answer = std::move(answer);
    return Outcome::kDone;
  }
  Call* const pending = pending_calls_.find(id);
  if (pending == nullptr) return Outcome::kGone;
  const std::unique_ptr<Call> call = take_pending(*pending);
  if (call->joining != nullptr) {
    Subscription& subscription = *call->joining;
    if (!subscription.is_ended) {
      finish_join(subscription, answer);
      return Outcome::kDone;
    }
    // It joined what has ended meanwhile. The leave that belongs to it comes when nothing runs.
    if (answer.kind == Answer::Kind::kOk) {
      late_leaves_.push_back(subscription.id);
    } else {
      ended_.push_back(subscription.id);
    }
    return Outcome::kGone;
  }
  if (answer.kind == Answer::Kind::kRefused) {
    send_error(*call->connection, call->topic, answer.code, answer.message);
  }
  return Outcome::kDone;
}

Hub::Outcome Hub::kick(base::Id target, std::string_view code, std::string_view message) {
  if (Connection* connection = find_connection(target)) {
    doom(*connection, CloseCode::kPolicy, message, LeaveReason::kKicked);
    return Outcome::kDone;
  }
  const Subscription* subscription = subscriptions_.find(target);
  if (subscription == nullptr || subscription->is_ended) return Outcome::kGone;
  kicks_.push_back({target, std::string(code), std::string(message)});
  return Outcome::kDone;
}

std::string* Hub::kept(base::Id id) {
  Subscription* subscription = subscriptions_.find(id);
  return subscription == nullptr ? nullptr : &subscription->kept;
}

std::size_t Hub::subscriber_count(std::string_view name) const {
  const Topic* topic = subscriptions_.find_topic(name);
  return topic == nullptr ? 0 : topic->joined;
}

}  // namespace jackfield::hub
