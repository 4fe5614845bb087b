// What goes out: frames into outboxes, what becomes of them where an outbox is full, and from there
// to the links.
#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "core/hub/hub.hpp"

namespace jackfield::hub {
namespace {

constexpr unsigned bit(SlowPolicy policy) { return 1U << static_cast<unsigned>(policy); }

constexpr unsigned kDroppable =
    bit(SlowPolicy::kDropOldest) | bit(SlowPolicy::kDropNew) | bit(SlowPolicy::kLatest);

// What is taken out of a queue is not counted as deferred any more, also where that ends by an
// exception.
class FollowDeferred {
 public:
  FollowDeferred(Connection& connection, const Outbox& queue)
      : connection_(connection), queue_(queue), before_(queue.bytes()) {}
  ~FollowDeferred() {
    if (&queue_ != &connection_.outbox) connection_.deferred_bytes -= before_ - queue_.bytes();
  }
  FollowDeferred(const FollowDeferred&) = delete;
  FollowDeferred& operator=(const FollowDeferred&) = delete;

 private:
  Connection& connection_;
  const Outbox& queue_;
  const std::size_t before_;
};

}  // namespace

// ---- policies

void Hub::set_backlog(const std::vector<BacklogRule>& rules) {
  backlog_.clear();
  for (const BacklogRule& rule : rules) {
    Backlog made{{}, rule.policy};
    for (const std::string& text : rule.topics) {
      base::Result<TopicPattern> pattern = TopicPattern::parse(text);
      assert(pattern.is_ok() && "the configuration checks patterns");
      if (pattern.is_ok()) made.topics.push_back(std::move(pattern.value()));
    }
    backlog_.push_back(std::move(made));
  }
  subscriptions_.for_each_topic([this](Topic& topic) { topic.policy = policy_of(topic.name); });
}

SlowPolicy Hub::policy_of(std::string_view topic) const {
  for (const Backlog& row : backlog_) {
    const auto is_it = [topic](const TopicPattern& pattern) { return pattern.match(topic); };
    if (std::any_of(row.topics.begin(), row.topics.end(), is_it)) return row.policy;
  }
  return SlowPolicy::kClose;
}

// ---- the list of those with something to send

// Whether there is room on it.
bool Hub::make_room_on_list() {
  try {
    dirty_.reserve(std::max<std::size_t>(64, dirty_.capacity() * 2));
    return true;
  } catch (const std::bad_alloc&) {
    is_dirty_unlisted_ = true;
    return false;
  }
}

// Part of its callers: it is called for each delivery.
inline void Hub::list_dirty(Connection& connection) {
  if (connection.dirty_index != Connection::kNotDirty) return;
  if (dirty_.size() == dirty_.capacity() && !make_room_on_list()) return;
  connection.dirty_index = static_cast<std::uint32_t>(dirty_.size());
  dirty_.push_back(&connection);
}

void Hub::mark_dirty(Connection& connection) { list_dirty(connection); }

// ---- into outboxes

// Whether a message may be added where nothing else waits: whatever its size, for the bounds are
// against backlog, and most links take it at once. One that has not taken all that went before does
// not, nor does a join that is not answered, and may never be: there it is bounded by the share
// where the budget is used up.
inline bool Hub::may_wait_alone(const Connection& connection, const Outbox& queue,
                                std::size_t size) const {
  if (!is_over_budget() || connection.link_bytes + size <= share_of_budget()) return true;
  return !connection.is_waiting && (&queue == &connection.outbox || is_of_running_join(queue));
}

// Whether this is what waits for the end of the join that runs now: its snapshot, which is written
// when it returns.
bool Hub::is_of_running_join(const Outbox& queue) const {
  const Subscription* const joining = running_ == nullptr ? nullptr : running_->call.joining;
  return joining != nullptr && &joining->joining->deferred == &queue;
}

// Whether it can be added without a closer look.
bool Hub::has_room(const Connection& connection, const wire::FrameRef& frame) const {
  const std::size_t waiting = waiting_bytes(connection);
  const std::size_t size = frame.bytes().size();
  if (is_over_budget()) return waiting == 0 && connection.link_bytes + size <= share_of_budget();
  return waiting == 0 || (waiting + size <= soft_ && !connection.is_slow);
}

// This and `deliver` are the only places where octets are let in to wait for a connection.
void Hub::enqueue(Connection& connection, const wire::FrameRef& frame) {
  if (connection.state != Connection::State::kOpen) return;
  try {
    if (!has_room(connection, frame) && !make_room(connection, connection.outbox, frame)) return;
    connection.outbox.push(frame);
  } catch (const std::bad_alloc&) {
    give_up(connection);
    return;
  }
  list_dirty(connection);
}

void Hub::deliver(Subscription& subscription, const wire::FrameRef& frame) {
  Connection& connection = *subscription.connection;
  if (subscription.joining == nullptr) {
    enqueue(connection, frame);
    return;
  }
  if (connection.state != Connection::State::kOpen) return;
  Outbox& deferred = subscription.joining->deferred;
  try {
    if (!has_room(connection, frame) && !make_room(connection, deferred, frame)) return;
    deferred.push(frame);
  } catch (const std::bad_alloc&) {
    give_up(connection);
    return;
  }
  connection.deferred_bytes += frame.bytes().size();
}

void Hub::send(Connection& connection, std::string_view topic, std::string_view event,
               std::string_view payload) {
  try {
    enqueue(connection, make_frame(topic, event, payload, SlowPolicy::kClose));
  } catch (const std::bad_alloc&) {
    give_up(connection);
  }
}

// Whether the frame may be added to `queue`, its connection's outbox or what is deferred for it:
// does what its policy says where that is full.
bool Hub::make_room(Connection& connection, Outbox& queue, const wire::FrameRef& frame) {
  const std::size_t size = frame.bytes().size();
  // What had no chance to be taken yet is nobody's fault. Large ones, each for another connection,
  // do not wait together for the end of the turn where they would not fit.
  if (is_over_budget() && size > share_of_budget()) write_dirty();
  if (connection.link_bytes == 0) write_out(connection);
  // And what it had may have closed it: nothing may follow a message that has begun but its Close.
  if (connection.state != Connection::State::kOpen) return false;
  const SlowPolicy policy = policy_of_mark(frame->mark());
  const Bounds bound = bounds(connection, queue, size);
  const bool is_followed = connection.is_slow && policy == SlowPolicy::kLatest;
  if (!is_followed && fits(connection, queue, size, bound.soft)) return true;
  begin_slow(connection);
  bool is_taken = false;
  switch (policy) {
    case SlowPolicy::kClose:
      is_taken = make_room_for_owed(connection, queue, size, bound);
      if (!is_taken) close_slow(connection);
      break;
    case SlowPolicy::kDropNew: break;
    case SlowPolicy::kDropOldest:
      drop_oldest(connection, queue, bit(policy), size, bound.soft);
      is_taken = fits(connection, queue, size, bound.soft);
      break;
    case SlowPolicy::kLatest: {
      const std::size_t most = &queue == &connection.outbox ? bound.hard : bound.soft;
      drop_same(connection, queue, *frame);
      drop_oldest(connection, queue, bit(policy), size, most);
      is_taken = fits(connection, queue, size, most);
      break;
    }
  }
  if (is_taken) return true;
  if (bound.are_of_budget) ++counts_.outboxes_over_budget;
  if (policy != SlowPolicy::kClose) counts_.dropped.add(policy, size);
  return false;
}

// The connection's own bounds; while all outboxes together are over their budget also its share of
// that, which is the same for each of max_connections: so all that is let in beyond the budget is
// at most as much again. One that has less than its share goes on as ever; so does the one join
// that runs, for nothing of it can be written yet.
Hub::Bounds Hub::bounds(const Connection& connection, const Outbox& queue, std::size_t size) const {
  const Bounds own{soft_, limits_.max_outbox_bytes, false};
  if (!is_over_budget() || is_of_running_join(queue)) return own;
  const std::size_t waiting = waiting_bytes(connection);
  // What its octets take beyond themselves.
  const auto beyond = [](const Outbox& its) { return its.footprint() - its.bytes(); };
  std::size_t beside = connection.link_bytes + beyond(connection.outbox);
  if (connection.deferred_bytes != 0) {
    for (const Call* each = connection.calls.newest(); each != nullptr; each = each->next) {
      if (each->joining != nullptr) beside += beyond(each->joining->joining->deferred);
    }
  }
  const std::size_t share = share_of_budget();
  if (waiting + beside + size <= share) return own;
  const std::size_t bound = share > beside ? share - beside : 0;
  return {std::min(own.soft, bound), std::min(own.hard, bound), true};
}

std::size_t Hub::share_of_budget() const {
  return std::max(kLeastShare,
                  limits_.max_outboxes_bytes / std::max<std::size_t>(1, limits_.max_connections));
}

// Throws std::bad_alloc; what has been dropped by then is not counted as waiting any more.
void Hub::drop_same(Connection& connection, Outbox& queue, const wire::Frame& frame) {
  const FollowDeferred follow(connection, queue);
  queue.drop_same(frame, hash_, counts_.dropped);
}

// Drops the oldest of these policies in `queue` until `size` more are within the bound, or none of
// them is left.
void Hub::drop_oldest(Connection& connection, Outbox& queue, unsigned policies, std::size_t size,
                      std::size_t bound) {
  while (waiting_bytes(connection) + size > bound) {
    const FollowDeferred follow(connection, queue);
    if (!queue.drop_oldest(policies, counts_.dropped)) return;
  }
}

// Whether `size` more in `queue` are within the bound, or may wait alone and would.
bool Hub::fits(const Connection& connection, const Outbox& queue, std::size_t size,
               std::size_t bound) const {
  const std::size_t waiting = waiting_bytes(connection);
  return waiting + size <= bound || (waiting == 0 && may_wait_alone(connection, queue, size));
}

// For what may not be dropped: all that may be dropped makes room.
bool Hub::make_room_for_owed(Connection& connection, Outbox& queue, std::size_t size,
                             const Bounds& bounds) {
  const auto makes_room = [&](Outbox& other) {
    drop_oldest(connection, other, kDroppable, size, bounds.hard);
    return fits(connection, queue, size, bounds.hard);
  };
  if (makes_room(connection.outbox) || makes_room(queue)) return true;
  for (Subscription* each = connection.subscriptions.newest(); each != nullptr; each = each->next) {
    if (each->joining != nullptr && makes_room(each->joining->deferred)) return true;
  }
  return false;
}

void Hub::begin_slow(Connection& connection) {
  if (connection.is_slow) return;
  connection.is_slow = true;
  ++counts_.slow_consumers;
  log_.warning("slow consumer", {{"conn", connection.id},
                                 {"peer", connection.link.facts().peer()},
                                 {"waiting_bytes", waiting_bytes(connection)}});
}

// When it has read until much less waits: who is at the bound does not begin to be slow again and
// again.
void Hub::end_slow(Connection& connection) {
  if (waiting_bytes(connection) > soft_ / 2) return;
  connection.is_slow = false;
  connection.outbox.forget_notes();
}

void Hub::close_slow(Connection& connection) {
  ++counts_.slow_consumers_closed;
  log_.info("slow consumer closed", {{"conn", connection.id},
                                     {"peer", connection.link.facts().peer()},
                                     {"waiting_bytes", waiting_bytes(connection)}});
  doom(connection, CloseCode::kTryAgainLater, "Slow consumer");
  connection.outbox.clear();
}

// ---- pushes and broadcasts

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
    if (call->joining == nullptr) {
      const SlowPolicy policy = backlog_.empty() ? SlowPolicy::kClose : policy_of(topic);
      enqueue(*call->connection, make_frame(topic, event, payload, policy));
      return Outcome::kDone;
    }
    wire::FrameRef frame = make_frame(topic, event, payload, call->joining->topic->policy);
    frame.mark(static_cast<std::uint8_t>(frame->mark() | kOfJoinBit));
    deliver(*call->joining, frame);
    return Outcome::kDone;
  }
  Subscription* subscription = subscriptions_.find(target);
  if (subscription == nullptr || subscription->is_ended) return Outcome::kGone;
  const Topic& its = *subscription->topic;
  wire::FrameRef frame = make_frame(its.name, event, payload, its.policy);
  const bool is_first_join = subscription->joining != nullptr && !subscription->joining->is_again;
  if (is_first_join) frame.mark(static_cast<std::uint8_t>(frame->mark() | kOfJoinBit));
  deliver(*subscription, frame);
  return Outcome::kDone;
}

// Nobody is removed during the fan-out: who must go is marked.
std::size_t Hub::broadcast(std::string_view name, std::string_view event, std::string_view payload,
                           base::Id except) {
  const Topic* topic = subscriptions_.find_topic(name);
  if (topic == nullptr || topic->members.empty()) return 0;
  const wire::FrameRef frame = make_frame(name, event, payload, topic->policy);
  const Subscription* excepted = except == 0 ? nullptr : subscriptions_.find(except);
  std::size_t count = 0;
  for (const Topic::Member& member : topic->members) {
    if (member.subscription == excepted) continue;
    if (member.connection != nullptr) {
      enqueue(*member.connection, frame);
    } else {
      deliver(*member.subscription, frame);
    }
    ++count;
  }
  fanned_out_ += count;
  return count;
}

// ---- to the links

void Hub::mark_clean(Connection& connection) {
  const std::uint32_t index = std::exchange(connection.dirty_index, Connection::kNotDirty);
  if (index != Connection::kNotDirty) dirty_[index] = nullptr;
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
  std::size_t size = 0;
  while (takes_more && !connection.outbox.is_empty()) {
    const std::string_view bytes = connection.outbox.front(batch_);
    size = bytes.size();
    takes_more = link.write(bytes);
    connection.outbox.pop(size);
  }
  if (!takes_more || connection.is_waiting || connection.is_slow) {
    note_link(connection, !takes_more, size);
  }
  if (connection.state == Connection::State::kClosing && takes_more) {
    connection.state = Connection::State::kClosed;
    link.finish_close(connection.close_frame.bytes());
  }
}

// A congested link may keep all that it was given by the last write: that is held for the
// connection as much as what its outbox has.
void Hub::note_link(Connection& connection, bool is_congested, std::size_t written) {
  if (is_congested && written != 0) {
    ledger_.octets -= connection.link_bytes;
    connection.link_bytes = static_cast<std::uint32_t>(std::min<std::size_t>(written, UINT32_MAX));
    ledger_.octets += connection.link_bytes;
  } else if (!is_congested) {
    ledger_.octets -= std::exchange(connection.link_bytes, 0);
  }
  connection.is_waiting = is_congested;
  if (connection.is_slow && written != 0) end_slow(connection);
  if (is_congested && is_over_budget()) bound_begun(connection);
}

// A message is taken whatever its size where nothing else waits, for most links take it at once.
// Where this one did not, and the budget is used up, what is left of it may be no more than a
// share.
void Hub::bound_begun(Connection& connection) {
  if (connection.state != Connection::State::kOpen) return;
  const std::size_t of_first = connection.outbox.begun_bytes();
  if (of_first <= share_of_budget()) return;
  ++counts_.outboxes_over_budget;
  close_slow(connection);
}

// The join that ran may not be answered for long: then what it has pushed is no snapshot that is
// written when it returns, and has the bounds of all that waits.
void Hub::bound_pending(Subscription& subscription) {
  Connection& connection = *subscription.connection;
  Outbox& deferred = subscription.joining->deferred;
  if (connection.state != Connection::State::kOpen || deferred.is_empty()) return;
  const Bounds bound = bounds(connection, deferred, 0);
  if (!bound.are_of_budget || make_room_for_owed(connection, deferred, 0, bound)) return;
  ++counts_.outboxes_over_budget;
  close_slow(connection);
}

void Hub::end_turn() {
  do {
    settle();
    write_dirty();
  } while (!is_settled());  // who did not take a message may be closed for it
  batch_.clear();
  fanned_out_ = 0;
}

// A link that is written to may not call back, so nothing is added meanwhile.
void Hub::write_dirty() {
  for (Connection* connection : dirty_) {
    if (connection == nullptr) continue;
    connection->dirty_index = Connection::kNotDirty;
    write_out(*connection);
  }
  dirty_.clear();
  if (!std::exchange(is_dirty_unlisted_, false)) return;
  connections_.for_each([this](Connection& connection) {
    const bool is_closing = connection.state == Connection::State::kClosing;
    if (is_closing || !connection.outbox.is_empty()) write_out(connection);
  });
}

}  // namespace jackfield::hub
