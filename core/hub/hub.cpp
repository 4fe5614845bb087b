#include "core/hub/hub.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "core/hub/words.hpp"

namespace jackfield::hub {
namespace {

Rates rates_of(const Limits& limits) {
  return {limits.max_messages_per_s, limits.max_bytes_per_s, limits.max_subscribes_per_s,
          limits.max_subscriptions};
}

}  // namespace

Hub::Hub(const Limits& limits, base::IdSource& ids, base::Log& log)
    : limits_(limits),
      ids_(ids),
      log_(log),
      soft_(std::min(limits.soft_outbox_bytes, limits.max_outbox_bytes)),
      rates_(rates_of(limits)),
      no_memory_frame_(wire::make_close_frame(static_cast<std::uint16_t>(CloseCode::kTryAgainLater),
                                              "Server is out of memory")) {}

Hub::~Hub() = default;

void Hub::set_limits(const Limits& limits) {
  limits_ = limits;
  soft_ = std::min(limits.soft_outbox_bytes, limits.max_outbox_bytes);
  rates_ = rates_of(limits);
}

// ---- connections

Connection& Hub::open(Link& link) {
  const base::Id id = ids_.next();
  auto made = std::make_unique<Connection>(id, link);
  Connection& connection = *made;
  connections_.insert(std::move(made));
  const bool is_full = open_count_ >= limits_.max_connections;
  ++open_count_;
  ++counts_.connections_opened;
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
  log_.debug(
      "connection closing",
      {{"conn", connection.id}, {"code", static_cast<std::uint16_t>(code)}, {"reason", reason}});
  wire::FrameRef frame = no_memory_frame_;
  try {
    frame = wire::make_close_frame(static_cast<std::uint16_t>(code), reason);
  } catch (const std::bad_alloc&) {
    ++counts_.connections_out_of_memory;
  }
  doom(connection, std::move(frame), reason_of_leaves);
}

void Hub::doom(Connection& connection, wire::FrameRef close_frame, LeaveReason reason_of_leaves) {
  connection.state = Connection::State::kDoomed;
  connection.close_reason = reason_of_leaves;
  --open_count_;
  connection.close_frame = std::move(close_frame);
  try {
    doomed_.push_back(connection.id);
  } catch (const std::bad_alloc&) {
    is_doom_unlisted_ = true;
  }
}

// For one who cannot be sent what it is owed, as there is no memory for it.
void Hub::give_up(Connection& connection) {
  if (connection.state != Connection::State::kOpen) return;
  ++counts_.connections_out_of_memory;
  log_.error("connection given up: out of memory", {{"conn", connection.id}});
  doom(connection, no_memory_frame_, LeaveReason::kClosed);
  connection.outbox.clear();
}

void Hub::begin_close(Connection& connection) {
  if (connection.is_parked) {
    connection.is_parked = false;
    forget_parked(connection);
    connection.link.resume_reading();
  }
  while (!connection.subscriptions.is_empty()) {
    end_subscription(*connection.subscriptions.newest(), connection.close_reason);
  }
  // Not before the leaves: what they broadcast may have all written out that waits.
  connection.state = Connection::State::kClosing;
  // Where the budget is used up nobody is waited for who does not read: others have his place among
  // the connections already, and their shares.
  if (is_over_budget() && connection.is_waiting) connection.outbox.clear();
  mark_dirty(connection);
  connection.link.begin_close();
}

void Hub::lost(Connection& connection) {
  log_.debug("connection ended", {{"conn", connection.id}});
  if (connection.state == Connection::State::kOpen) --open_count_;
  connection.state = Connection::State::kClosed;
  mark_clean(connection);
  connection.outbox.clear();
  note_link(connection, false, 0);
  while (!connection.subscriptions.is_empty()) {
    end_subscription(*connection.subscriptions.newest(), connection.close_reason);
  }
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

// ---- what was put off

// Does what was put off while a channel's function ran. A leave may broadcast, and so mark more.
void Hub::do_what_is_due() {
  while (!is_settled()) {
    close_doomed();
    while (!kicks_.empty()) {
      const Kick kick = std::move(kicks_.front());
      kicks_.pop_front();
      Subscription* subscription = subscriptions_.find(kick.target);
      if (subscription == nullptr || subscription->is_ended) continue;
      Connection& connection = *subscription->connection;
      end_subscription(*subscription, LeaveReason::kKicked);
      send_error(connection, subscription->topic->name, kick.code, kick.message);
    }
    while (!late_leaves_.is_empty()) {
      Subscription& subscription = late_leaves_.take();
      leave(subscription, subscription.ended_by);
    }
    while (!joins_again_.empty()) join_again();
    // Only now: what ended was still looked at above.
    while (!ended_.is_empty()) subscriptions_.erase(ended_.take());
  }
}

void Hub::close_doomed() {
  const auto close = [this](Connection& connection) {
    if (connection.state == Connection::State::kDoomed) begin_close(connection);
  };
  for (std::size_t i = 0; i < doomed_.size(); ++i) {  // which may become more
    if (Connection* connection = find_connection(doomed_[i])) close(*connection);
  }
  doomed_.clear();
  if (std::exchange(is_doom_unlisted_, false)) connections_.for_each(close);
}

void Hub::join_again() {
  JoinAgain next = std::move(joins_again_.front());
  joins_again_.pop_front();
  Connection* connection = find_connection(next.connection);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return;
  if (!may(*connection, Action::kSubscribe, next.topic)) {
    refuse_access(*connection, next.topic, kSubscribe);
    return;
  }
  try {
    if (must_wait(*connection, next.topic, kSubscribe)) {
      hold_.joins_again.push_back(std::move(next));
    } else {
      next.asked.clear();
      subscribe(*connection, {.topic = next.topic, .event = {}, .payload = next.payload});
    }
  } catch (const std::bad_alloc&) {
    give_up(*connection);
  }
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
  if (subscription.joining != nullptr && !subscription.joining->is_again) {
    // Its join is not answered yet. Where it succeeds after all, the leave follows then, and
    // that is all: nothing that it kept is asked about again.
    subscription.ended_by = reason;
    Joining& joining = *subscription.joining;
    uncount(*subscription.connection, joining);
    joining.forget();
    Call& call = *pending_calls_.find(joining.call);
    call.connection->calls.remove(call);
    call.connection = nullptr;
    subscriptions_.end(subscription);
    return;
  }
  if (subscription.joining != nullptr) {
    take_pending(*pending_calls_.find(subscription.joining->call));
    end_joining(subscription);
  }
  --subscription.topic->joined;
  subscriptions_.end(subscription);
  leave(subscription, reason);
}

// The leave of a subscription that has ended, now or when its channel may be called again.
void Hub::leave(Subscription& subscription, LeaveReason reason) {
  if (hold_.is_frozen && is_held(*subscription.channel)) {
    subscription.ended_by = reason;
    hold_.leaves.add(subscription);
    return;
  }
  call_leave(subscription, reason);
  ended_.add(subscription);
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

std::unique_ptr<Joining> Hub::end_joining(Subscription& subscription) {
  std::unique_ptr<Joining> joining = subscriptions_.end_joining(subscription);
  uncount(*subscription.connection, *joining);
  return joining;
}

// What a join holds counts against its connection's bounds no more.
void Hub::uncount(Connection& connection, const Joining& joining) {
  connection.deferred_bytes -= joining.deferred.bytes();
  connection.asked_bytes -= static_cast<std::uint32_t>(joining.asked.octets());
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
      late_leaves_.add(subscription);
    } else {
      ended_.add(subscription);
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
