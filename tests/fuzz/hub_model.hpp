// A hub that is easy to read rather than fast, against which the real one is held: no frames that
// are shared, no chains, no tables by hash; everything is looked for among everything. It has the
// same verbs. It calls no channel: it takes what happened from the record, and must find there what
// it would have called. Where the hub learns something (a policy of outboxes, a limit), this learns
// it too.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hub/access_policy.hpp"
#include "core/hub/connection.hpp"
#include "core/hub/settings.hpp"
#include "core/hub/slow_policy.hpp"
#include "tests/fuzz/hub_record.hpp"

namespace jackfield::fuzz {

// What the model needs to know of a channel.
struct ModelChannel {
  std::string first;       // the topic's first segment; empty: any
  std::string second;      // its second; empty: any
  bool is_narrow = false;  // takes no topic that ends in '2'
};

// A message of a client. What it is, is known: it was made so.
struct ModelMessage {
  std::string text;     // as it is sent
  std::string mistake;  // what the client is told of it; empty: it is a message
  std::string topic;
  std::string event;
  std::string payload;
};

// The JSON string of a subscribe's id, in the few payloads that the target sends.
std::string id_of(std::string_view payload);

// A text frame, and a Close frame.
std::string text_frame(std::string_view text);
std::string close_frame(unsigned code, std::string_view reason);

// A frame that waits.
struct ModelFrame {
  std::string text;  // what is not written yet
  hub::SlowPolicy policy = hub::SlowPolicy::kClose;
  std::string names{};  // of its topic and event
  bool is_of_join = false;
  bool is_begun = false;  // fragments of it are written: it is not dropped any more
};
using ModelQueue = std::deque<ModelFrame>;

std::size_t bytes_of(const ModelQueue& queue);

struct ModelJoining {
  Id call = 0;
  std::string id{};
  std::string payload{};
  bool is_again = false;
  ModelQueue deferred{};
  std::vector<std::string> further{};
  std::size_t asked = 0;  // octets that count: of id, payload and further
  hub::LeaveReason ended_by = hub::LeaveReason::kClosed;
};

struct ModelSubscription {
  Id connection = 0;
  std::string topic{};
  ChannelIndex channel = 0;
  bool is_joined = false;
  bool is_ended = false;
  std::optional<ModelJoining> joining{};
};

struct ModelCall {
  Id connection = 0;    // 0: the subscription that it joins has ended
  Id subscription = 0;  // that it joins, or 0
  std::string topic{};
  ChannelIndex channel = 0;
};

struct ModelConnection {
  using State = hub::Connection::State;

  State state = State::kOpen;
  ModelQueue outbox{};
  std::size_t deferred_bytes = 0;
  std::size_t asked_bytes = 0;
  hub::LeaveReason close_reason = hub::LeaveReason::kClosed;
  std::string close_frame{};
  bool is_dirty = false;
  bool is_parked = false;
  bool is_slow = false;
  // How much its buckets lack, microseconds; when it was looked last, milliseconds.
  std::uint64_t last = 0;
  std::uint64_t messages_debt = 0;
  std::uint64_t subscribes_debt = 0;
  std::size_t refusals = 0;
  // Its link.
  std::size_t room = kEndless;  // writes that it takes before it is congested
  bool is_holding = false;      // the last write made it congested, and it was not found free since
  bool is_paused = false;
  std::string written{};  // since it was looked at last
  std::string closed_with{};

  static constexpr std::size_t kEndless = SIZE_MAX;

  std::size_t outbox_bytes() const { return bytes_of(outbox); }
};

// What was dropped, and who was slow.
struct ModelCounts {
  hub::Drops dropped{};
  std::uint64_t slow_consumers = 0;
  std::uint64_t slow_consumers_closed = 0;
  std::uint64_t joins_over_budget = 0;
};

class Model {
 public:
  Model(const hub::Limits& limits, const std::vector<ModelChannel>& channels, Record& record)
      : limits_(limits), channels_(channels), record_(record) {}

  void open(Id connection);
  void receive(Id connection, const ModelMessage& message, std::uint64_t now);
  void charge(Id connection, std::uint64_t now);
  void writable(Id connection);
  void close(Id connection, unsigned code, std::string_view reason);
  void flush(Id connection);
  void lost(Id connection);
  void end_turn();
  // Whatever verb; what the hub said to it must be what the model would say.
  void apply(const Verb& verb);
  void set_channels(const std::vector<ChannelIndex>& order) { order_ = order; }
  void hold(const std::vector<ChannelIndex>& channels) { hold_.channels = channels; }
  void freeze();
  std::pair<std::size_t, std::size_t> hand_over(const std::vector<ChannelIndex>& successors);
  void release();
  void retire(const std::vector<ChannelIndex>& channels, hub::LeaveReason reason);
  void set_limits(const hub::Limits& limits) { limits_ = limits; }
  // Each topic's; kClose where it has none.
  void set_backlog(const std::map<std::string, hub::SlowPolicy>& policies) { policies_ = policies; }
  // Topics with actions that nobody may.
  void set_access(const std::set<std::pair<hub::Action, std::string>>& forbidden) {
    forbidden_ = forbidden;
  }
  void recheck_access();
  void shut_down();

  // ---- to be compared
  const ModelCounts& counts() const { return counts_; }
  std::map<Id, ModelConnection>& connections() { return connections_; }
  std::size_t open_count() const;
  std::size_t subscriptions_of(Id connection) const;  // that have not ended
  std::size_t calls_of(Id connection) const;
  std::size_t subscriber_count(std::string_view topic) const;
  std::size_t subscription_count(const std::vector<ChannelIndex>& channels) const;
  std::size_t pending_of_held() const;
  std::size_t asked_bytes() const;
  bool is_live_subscription(Id id) const;
  bool is_known_subscription(Id id) const { return subscriptions_.count(id) > 0; }
  bool is_held(ChannelIndex channel) const;
  // Unanswered calls, in the order of their ids.
  std::vector<Id> pending_calls() const;
  // Subscriptions that joined, and those of them that have had their leave.
  const std::set<Id>& joined() const { return joined_; }
  const std::set<Id>& left() const { return left_; }

 private:
  struct Running {
    Id call;
    Id connection;
    Id subscription;  // that it joins, or 0
    std::string topic;
    std::optional<hub::Answer> answer;
  };
  struct JoinAgain {
    Id connection;
    std::string topic;
    std::string payload;
  };
  struct Hold {
    std::vector<ChannelIndex> channels{};
    bool is_frozen = false;
    std::vector<std::pair<Id, ModelMessage>> messages{};
    std::vector<JoinAgain> joins_again{};
    std::vector<std::pair<Id, hub::LeaveReason>> leaves{};
  };

  Happening take(Happening::Kind kind, std::string_view what);
  hub::Answer run(const Happening& happening, Running running);

  bool takes(ChannelIndex channel, std::string_view topic) const;
  bool narrows(ChannelIndex channel, std::string_view topic) const;
  std::optional<ChannelIndex> find_channel(std::string_view topic) const;

  Id find_subscription(Id connection, std::string_view topic) const;  // 0: none
  ModelConnection* find(Id connection);

  void doom(Id connection, unsigned code, std::string_view reason,
            hub::LeaveReason reason_of_leaves);
  void begin_close(Id connection);
  void end_all_subscriptions(Id connection);

  static std::size_t waiting(const ModelConnection& connection);
  std::size_t soft() const { return std::min(limits_.soft_outbox_bytes, limits_.max_outbox_bytes); }
  hub::SlowPolicy policy_of(const std::string& topic) const;
  ModelFrame message_frame(std::string_view topic, std::string_view event, std::string_view payload,
                           hub::SlowPolicy policy) const;
  // The one place where a frame is let in to wait: in the outbox, or, where `joining` is not null,
  // in what is deferred for that.
  bool is_let_in(Id connection, ModelJoining* joining, const ModelFrame& frame);
  bool drop_oldest(ModelConnection& connection, ModelQueue& queue,
                   const std::set<hub::SlowPolicy>& policies, std::size_t size, std::size_t bound);
  void drop_same(ModelConnection& connection, ModelQueue& queue, const std::string& names);
  void drop(ModelConnection& connection, ModelQueue& queue, std::size_t place);
  bool make_room_for_owed(Id connection, ModelQueue& queue, std::size_t size);
  void enqueue(Id connection, ModelFrame frame);
  void deliver(Id subscription, ModelFrame frame);
  void write_out(ModelConnection& connection);
  void send(Id connection, std::string_view topic, std::string_view event,
            std::string_view payload);
  void send_error(Id connection, std::string_view topic, std::string_view code,
                  std::string_view message);

  bool push(const Verb& verb);
  std::size_t broadcast(const Verb& verb);
  bool reply(const Verb& verb);
  bool kick(const Verb& verb);

  void settle();
  void read(Id connection, const ModelMessage& message);
  bool is_within_rate(ModelConnection& connection, std::uint64_t now);
  void note_refusal(Id connection);
  bool may(hub::Action action, const std::string& topic) const {
    return forbidden_.count({action, topic}) == 0;
  }
  bool must_wait(Id connection, std::string_view topic, std::string_view event) const;
  void park(Id connection, const ModelMessage& message);
  void forget_parked(Id connection);
  void subscribe(Id connection, const std::string& topic, const std::string& payload);
  bool has_room_to_ask(const ModelConnection& connection, std::size_t octets);
  void unsubscribe(Id connection, const std::string& topic);
  void event(Id connection, const ModelMessage& message);
  hub::Answer keep_pending(Id id, const ModelCall& call);
  void finish_join(Id subscription, const hub::Answer& answer);
  void end_subscription(Id subscription, hub::LeaveReason reason);
  void end_unserved(Id subscription);
  void leave(Id subscription, hub::LeaveReason reason);
  void uncount(ModelConnection& connection, const ModelJoining& joining);
  bool adopt(Id subscription, const std::vector<ChannelIndex>& successors);
  void ask_again(Id subscription);
  std::vector<Id> subscriptions_of(const std::vector<ChannelIndex>& channels) const;
  std::vector<std::pair<Id, ModelCall>> take_calls(const std::vector<ChannelIndex>& channels);

  hub::Limits limits_;
  const std::vector<ModelChannel>& channels_;
  Record& record_;
  std::vector<ChannelIndex> order_;
  std::map<Id, ModelConnection> connections_;
  std::map<Id, ModelSubscription> subscriptions_;  // ended ones too, until they are erased
  std::map<Id, ModelCall> calls_;                  // that are pending
  Running* running_ = nullptr;
  Hold hold_;
  std::vector<Id> doomed_;
  std::deque<Verb> kicks_;
  std::deque<Id> late_leaves_;
  std::deque<JoinAgain> joins_again_;
  std::deque<Id> ended_;
  std::map<std::string, hub::SlowPolicy> policies_;
  std::set<std::pair<hub::Action, std::string>> forbidden_;
  ModelCounts counts_;
  std::set<Id> joined_;
  std::set<Id> left_;
  Id last_id_ = 0;  // that was seen: ids are never used twice
  bool is_shutting_down_ = false;
};

}  // namespace jackfield::fuzz
