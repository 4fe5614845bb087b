// The hub: connections, subscriptions, and what goes between them. It needs neither sockets nor
// plugins: transports are Links, channels are Channels. Its verbs are open, receive, push,
// broadcast, close.
//
// Loop thread only. A channel's function may call every verb for channels (push, broadcast, reply,
// kick and so on): none of them calls a channel. `receive`, `lost`, `hand_over`, `release`,
// `retire`, `freeze`, `shut_down` and `end_turn` do, and must not be called from within one. Links
// are written to at `end_turn`; before that only by `flush` (who sent a message has its answer
// soon), by `writable`, and where an outbox reaches its bound.
//
// Where there is no memory: a connection that cannot be given what it is owed is closed with 1013
// rather than left without it, and everybody else is served on. What takes a message in or makes
// one (open, receive, push, broadcast, kick) throws std::bad_alloc where it has done nothing yet.
#pragma once

#include <cassert>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/hub/access_policy.hpp"
#include "core/hub/channel.hpp"
#include "core/hub/connection.hpp"
#include "core/hub/counted_octets.hpp"
#include "core/hub/counts.hpp"
#include "core/hub/keyed_hash.hpp"
#include "core/hub/line.hpp"
#include "core/hub/pointer_table.hpp"
#include "core/hub/router.hpp"
#include "core/hub/settings.hpp"
#include "core/hub/slow_policy.hpp"
#include "core/hub/subscriptions.hpp"
#include "core/hub/topic_pattern.hpp"
#include "core/wire/message.hpp"

namespace jackfield::hub {

// WebSocket close codes (RFC 6455 section 7.4.1; 1013: IANA's registry).
enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kProtocolError = 1002,
  kInvalidPayload = 1007,
  kPolicy = 1008,
  kTooBig = 1009,
  kTryAgainLater = 1013,
};

// A join or event whose answer is due.
struct Call {
  base::Id id = 0;
  Connection* connection = nullptr;  // null: a join whose subscription has ended meanwhile
  Subscription* joining = nullptr;   // join: the subscription, perhaps ended meanwhile
  std::string topic{};               // once it is pending
  Channel* channel = nullptr;
  Call* previous = nullptr;  // in the chain of its connection, while it is pending
  Call* next = nullptr;
};

class Hub {
 public:
  static constexpr std::uint32_t kMaxPendingCalls = 1000;  // of one connection
  static constexpr std::size_t kMaxWaitingJoins = 16;      // of one subscription
  static constexpr std::size_t kMuchToWrite = 1 << 20;     // frames of broadcasts in a turn
  static constexpr std::size_t kMaxHeldBytes = 64 << 20;   // octets of messages for held channels
  // What a connection may always have of the budget for all outboxes, and of that for all joins
  // that are not answered, octets.
  static constexpr std::size_t kLeastShare = 16 << 10;

  // How a push, reply or kick went.
  enum class Outcome : std::uint8_t { kDone, kGone };

  Hub(const Limits& limits, base::IdSource& ids, base::Log& log);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // ---- for transports

  // A link is established. The connection lives until `lost`; one too many is closed at once.
  Connection& open(Link& link);

  // A message arrived whole. `is_utf8`: its text is known to be well-formed UTF-8. `now`: the
  // loop's time, milliseconds; never less than before.
  void receive(Connection& connection, std::string_view text, bool is_utf8, std::uint64_t now);

  // Something arrived that is no message and costs as much as one: counts as one against the
  // connection's rate. Over that it is closed after as many of them as a burst has.
  void charge(Connection& connection, std::uint64_t now);

  // The link is no longer congested: writes what waits, as far as it takes it.
  void writable(Connection& connection);

  // Closes: what waits is sent, then a Close frame. Further messages are ignored.
  void close(Connection& connection, CloseCode code, std::string_view reason);

  // Writes what waits for this connection now, as far as its link takes it.
  void flush(Connection& connection);

  // Whether broadcasts have put so many frames into outboxes since the last `end_turn` that it
  // should come before more is received: each takes memory and time until then, whatever its size.
  bool has_much_to_write() const { return fanned_out_ >= kMuchToWrite; }

  // The link has ended; the connection is destroyed.
  void lost(Connection& connection);

  // Once per turn of the loop, before it waits: closes who must go, then writes what waits for each
  // connection, as far as its link takes it.
  void end_turn();

  // ---- for channels

  // To the connection behind a subscription, or behind a call that is not answered yet.
  // `payload` is valid JSON.
  Outcome push(base::Id target, std::string_view event, std::string_view payload);

  // To every subscription of the topic but `except` (0: to all); the number of them.
  std::size_t broadcast(std::string_view topic, std::string_view event, std::string_view payload,
                        base::Id except = 0);

  // Answers a pending call, or the running one. `answer` is kOk or kRefused.
  Outcome reply(base::Id call, Answer answer);

  // Ends a subscription with an error to the client, or closes a connection with 1008. Takes effect
  // when no channel's function runs.
  Outcome kick(base::Id target, std::string_view code, std::string_view message);

  // The bytes that a plugin keeps with a subscription, or null. Found also within its leave.
  std::string* kept(base::Id subscription);

  const ConnectionFacts* facts(base::Id connection) const;
  std::size_t subscriber_count(std::string_view topic) const;
  // Those that are served: neither refused nor closing.
  std::size_t connection_count() const { return open_count_; }

  // ---- for who brings channels and takes them away (hub_channels.cpp). A channel outlives its
  // time here: from set_channels() to the end of retire() or hand_over().

  // Topics are found among these from now on, in this order. One that is left out joins nobody any
  // more; its subscriptions stand until `retire` or `hand_over`.
  void set_channels(const std::vector<Channel*>& channels);

  // What clients send to these channels waits, and with it all else that the same connections send:
  // they are not read from. At most kMaxHeldBytes; what is over it is answered LIMIT_EXCEEDED.
  // REQUIRES: none is held.
  void hold(const std::vector<Channel*>& channels);

  // The calls that the held channels have not answered yet.
  std::size_t pending_of_held() const;

  // No function of the held channels is called any more, also no leave.
  void freeze();

  struct HandOver {
    std::size_t adopted = 0;  // subscriptions that stand with a successor
    std::size_t ended = 0;    // those that none serves: a leave, and an error to the client
  };
  // Gives the subscriptions of the held channels, and what is due to them, to the first of
  // `successors` that takes their topic and adopts them. Pending joins are asked again; pending
  // events are answered with an error. The held channels are not used after it.
  HandOver hand_over(const std::vector<Channel*>& successors);

  // What waited is handled, in its order, by whoever serves it now.
  void release();

  // Ends the channels' subscriptions, each with a leave, and their pending calls. The clients are
  // told by an error, unless it is the server that ends. REQUIRES: set_channels() left them out,
  // and they are not held.
  void retire(const std::vector<Channel*>& channels, LeaveReason reason);

  std::size_t subscription_count(const std::vector<Channel*>& channels) const;

  // ---- for the daemon

  const Limits& limits() const { return limits_; }
  const Counts& counts() const { return counts_; }
  // For what comes from now on: nobody is closed, no subscription ends, and nothing that waits is
  // taken away because a limit is lower than before.
  void set_limits(const Limits& limits);

  // What becomes of messages for slow connections: the first rule that has a pattern for their
  // topic says it; kClose where none does. For messages that come from now on.
  // REQUIRES: TopicPattern::parse takes all texts.
  void set_backlog(const std::vector<BacklogRule>& rules);

  // Octets of memory that the outboxes take together, frames that several have counted once.
  std::size_t outboxes_bytes() const { return ledger_.octets; }

  // Octets of all subscribes that wait for an answer to a join: for their own, or for the one
  // before them. At most max_incoming_bytes, but for what kLeastShare lets in, or one alone; more
  // is answered LIMIT_EXCEEDED.
  std::size_t asked_bytes() const { return asked_bytes_; }

  // Who may do what from now on; not owned, and outlives its time here. Null: all may everything.
  // What stands is asked about again only by `recheck_access`.
  void set_access(const AccessPolicy* access) { access_ = access; }

  // Ends the subscriptions of those who may not subscribe to their topic any more: a leave with
  // kKicked, the error FORBIDDEN to the client. Messages that wait for a held channel are asked
  // about when they are handled. Not from within a channel's function.
  void recheck_access();

  // Closes every connection with 1000 "Server shutting down".
  void shut_down();

 private:
  // The call that runs now; answered within by `reply` or by its return.
  struct RunningCall {
    const Call& call;
    std::string_view topic;
    std::optional<Answer> answer;
  };

  struct Kick {
    base::Id target;
    std::string code;
    std::string message;
  };

  // A subscribe that waited for the join before it.
  struct JoinAgain {
    base::Id connection;
    std::string topic;
    std::string payload;
    CountedOctets asked;  // of the payload
  };

  // Channels whose messages wait, and what waits.
  struct Hold {
    struct Message {
      base::Id connection;
      std::string text;
      bool is_utf8;
      std::size_t before;  // the one of the same connection before it, counted from 1; 0: none
    };

    std::vector<Channel*> channels;
    bool is_frozen = false;
    std::vector<Message> messages;
    std::unordered_map<base::Id, std::size_t> last;  // message of each connection, from 1
    std::vector<JoinAgain> joins_again;
    Line<Subscription> leaves;
    std::size_t bytes = 0;  // of the messages
  };

  // hub_messages.cpp: what a client sends. What is rare by far is kept out of the code for events,
  // which would make room for its variables each time.
  bool is_within_rate(Connection& connection, std::size_t octets, std::uint64_t now);
  void refuse_over_rate(Connection& connection, std::string_view text);
  [[gnu::noinline]] void note_refusal(Connection& connection);
  bool may_subscribe_now(Connection& connection);
  void read(Connection& connection, std::string_view text, bool is_utf8);
  wire::MessageLimits message_limits() const {
    return {limits_.max_topic_bytes, limits_.max_event_bytes, limits_.max_json_depth};
  }
  void take(Connection& connection, std::string_view text, const wire::Message& message,
            bool is_utf8);
  bool may(const Connection& connection, Action action, std::string_view topic) const {
    return access_ == nullptr || access_->may(connection.link.facts(), action, topic);
  }
  [[gnu::noinline]] void refuse_access(Connection& connection, std::string_view topic,
                                       std::string_view event);
  [[gnu::noinline]] void subscribe(Connection& connection, const wire::Message& message);
  void wait_for_join(Subscription& subscription, std::string_view payload);
  bool has_room_to_ask(const Connection& connection, std::size_t octets);
  [[gnu::noinline]] void unsubscribe(Connection& connection, const wire::Message& message);
  void dispatch_event(Connection& connection, const wire::Message& message);
  [[gnu::noinline]] void finish_event(Call call, const wire::Message& message, Answer answer);
  void join(Subscription& subscription, std::unique_ptr<Joining> joining, std::string_view payload,
            const Params& params);
  void abort_join(Subscription& subscription);
  void send_confirmation(Connection& connection, std::string_view topic, const std::string& id);
  void finish_join(Subscription& subscription, const Answer& answer);
  Answer run(const Call& call, const Request& request, bool is_join);
  Answer keep_pending(Connection& connection, Call call, std::string_view topic);
  Channel* find_channel(Connection& connection, std::string_view topic, Params& params);
  void send_error(Connection& connection, std::string_view topic, std::string_view code,
                  std::string_view message);
  void send_limit_error(Connection& connection, std::string_view topic, std::string_view message);

  // hub_outboxes.cpp: what goes out.
  struct Bounds {
    std::size_t soft;
    std::size_t hard;
    bool are_of_budget;
  };
  wire::FrameRef make_frame(std::string_view topic, std::string_view event,
                            std::string_view payload, SlowPolicy policy) {
    wire::FrameRef frame = wire::make_message_frame(topic, event, payload, &ledger_);
    if (policy != SlowPolicy::kClose) frame.mark(static_cast<std::uint8_t>(policy));
    return frame;
  }
  SlowPolicy policy_of(std::string_view topic) const;
  void enqueue(Connection& connection, const wire::FrameRef& frame);
  void deliver(Subscription& subscription, const wire::FrameRef& frame);
  // The protocol's own: it gets there, or the connection is closed.
  void send(Connection& connection, std::string_view topic, std::string_view event,
            std::string_view payload);
  static std::size_t waiting_bytes(const Connection& connection) {
    return connection.outbox.bytes() + connection.deferred_bytes;
  }
  bool is_over_budget() const { return ledger_.octets > limits_.max_outboxes_bytes; }
  bool may_wait_alone(const Connection& connection, const Outbox& queue, std::size_t size) const;
  bool is_of_running_join(const Outbox& queue) const;
  bool has_room(const Connection& connection, const wire::FrameRef& frame) const;
  [[gnu::noinline]] bool make_room(Connection& connection, Outbox& queue,
                                   const wire::FrameRef& frame);
  Bounds bounds(const Connection& connection, const Outbox& queue, std::size_t size) const;
  std::size_t share_of_budget() const;
  void bound_begun(Connection& connection);
  void bound_pending(Subscription& subscription);
  bool make_room_for_owed(Connection& connection, Outbox& queue, std::size_t size,
                          const Bounds& bounds);
  void drop_same(Connection& connection, Outbox& queue, const wire::Frame& frame);
  void drop_oldest(Connection& connection, Outbox& queue, unsigned policies, std::size_t size,
                   std::size_t bound);
  bool fits(const Connection& connection, const Outbox& queue, std::size_t size,
            std::size_t bound) const;
  void begin_slow(Connection& connection);
  void end_slow(Connection& connection);
  void close_slow(Connection& connection);
  void mark_dirty(Connection& connection);
  [[gnu::always_inline]] void list_dirty(Connection& connection);
  [[gnu::noinline]] bool make_room_on_list();
  void mark_clean(Connection& connection);
  void write_out(Connection& connection);
  [[gnu::noinline]] void note_link(Connection& connection, bool is_congested, std::size_t written);
  void write_dirty();

  // hub.cpp
  void give_up(Connection& connection);
  void doom(Connection& connection, CloseCode code, std::string_view reason,
            LeaveReason reason_of_leaves = LeaveReason::kClosed);
  void doom(Connection& connection, wire::FrameRef close_frame, LeaveReason reason_of_leaves);
  void begin_close(Connection& connection);
  void end_subscription(Subscription& subscription, LeaveReason reason);
  static Request about(const Subscription& subscription, const Params& params);
  void call_leave(Subscription& subscription, LeaveReason reason);
  void leave(Subscription& subscription, LeaveReason reason);
  std::unique_ptr<Call> take_pending(Call& call);
  std::unique_ptr<Joining> end_joining(Subscription& subscription);
  static void uncount(Connection& connection, const Joining& joining);
  void settle() {
    assert(running_ == nullptr && "settle() within a channel's function");
    if (!is_settled()) do_what_is_due();
  }
  bool is_settled() const {
    return doomed_.empty() && kicks_.empty() && late_leaves_.is_empty() && joins_again_.empty() &&
           ended_.is_empty() && !is_doom_unlisted_;
  }
  void do_what_is_due();
  void close_doomed();
  void join_again();

  // hub_channels.cpp
  bool is_held(const Channel& channel) const;
  bool must_wait(const Connection& connection, std::string_view topic,
                 std::string_view event) const;
  void park(Connection& connection, std::string_view topic, std::string_view text, bool is_utf8);
  void forget_parked(const Connection& connection);
  void ask_again(Subscription& subscription);
  bool adopt(Subscription& subscription, const std::vector<Channel*>& successors);
  void end_unserved(Subscription& subscription);
  std::vector<std::unique_ptr<Call>> take_pending_calls(const std::vector<Channel*>& channels);

  Connection* find_connection(base::Id id) const;

  Limits limits_;
  Counts counts_;
  base::IdSource& ids_;
  base::Log& log_;
  const AccessPolicy* access_ = nullptr;
  const KeyedHash hash_ = KeyedHash::random();
  wire::FrameLedger ledger_;     // outlives all frames
  std::size_t asked_bytes_ = 0;  // of what is asked of channels; outlives all that counts in it
  std::size_t soft_;             // soft_outbox_bytes, or max_outbox_bytes where that is less
  Rates rates_;
  struct Backlog {
    std::vector<TopicPattern> topics;
    SlowPolicy policy;
  };
  std::vector<Backlog> backlog_;
  Router router_;
  SubscriptionIndex subscriptions_{hash_};
  PointerTable<std::unique_ptr<Connection>, ById<Connection>> connections_;
  PointerTable<std::unique_ptr<Call>, ById<Call>> pending_calls_;
  RunningCall* running_ = nullptr;
  wire::MessageReader reader_;
  Params params_;  // of the event under way; kept, as it takes time to make sixteen empty ones
  std::vector<Connection*> dirty_;  // with something to send; null: written or ended meanwhile
  std::vector<base::Id> doomed_;
  std::deque<Kick> kicks_;
  Line<Subscription> late_leaves_;  // joined after their end: a leave is due
  std::deque<JoinAgain> joins_again_;
  Hold hold_;
  Line<Subscription> ended_;    // to erase when nothing runs that may look at them
  Batch batch_;                 // the last of this turn, for the next connection
  std::size_t fanned_out_ = 0;  // frames, by broadcasts since the last end_turn()
  std::size_t open_count_ = 0;
  const wire::FrameRef no_memory_frame_;  // the Close of those that are given up
  bool is_dirty_unlisted_ = false;        // there was no memory to put some on the list
  bool is_doom_unlisted_ = false;
  bool is_shutting_down_ = false;
};

}  // namespace jackfield::hub
