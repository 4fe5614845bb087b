#include "tests/fuzz/hub_model.hpp"

#include <algorithm>

#include "core/hub/hub.hpp"
#include "core/hub/outbox.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace jackfield::fuzz {
namespace {

using hub::Answer;
using hub::LeaveReason;
using hub::SlowPolicy;
using State = hub::Connection::State;

constexpr unsigned kNormal = 1000;
constexpr unsigned kPolicy = 1008;
constexpr unsigned kTryAgainLater = 1013;
constexpr std::uint64_t kBurst = 4'000'000;  // microseconds that a bucket holds

template <class List, class Value>
bool contains(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string header(unsigned first, std::size_t size) {
  std::string octets(1, static_cast<char>(first));
  const std::size_t more = size < 126 ? 0 : 2;
  octets += static_cast<char>(more == 0 ? size : 126);
  for (std::size_t i = more; i > 0; --i) octets += static_cast<char>(size >> (8 * (i - 1)) & 255);
  return octets;
}

}  // namespace

// In fragments of 64 KiB at most, headers included.
std::string text_frame(std::string_view text) {
  constexpr std::size_t kMost = hub::Outbox::kMaxBatch - 4;
  std::string frames;
  unsigned opcode = 1;
  for (; text.size() > kMost; text.remove_prefix(kMost), opcode = 0) {
    frames += header(opcode, kMost).append(text.substr(0, kMost));
  }
  return frames += header(0x80 | opcode, text.size()).append(text);
}

std::string close_frame(unsigned code, std::string_view reason) {
  std::string frame = header(0x88, reason.size() + 2);
  frame += static_cast<char>(code >> 8);
  frame += static_cast<char>(code & 255);
  return frame.append(reason);
}

std::string id_of(std::string_view payload) {
  static constexpr std::string_view kId = "\"id\":\"";
  const std::size_t last = payload.rfind(kId);
  if (last == payload.npos) return {};
  const std::size_t begin = last + kId.size() - 1;
  return std::string(payload.substr(begin, payload.find('"', begin + 1) - begin + 1));
}

std::size_t bytes_of(const ModelQueue& queue) {
  std::size_t bytes = 0;
  for (const ModelFrame& frame : queue) bytes += frame.text.size();
  return bytes;
}

// ---- the record

Happening Model::take(Happening::Kind kind, std::string_view what) {
  if (record_.empty()) fail(std::string(what) + " is called where it is due");
  Happening happening = std::move(record_.front());
  record_.pop_front();
  if (happening.kind != kind) fail(std::string(what) + " comes before what was called");
  return happening;
}

// A channel's function that ran: what it did, and how it ended.
Answer Model::run(const Happening& happening, Running running) {
  running_ = running.call == 0 ? nullptr : &running;
  for (const Verb& verb : happening.verbs) apply(verb);
  running_ = nullptr;
  return running.answer ? *running.answer : happening.answer;
}

// ---- channels

bool Model::takes(ChannelIndex channel, std::string_view topic) const {
  const std::size_t colon = topic.find(':');
  if (colon == topic.npos) return false;
  const ModelChannel& model = channels_[channel];
  return (model.first.empty() || model.first == topic.substr(0, colon)) &&
         (model.second.empty() || model.second == topic.substr(colon + 1));
}

bool Model::narrows(ChannelIndex channel, std::string_view topic) const {
  return channels_[channel].is_narrow && topic.ends_with('2');
}

bool Model::is_held(ChannelIndex channel) const { return contains(hold_.channels, channel); }

std::optional<ChannelIndex> Model::find_channel(std::string_view topic) const {
  for (const ChannelIndex channel : order_) {
    if (takes(channel, topic) && (is_held(channel) || !narrows(channel, topic))) return channel;
  }
  return std::nullopt;
}

// ---- connections

ModelConnection* Model::find(Id connection) {
  const auto found = connections_.find(connection);
  return found == connections_.end() ? nullptr : &found->second;
}

std::size_t Model::open_count() const {
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& entry) { return entry.second.state == State::kOpen; }));
}

void Model::open(Id connection) {
  require(connection > last_id_, "an id is new");
  last_id_ = connection;
  const bool is_full = open_count() >= limits_.max_connections;
  connections_[connection];
  if (is_shutting_down_) {
    doom(connection, kNormal, "Server shutting down", LeaveReason::kShutdown);
  } else if (is_full) {
    doom(connection, kPolicy, "Server at maximum capacity", LeaveReason::kClosed);
  }
}

void Model::close(Id connection, unsigned code, std::string_view reason) {
  doom(connection, code, reason, LeaveReason::kClosed);
}

void Model::doom(Id id, unsigned code, std::string_view reason, LeaveReason reason_of_leaves) {
  ModelConnection& connection = connections_.at(id);
  if (connection.state != State::kOpen) return;
  connection.state = State::kDoomed;
  connection.close_reason = reason_of_leaves;
  connection.close_frame = close_frame(code, reason);
  doomed_.push_back(id);
}

void Model::begin_close(Id id) {
  ModelConnection& connection = connections_.at(id);
  connection.state = State::kClosing;
  if (std::exchange(connection.is_parked, false)) {
    forget_parked(id);
    connection.is_paused = false;
  }
  end_all_subscriptions(id);
  connection.is_dirty = true;
  require(take(Happening::Kind::kBeginClose, "a link's begin_close").connection == id,
          "connections are closed in the order in which they were doomed");
}

// The newest first.
void Model::end_all_subscriptions(Id connection) {
  const LeaveReason reason = connections_.at(connection).close_reason;
  while (true) {
    Id newest = 0;
    for (const auto& [id, subscription] : subscriptions_) {
      if (subscription.connection == connection && !subscription.is_ended) newest = id;
    }
    if (newest == 0) return;
    end_subscription(newest, reason);
  }
}

void Model::lost(Id id) {
  ModelConnection& connection = connections_.at(id);
  connection.state = State::kClosed;
  connection.outbox.clear();
  end_all_subscriptions(id);
  forget_parked(id);
  std::erase_if(calls_, [&](const auto& entry) { return entry.second.connection == id; });
  connections_.erase(id);
  settle();
}

void Model::shut_down() {
  is_shutting_down_ = true;
  // In whatever order: it is taken from what happened.
  std::vector<Id> order;
  for (const Happening& happening : record_) {
    if (happening.kind == Happening::Kind::kBeginClose) order.push_back(happening.connection);
  }
  for (const Id id : order) doom(id, kNormal, "Server shutting down", LeaveReason::kShutdown);
  require(open_count() == 0, "a shutdown closes everybody");
  settle();
}

// ---- what goes out

std::size_t Model::waiting(const ModelConnection& connection) {
  return connection.outbox_bytes() + connection.deferred_bytes;
}

hub::SlowPolicy Model::policy_of(const std::string& topic) const {
  const auto found = policies_.find(topic);
  return found == policies_.end() ? SlowPolicy::kClose : found->second;
}

ModelFrame Model::message_frame(std::string_view topic, std::string_view event,
                                std::string_view payload, SlowPolicy policy) const {
  const std::string names = "[\"" + std::string(topic) + "\",\"" + std::string(event) + "\",";
  return {text_frame(names + std::string(payload) + "]"), policy, names, false};
}

bool Model::is_let_in(Id id, ModelJoining* joining, const ModelFrame& frame) {
  ModelConnection& connection = connections_.at(id);
  ModelQueue& queue = joining == nullptr ? connection.outbox : joining->deferred;
  if (connection.state != State::kOpen) return false;
  const std::size_t size = frame.text.size();
  const auto fits = [&](std::size_t bound) {
    return waiting(connection) == 0 || waiting(connection) + size <= bound;
  };
  if (waiting(connection) == 0 || (fits(soft()) && !connection.is_slow)) return true;
  if (!connection.is_holding) write_out(connection);
  const bool is_followed = connection.is_slow && frame.policy == SlowPolicy::kLatest;
  if (fits(soft()) && !is_followed) return true;
  if (!std::exchange(connection.is_slow, true)) ++counts_.slow_consumers;

  bool is_taken = false;
  switch (frame.policy) {
    case SlowPolicy::kClose:
      is_taken = make_room_for_owed(id, queue, size);
      if (is_taken) break;
      ++counts_.slow_consumers_closed;
      doom(id, kTryAgainLater, "Slow consumer", LeaveReason::kClosed);
      connection.outbox.clear();
      break;
    case SlowPolicy::kDropNew: break;
    case SlowPolicy::kDropOldest:
      is_taken = drop_oldest(connection, queue, {frame.policy}, size, soft());
      break;
    case SlowPolicy::kLatest:
      drop_same(connection, queue, frame.names);
      is_taken = drop_oldest(connection, queue, {frame.policy}, size,
                             joining != nullptr ? soft() : limits_.max_outbox_bytes);
      break;
  }
  if (!is_taken && frame.policy != SlowPolicy::kClose) counts_.dropped.add(frame.policy, size);
  return is_taken;
}

void Model::drop(ModelConnection& connection, ModelQueue& queue, std::size_t place) {
  const ModelFrame& frame = queue[place];
  counts_.dropped.add(frame.policy, frame.text.size());
  if (&queue != &connection.outbox) connection.deferred_bytes -= frame.text.size();
  queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(place));
}

// Until so much more is within the bound; whether it is.
bool Model::drop_oldest(ModelConnection& connection, ModelQueue& queue,
                        const std::set<SlowPolicy>& policies, std::size_t size, std::size_t bound) {
  while (waiting(connection) + size > bound) {
    const auto oldest = std::find_if(queue.begin(), queue.end(), [&](const ModelFrame& frame) {
      return !frame.is_begun && policies.count(frame.policy) > 0;
    });
    if (oldest == queue.end()) break;
    drop(connection, queue, static_cast<std::size_t>(oldest - queue.begin()));
  }
  return waiting(connection) == 0 || waiting(connection) + size <= bound;
}

// Of what is kLatest only the newest of its names stays, and nothing of these.
void Model::drop_same(ModelConnection& connection, ModelQueue& queue, const std::string& names) {
  std::set<std::string> newer{names};
  for (std::size_t place = queue.size(); place > 0; --place) {
    const ModelFrame& frame = queue[place - 1];
    if (frame.policy != SlowPolicy::kLatest || frame.is_begun) continue;
    if (!newer.insert(frame.names).second) drop(connection, queue, place - 1);
  }
}

// All that may be dropped goes before what may not.
bool Model::make_room_for_owed(Id id, ModelQueue& queue, std::size_t size) {
  static const std::set<SlowPolicy> kDroppable = {SlowPolicy::kDropOldest, SlowPolicy::kDropNew,
                                                  SlowPolicy::kLatest};
  ModelConnection& connection = connections_.at(id);
  const std::size_t bound = limits_.max_outbox_bytes;
  if (drop_oldest(connection, connection.outbox, kDroppable, size, bound)) return true;
  if (drop_oldest(connection, queue, kDroppable, size, bound)) return true;
  for (auto entry = subscriptions_.rbegin(); entry != subscriptions_.rend(); ++entry) {
    ModelSubscription& subscription = entry->second;
    const bool is_its = subscription.connection == id && !subscription.is_ended;
    if (!is_its || !subscription.joining) continue;
    if (drop_oldest(connection, subscription.joining->deferred, kDroppable, size, bound)) {
      return true;
    }
  }
  return false;
}

void Model::enqueue(Id id, ModelFrame frame) {
  if (!is_let_in(id, nullptr, frame)) return;
  ModelConnection& connection = connections_.at(id);
  connection.outbox.push_back(std::move(frame));
  connection.is_dirty = true;
}

void Model::deliver(Id id, ModelFrame frame) {
  ModelSubscription& subscription = subscriptions_.at(id);
  if (!subscription.joining) return enqueue(subscription.connection, std::move(frame));
  if (!is_let_in(subscription.connection, &*subscription.joining, frame)) return;
  connections_.at(subscription.connection).deferred_bytes += frame.text.size();
  subscription.joining->deferred.push_back(std::move(frame));
}

void Model::send(Id connection, std::string_view topic, std::string_view event,
                 std::string_view payload) {
  enqueue(connection, message_frame(topic, event, payload, SlowPolicy::kClose));
}

void Model::send_error(Id connection, std::string_view topic, std::string_view code,
                       std::string_view message) {
  std::string payload = "{\"code\":\"";
  payload.append(code).append("\",\"message\":\"").append(message).append("\"}");
  send(connection, topic, "error", payload);
}

// A write takes whole frames, as long as they are few octets together, or one fragment.
void Model::write_out(ModelConnection& connection) {
  const auto use = [&] {
    if (connection.room != ModelConnection::kEndless) --connection.room;
    connection.is_holding = connection.room == 0;
  };
  if (connection.room > 0) connection.is_holding = false;
  const bool is_written_to = connection.room > 0 && !connection.outbox.empty();
  while (connection.room > 0 && !connection.outbox.empty()) {
    std::string batch;
    ModelFrame& first = connection.outbox.front();
    if (first.is_begun || first.text.size() > hub::Outbox::kMaxBatch) {
      batch = first.text.substr(0, hub::Outbox::kMaxBatch);
      first.text.erase(0, batch.size());
      first.is_begun = true;
      if (first.text.empty()) connection.outbox.pop_front();
    } else {
      do {
        batch += connection.outbox.front().text;
        connection.outbox.pop_front();
      } while (!connection.outbox.empty() &&
               batch.size() + connection.outbox.front().text.size() <= hub::Outbox::kMaxBatch);
    }
    connection.written += batch;
    use();
  }
  if (is_written_to && waiting(connection) <= soft() / 2) connection.is_slow = false;
  if (connection.state == State::kClosing && connection.room > 0) {
    connection.state = State::kClosed;
    connection.closed_with = connection.close_frame;
  }
}

void Model::writable(Id id) { write_out(connections_.at(id)); }

void Model::flush(Id id) {
  ModelConnection& connection = connections_.at(id);
  if (!connection.is_dirty && connection.outbox.empty()) return;
  connection.is_dirty = false;
  write_out(connection);
}

void Model::end_turn() {
  settle();
  for (auto& [id, connection] : connections_) {
    if (std::exchange(connection.is_dirty, false)) write_out(connection);
  }
}

// ---- verbs

void Model::apply(const Verb& verb) {
  bool is_done = false;
  std::size_t count = 0;
  switch (verb.kind) {
    case Verb::Kind::kPush: is_done = push(verb); break;
    case Verb::Kind::kBroadcast: count = broadcast(verb); break;
    case Verb::Kind::kReply: is_done = reply(verb); break;
    case Verb::Kind::kKick: is_done = kick(verb); break;
  }
  require(is_done == verb.is_done, "a verb is done where the model does it");
  require(count == verb.count, "a broadcast counts as many as the model");
}

bool Model::push(const Verb& verb) {
  Id connection = 0;
  Id joining = 0;
  std::string topic;
  const auto pending = calls_.find(verb.target);
  if (running_ != nullptr && running_->call == verb.target) {
    if (running_->answer) return false;
    connection = running_->connection;
    joining = running_->subscription;
    topic = running_->topic;
  } else if (pending != calls_.end()) {
    connection = pending->second.connection;
    joining = pending->second.subscription;
    topic = pending->second.topic;
    if (connection == 0) return false;
  } else {
    const auto found = subscriptions_.find(verb.target);
    if (found == subscriptions_.end() || found->second.is_ended) return false;
    const auto& its_joining = found->second.joining;
    topic = found->second.topic;
    ModelFrame frame = message_frame(topic, verb.event, verb.payload, policy_of(topic));
    frame.is_of_join = its_joining && !its_joining->is_again;
    deliver(verb.target, std::move(frame));
    return true;
  }
  ModelFrame frame = message_frame(topic, verb.event, verb.payload, policy_of(topic));
  if (joining != 0) {
    frame.is_of_join = true;
    deliver(joining, std::move(frame));
  } else {
    enqueue(connection, std::move(frame));
  }
  return true;
}

std::size_t Model::broadcast(const Verb& verb) {
  std::vector<Id> members;
  for (const auto& [id, subscription] : subscriptions_) {
    const bool is_member = subscription.topic == verb.topic && !subscription.is_ended;
    if (is_member && id != verb.target) members.push_back(id);
  }
  for (const Id id : members) {
    deliver(id, message_frame(verb.topic, verb.event, verb.payload, policy_of(verb.topic)));
  }
  return members.size();
}

bool Model::reply(const Verb& verb) {
  if (running_ != nullptr && running_->call == verb.target) {
    if (running_->answer) return false;
    running_->answer = verb.answer;
    return true;
  }
  const auto found = calls_.find(verb.target);
  if (found == calls_.end()) return false;
  const ModelCall call = found->second;
  calls_.erase(found);
  if (call.subscription == 0) {
    if (verb.answer.kind == Answer::Kind::kRefused) {
      send_error(call.connection, call.topic, verb.answer.code, verb.answer.message);
    }
    return true;
  }
  if (!subscriptions_.at(call.subscription).is_ended) {
    finish_join(call.subscription, verb.answer);
    return true;
  }
  if (verb.answer.kind == Answer::Kind::kOk) {
    joined_.insert(call.subscription);
    late_leaves_.push_back(call.subscription);
  } else {
    ended_.push_back(call.subscription);
  }
  return false;
}

bool Model::kick(const Verb& verb) {
  if (find(verb.target) != nullptr) {
    doom(verb.target, kPolicy, verb.answer.message, LeaveReason::kKicked);
    return true;
  }
  if (!is_live_subscription(verb.target)) return false;
  kicks_.push_back(verb);
  return true;
}

// ---- what was put off

void Model::settle() {
  const auto next_of = [](auto& list) {
    auto next = std::move(list.front());
    list.pop_front();
    return next;
  };
  while (!doomed_.empty() || !kicks_.empty() || !late_leaves_.empty() || !joins_again_.empty() ||
         !ended_.empty()) {
    for (std::size_t i = 0; i < doomed_.size(); ++i) {
      const ModelConnection* connection = find(doomed_[i]);
      if (connection != nullptr && connection->state == State::kDoomed) begin_close(doomed_[i]);
    }
    doomed_.clear();
    while (!kicks_.empty()) {
      const Verb kick = next_of(kicks_);
      if (!is_live_subscription(kick.target)) continue;
      const ModelSubscription subscription = subscriptions_.at(kick.target);
      end_subscription(kick.target, LeaveReason::kKicked);
      send_error(subscription.connection, subscription.topic, kick.answer.code,
                 kick.answer.message);
    }
    while (!late_leaves_.empty()) {
      const Id id = next_of(late_leaves_);
      leave(id, subscriptions_.at(id).joining->ended_by);
    }
    while (!joins_again_.empty()) {
      const JoinAgain next = next_of(joins_again_);
      const ModelConnection* connection = find(next.connection);
      if (connection == nullptr || connection->state != State::kOpen) continue;
      if (!may(hub::Action::kSubscribe, next.topic)) {
        send_error(next.connection, next.topic, "FORBIDDEN", "Not allowed on this topic");
      } else if (must_wait(next.connection, next.topic, "subscribe")) {
        hold_.joins_again.push_back(next);
      } else {
        subscribe(next.connection, next.topic, next.payload);
      }
    }
    while (!ended_.empty()) subscriptions_.erase(next_of(ended_));
  }
}

void Model::recheck_access() {
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.is_ended || may(hub::Action::kSubscribe, subscription.topic)) continue;
    Verb kick{.kind = Verb::Kind::kKick, .target = id};
    kick.answer = Answer::refused("FORBIDDEN", "Not allowed on this topic any more");
    kicks_.push_back(kick);
  }
  settle();
}

// ---- what clients send

// Buckets that fill by time: a message of one a second costs a second.
bool Model::is_within_rate(ModelConnection& connection, std::uint64_t now) {
  const std::uint64_t elapsed = (now - std::exchange(connection.last, now)) * 1000;
  if (elapsed != 0) {
    connection.messages_debt -= std::min(connection.messages_debt, elapsed);
    connection.subscribes_debt -= std::min(connection.subscribes_debt, elapsed);
    if (connection.messages_debt <= kBurst / 2) connection.refusals = 0;
  }
  if (connection.messages_debt >= kBurst) return false;
  if (limits_.max_messages_per_s != 0) {
    connection.messages_debt += 1'000'000 / limits_.max_messages_per_s;
  }
  return true;
}

// Who goes on for as many messages as a burst has is closed.
void Model::note_refusal(Id id) {
  const std::size_t most =
      limits_.max_messages_per_s == 0
          ? 2000
          : std::max<std::size_t>(1, kBurst / (1'000'000 / limits_.max_messages_per_s));
  if (++connections_.at(id).refusals < most) return;
  doom(id, kPolicy, "Too many messages", LeaveReason::kClosed);
}

void Model::charge(Id id, std::uint64_t now) {
  ModelConnection& connection = connections_.at(id);
  if (connection.state != State::kOpen || is_within_rate(connection, now)) return;
  note_refusal(id);
  settle();
}

void Model::receive(Id id, const ModelMessage& message, std::uint64_t now) {
  ModelConnection& connection = connections_.at(id);
  if (connection.state != State::kOpen) return;
  if (is_within_rate(connection, now)) return read(id, message);
  note_refusal(id);
  send_error(id, message.topic.empty() ? "error" : message.topic, "LIMIT_EXCEEDED",
             "Too many messages");
  settle();
}

void Model::read(Id id, const ModelMessage& message) {
  ModelConnection& connection = connections_.at(id);
  if (connection.state != State::kOpen) return;
  if (connection.is_parked) return park(id, message);
  const bool is_subscribe = message.event == "subscribe";
  const hub::Action action = is_subscribe ? hub::Action::kSubscribe : hub::Action::kSend;
  if (!message.mistake.empty()) {
    send_error(id, "error", "INVALID_PAYLOAD", message.mistake);
  } else if (message.event != "unsubscribe" && !may(action, message.topic)) {
    send_error(id, message.topic, "FORBIDDEN", "Not allowed on this topic");
  } else if (must_wait(id, message.topic, message.event)) {
    park(id, message);
  } else if (is_subscribe) {
    const std::size_t rate = limits_.max_subscribes_per_s;
    const std::uint64_t cost = rate == 0 ? 0 : 1'000'000 / rate;
    if (connection.subscribes_debt >= std::max(kBurst, cost * limits_.max_subscriptions)) {
      send_error(id, message.topic, "LIMIT_EXCEEDED", "Too many subscribes");
    } else {
      connection.subscribes_debt += cost;
      subscribe(id, message.topic, message.payload);
    }
  } else if (message.event == "unsubscribe") {
    unsubscribe(id, message.topic);
  } else {
    event(id, message);
  }
  settle();
}

bool Model::must_wait(Id connection, std::string_view topic, std::string_view event) const {
  const Id id = find_subscription(connection, topic);
  if (id != 0 && is_held(subscriptions_.at(id).channel)) return true;
  if (event == "unsubscribe") return false;
  const auto channel = find_channel(topic);
  return channel && is_held(*channel);
}

void Model::park(Id id, const ModelMessage& message) {
  hold_.messages.emplace_back(id, message);
  ModelConnection& connection = connections_.at(id);
  connection.is_parked = true;
  connection.is_paused = true;
}

void Model::forget_parked(Id id) {
  std::erase_if(hold_.messages, [&](const auto& entry) { return entry.first == id; });
}

void Model::subscribe(Id connection, const std::string& topic, const std::string& payload) {
  ModelConnection& its = connections_.at(connection);
  Id id = find_subscription(connection, topic);
  if (id != 0 && subscriptions_.at(id).joining) {
    ModelJoining& joining = *subscriptions_.at(id).joining;
    if (joining.further.size() >= hub::Hub::kMaxWaitingJoins ||
        its.asked_bytes + payload.size() > limits_.max_outbox_bytes ||
        !has_room_to_ask(its, payload.size())) {
      send_error(connection, topic, "LIMIT_EXCEEDED", "This topic is being joined");
    } else {
      its.asked_bytes += payload.size();
      joining.asked += payload.size();
      joining.further.push_back(payload);
    }
    return;
  }
  const auto channel = find_channel(topic);
  if (id == 0) {
    if (!channel) {
      send_error(connection, topic, "INTERNAL_ERROR", "No channel matches topic: " + topic);
      return;
    }
    if (subscriptions_of(connection) >= limits_.max_subscriptions) {
      send_error(
          connection, topic, "LIMIT_EXCEEDED",
          "At most " + std::to_string(limits_.max_subscriptions) + " subscriptions per connection");
      return;
    }
  }
  const std::size_t asked = payload.size() + id_of(payload).size();
  if ((its.asked_bytes > 0 && its.asked_bytes + asked > limits_.max_outbox_bytes) ||
      !has_room_to_ask(its, asked)) {
    send_error(connection, topic, "LIMIT_EXCEEDED", "Too many joins wait for their answers");
    return;
  }

  const Happening join = take(Happening::Kind::kJoin, "a join");
  require(join.call > last_id_, "a call's id is new");
  if (id == 0) {
    id = join.subscription;
    require(id > last_id_ && id < join.call, "a subscription's id is new");
    ModelSubscription& made = subscriptions_[id];
    made.connection = connection;
    made.topic = topic;
    made.channel = *channel;
  }
  last_id_ = join.call;
  ModelSubscription& subscription = subscriptions_.at(id);
  require(join.channel == subscription.channel, "a join goes to the channel of its topic");
  require(join.connection == connection && join.subscription == id,
          "a join is of its connection and subscription");
  require_same(topic, join.topic, "a join's topic");
  require_same(payload, join.payload, "a join's payload");
  subscription.joining =
      ModelJoining{.call = join.call, .id = id_of(payload), .is_again = subscription.is_joined};
  Answer answer = run(join, {join.call, connection, id, topic, {}});
  if (answer.kind == Answer::Kind::kPending) {
    answer = keep_pending(join.call, {connection, id, topic, join.channel});
    if (answer.kind == Answer::Kind::kPending) {
      subscription.joining->payload = payload;
      subscription.joining->asked = asked;
      its.asked_bytes += asked;
      return;
    }
  }
  finish_join(id, answer);
}

bool Model::has_room_to_ask(const ModelConnection& connection, std::size_t octets) {
  const std::size_t all = asked_bytes();
  if (all == 0 || all + octets <= limits_.max_incoming_bytes) return true;
  if (connection.asked_bytes + octets <= hub::Hub::kLeastShare) return true;
  ++counts_.joins_over_budget;
  return false;
}

Answer Model::keep_pending(Id id, const ModelCall& call) {
  if (calls_of(call.connection) >= hub::Hub::kMaxPendingCalls) {
    return Answer::refused("LIMIT_EXCEEDED", "Too many requests wait for an answer");
  }
  calls_[id] = call;
  return Answer::pending();
}

void Model::finish_join(Id id, const Answer& answer) {
  ModelSubscription& subscription = subscriptions_.at(id);
  const Id connection = subscription.connection;
  const std::string topic = subscription.topic;
  const ModelJoining joining = *std::exchange(subscription.joining, std::nullopt);
  uncount(connections_.at(connection), joining);
  const bool is_refused = answer.kind != Answer::Kind::kOk;
  if (is_refused) {
    send_error(connection, topic, answer.code, answer.message);
  } else {
    send(connection, topic, "subscribed",
         joining.id.empty() ? "{}" : "{\"id\":" + joining.id + "}");
    subscription.is_joined = true;
    joined_.insert(id);
  }
  const bool stands = !is_refused || joining.is_again;
  for (const auto& deferred : joining.deferred) {
    if (stands && !(is_refused && deferred.is_of_join)) enqueue(connection, deferred);
  }
  for (const std::string& payload : joining.further) {
    joins_again_.push_back({connection, topic, payload});
  }
  if (stands) return;
  subscription.is_ended = true;
  ended_.push_back(id);
}

void Model::unsubscribe(Id connection, const std::string& topic) {
  const Id id = find_subscription(connection, topic);
  if (id != 0) end_subscription(id, LeaveReason::kUnsubscribed);
  send(connection, topic, "unsubscribed", "{}");
}

void Model::event(Id connection, const ModelMessage& message) {
  const auto channel = find_channel(message.topic);
  if (!channel) {
    send_error(connection, message.topic, "INTERNAL_ERROR",
               "No channel matches topic: " + message.topic);
    return;
  }
  const Happening event = take(Happening::Kind::kEvent, "an event");
  require(event.call > last_id_, "a call's id is new");
  last_id_ = event.call;
  const Id id = find_subscription(connection, message.topic);
  const bool is_its_own = id != 0 && subscriptions_.at(id).channel == *channel;
  require(event.channel == *channel, "an event goes to the channel of its topic");
  require(event.connection == connection, "an event is of its connection");
  require(event.subscription == (is_its_own ? id : 0), "an event has its sender's subscription");
  require_same(message.topic, event.topic, "an event's topic");
  require_same(message.event, event.event, "an event's name");
  require_same(message.payload, event.payload, "an event's payload");
  Answer answer = run(event, {event.call, connection, 0, message.topic, {}});
  if (answer.kind == Answer::Kind::kPending) {
    answer = keep_pending(event.call, {connection, 0, message.topic, *channel});
  }
  if (answer.kind == Answer::Kind::kRefused) {
    send_error(connection, message.topic, answer.code, answer.message);
  }
}

// ---- subscriptions

Id Model::find_subscription(Id connection, std::string_view topic) const {
  for (const auto& [id, subscription] : subscriptions_) {
    const bool is_it = subscription.connection == connection && subscription.topic == topic;
    if (is_it && !subscription.is_ended) return id;
  }
  return 0;
}

bool Model::is_live_subscription(Id id) const {
  const auto found = subscriptions_.find(id);
  return found != subscriptions_.end() && !found->second.is_ended;
}

void Model::end_subscription(Id id, LeaveReason reason) {
  ModelSubscription& subscription = subscriptions_.at(id);
  const bool is_joining = subscription.joining.has_value();
  if (is_joining) uncount(connections_.at(subscription.connection), *subscription.joining);
  subscription.is_ended = true;
  if (is_joining && !subscription.joining->is_again) {
    // It is not known yet whether it joins.
    subscription.joining->ended_by = reason;
    calls_.at(subscription.joining->call).connection = 0;
    return;
  }
  if (is_joining) calls_.erase(subscription.joining->call);
  subscription.joining.reset();
  leave(id, reason);
}

void Model::leave(Id id, LeaveReason reason) {
  const ModelSubscription subscription = subscriptions_.at(id);
  if (hold_.is_frozen && is_held(subscription.channel)) {
    hold_.leaves.emplace_back(id, reason);
    return;
  }
  const Happening leave = take(Happening::Kind::kLeave, "a leave");
  require(leave.channel == subscription.channel, "a leave goes to the subscription's channel");
  require(leave.subscription == id && leave.connection == subscription.connection,
          "a leave is of its subscription and connection");
  require_same(subscription.topic, leave.topic, "a leave's topic");
  require(leave.reason == reason, "a leave has its reason");
  require(left_.insert(id).second, "a subscription leaves once");
  run(leave, {});
  ended_.push_back(id);
}

void Model::uncount(ModelConnection& connection, const ModelJoining& joining) {
  connection.deferred_bytes -= bytes_of(joining.deferred);
  connection.asked_bytes -= joining.asked;
}

// ---- channels that come and go

void Model::freeze() {
  settle();
  hold_.is_frozen = true;
}

void Model::release() {
  const Hold held = std::exchange(hold_, {});
  for (const auto& [id, reason] : held.leaves) leave(id, reason);
  for (const JoinAgain& next : held.joins_again) joins_again_.push_back(next);
  settle();
  std::vector<Id> paused;
  for (const auto& [id, message] : held.messages) {
    ModelConnection* connection = find(id);
    if (connection != nullptr && std::exchange(connection->is_parked, false)) paused.push_back(id);
  }
  for (const auto& [id, message] : held.messages) {
    if (find(id) != nullptr) read(id, message);
  }
  for (const Id id : paused) {
    if (ModelConnection* connection = find(id)) connection->is_paused = false;
  }
}

std::pair<std::size_t, std::size_t> Model::hand_over(const std::vector<ChannelIndex>& successors) {
  const std::vector<ChannelIndex> old = hold_.channels;
  settle();
  hold_.is_frozen = false;
  for (const auto& [id, call] : take_calls(old)) {
    if (call.subscription == 0) {
      send_error(call.connection, call.topic, "INTERNAL_ERROR",
                 "The channel was replaced before it answered");
    } else if (subscriptions_.at(call.subscription).is_ended) {
      subscriptions_.erase(call.subscription);
    } else {
      ask_again(call.subscription);
    }
  }
  std::size_t adopted = 0;
  std::size_t ended = 0;
  for (const Id id : subscriptions_of(old)) {
    if (adopt(id, successors)) {
      ++adopted;
    } else if (!subscriptions_.at(id).is_ended) {
      ++ended;
      end_unserved(id);
    }
  }
  for (const auto& [id, reason] : std::exchange(hold_.leaves, {})) leave(id, reason);
  settle();
  return {adopted, ended};
}

void Model::ask_again(Id id) {
  ModelSubscription& subscription = subscriptions_.at(id);
  const Id connection = subscription.connection;
  const ModelJoining joining = *std::exchange(subscription.joining, std::nullopt);
  uncount(connections_.at(connection), joining);
  hold_.joins_again.push_back({connection, subscription.topic, joining.payload});
  for (const std::string& payload : joining.further) {
    hold_.joins_again.push_back({connection, subscription.topic, payload});
  }
  if (!joining.is_again) {
    subscriptions_.erase(id);
    return;
  }
  for (const auto& deferred : joining.deferred) {
    if (!deferred.is_of_join) enqueue(connection, deferred);
  }
}

bool Model::adopt(Id id, const std::vector<ChannelIndex>& successors) {
  ModelSubscription& subscription = subscriptions_.at(id);
  for (const ChannelIndex successor : successors) {
    if (!takes(successor, subscription.topic) || narrows(successor, subscription.topic)) continue;
    const Happening adopt = take(Happening::Kind::kAdopt, "an adoption");
    require(adopt.channel == successor, "the first successor that takes a topic adopts it");
    require(adopt.subscription == id && adopt.connection == subscription.connection,
            "an adoption is of its subscription and connection");
    require_same(subscription.topic, adopt.topic, "an adopted topic");
    run(adopt, {});
    if (adopt.is_adopted) subscription.channel = successor;
    return adopt.is_adopted;
  }
  return false;
}

void Model::end_unserved(Id id) {
  const ModelSubscription subscription = subscriptions_.at(id);
  end_subscription(id, LeaveReason::kUnloaded);
  send_error(subscription.connection, subscription.topic, "CHANNEL_UNLOADED",
             "The channel of this topic was unloaded");
}

void Model::retire(const std::vector<ChannelIndex>& channels, LeaveReason reason) {
  settle();
  const bool are_told = reason == LeaveReason::kUnloaded;
  for (const Id id : subscriptions_of(channels)) {
    if (subscriptions_.at(id).is_ended) continue;
    if (are_told) {
      end_unserved(id);
    } else {
      end_subscription(id, reason);
    }
  }
  settle();
  for (const auto& [id, call] : take_calls(channels)) {
    if (!are_told || call.subscription != 0) continue;
    send_error(call.connection, call.topic, "CHANNEL_UNLOADED",
               "The channel of this topic was unloaded");
  }
  for (const Id id : subscriptions_of(channels)) subscriptions_.erase(id);
}

std::vector<Id> Model::subscriptions_of(const std::vector<ChannelIndex>& channels) const {
  std::vector<Id> found;
  for (const auto& [id, subscription] : subscriptions_) {
    if (contains(channels, subscription.channel)) found.push_back(id);
  }
  return found;
}

std::vector<std::pair<Id, ModelCall>> Model::take_calls(const std::vector<ChannelIndex>& channels) {
  std::vector<std::pair<Id, ModelCall>> taken;
  for (const auto& [id, call] : calls_) {
    if (contains(channels, call.channel)) taken.emplace_back(id, call);
  }
  for (const auto& [id, call] : taken) calls_.erase(id);
  return taken;
}

// ---- to be compared

std::size_t Model::subscriptions_of(Id connection) const {
  return static_cast<std::size_t>(
      std::count_if(subscriptions_.begin(), subscriptions_.end(), [&](const auto& entry) {
        return entry.second.connection == connection && !entry.second.is_ended;
      }));
}

std::size_t Model::calls_of(Id connection) const {
  return static_cast<std::size_t>(
      std::count_if(calls_.begin(), calls_.end(),
                    [&](const auto& entry) { return entry.second.connection == connection; }));
}

std::size_t Model::subscriber_count(std::string_view topic) const {
  return static_cast<std::size_t>(
      std::count_if(subscriptions_.begin(), subscriptions_.end(), [&](const auto& entry) {
        const ModelSubscription& subscription = entry.second;
        return subscription.topic == topic && !subscription.is_ended && subscription.is_joined;
      }));
}

std::size_t Model::subscription_count(const std::vector<ChannelIndex>& channels) const {
  return subscriptions_of(channels).size();
}

std::size_t Model::pending_of_held() const {
  return static_cast<std::size_t>(
      std::count_if(calls_.begin(), calls_.end(),
                    [&](const auto& entry) { return is_held(entry.second.channel); }));
}

// What waits for an answer to a join, or is to be asked again.
std::size_t Model::asked_bytes() const {
  std::size_t octets = 0;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.joining && !subscription.is_ended) octets += subscription.joining->asked;
  }
  for (const JoinAgain& again : joins_again_) octets += again.payload.size();
  for (const JoinAgain& again : hold_.joins_again) octets += again.payload.size();
  return octets;
}

std::vector<Id> Model::pending_calls() const {
  std::vector<Id> ids;
  for (const auto& [id, call] : calls_) ids.push_back(id);
  return ids;
}

}  // namespace jackfield::fuzz
