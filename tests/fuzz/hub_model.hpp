// A hub that is easy to read rather than fast, against which the real one is held: no frames that
// are shared, no chains, no tables by hash; everything is looked for among everything. It has the
// same verbs. It calls no channel: it takes what happened from the record, and must find there what
// it would have called. Where the hub learns something (a policy of outboxes, a limit), this learns
// it too.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hub/connection.hpp"
#include "core/hub/settings.hpp"
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

struct ModelJoining {
  struct Deferred {
    std::string frame;
    bool is_of_join;
  };

  Id call = 0;
  std::string id{};
  std::string payload{};
  bool is_again = false;
  std::vector<Deferred> deferred{};
  std::vector<std::string> further{};
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
  std::deque<std::string> outbox{};
  std::size_t deferred_bytes = 0;
  std::size_t asked_bytes = 0;
  hub::LeaveReason close_reason = hub::LeaveReason::kClosed;
  std::string close_frame{};
  bool is_dirty = false;
  bool is_parked = false;
  // Its link.
  std::size_t room = kEndless;  // writes that it takes before it is congested
  bool is_paused = false;
  std::string written{};  // since it was looked at last
  std::string closed_with{};

  static constexpr std::size_t kEndless = SIZE_MAX;

  std::size_t outbox_bytes() const;
};

class Model {
 public:
  Model(const hub::Limits& limits, const std::vector<ModelChannel>& channels, Record& record)
      : limits_(limits), channels_(channels), record_(record) {}

  void open(Id connection);
  void receive(Id connection, const ModelMessage& message);
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
  void shut_down();

  // ---- to be compared
  std::map<Id, ModelConnection>& connections() { return connections_; }
  std::size_t open_count() const;
  std::size_t subscriptions_of(Id connection) const;  // that have not ended
  std::size_t calls_of(Id connection) const;
  std::size_t subscriber_count(std::string_view topic) const;
  std::size_t subscription_count(const std::vector<ChannelIndex>& channels) const;
  std::size_t pending_of_held() const;
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

  std::size_t waiting(const ModelConnection& connection) const;
  // The one place where a frame is let in to wait.
  bool is_let_in(Id connection, std::size_t size);
  void enqueue(Id connection, std::string frame);
  void deliver(Id subscription, std::string frame, bool is_of_join);
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
  bool must_wait(Id connection, std::string_view topic, std::string_view event) const;
  void park(Id connection, const ModelMessage& message);
  void forget_parked(Id connection);
  void subscribe(Id connection, const std::string& topic, const std::string& payload);
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
  std::vector<Verb> kicks_;
  std::vector<Id> late_leaves_;
  std::vector<JoinAgain> joins_again_;
  std::vector<Id> ended_;
  std::set<Id> joined_;
  std::set<Id> left_;
  Id last_id_ = 0;  // that was seen: ids are never used twice
  bool is_shutting_down_ = false;
};

}  // namespace jackfield::fuzz
