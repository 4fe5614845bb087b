// The hub: connections, subscriptions, and what goes between them. It needs neither sockets nor
// plugins: transports are Links, channels are Channels. Its verbs are open, receive, push,
// broadcast, close.
//
// Loop thread only. No verb calls into a channel while a channel's function runs, but `receive`,
// `lost`, `remove_channel`, `shut_down` and `end_turn` do call channels and must not be called from
// within one. Nothing is written to a link before `end_turn`, except by `flush` and `writable`, and
// where an outbox reaches its bound.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/hub/channel.hpp"
#include "core/hub/connection.hpp"
#include "core/hub/router.hpp"
#include "core/hub/settings.hpp"
#include "core/hub/subscriptions.hpp"
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

class Hub {
 public:
  static constexpr std::uint32_t kMaxPendingCalls = 1000;  // of one connection
  static constexpr std::size_t kMaxWaitingJoins = 16;      // of one subscription

  // How a push, reply or kick went.
  enum class Outcome : std::uint8_t { kDone, kGone };

  Hub(const Limits& limits, base::IdSource& ids, base::Log& log);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // ---- for transports

  // A link is established. The connection lives until `lost`; one too many is closed at once.
  Connection& open(Link& link);

  // A message arrived whole. `is_utf8`: its text is known to be well-formed UTF-8.
  void receive(Connection& connection, std::string_view text, bool is_utf8);

  // The link is no longer congested: writes what waits, as far as it takes it.
  void writable(Connection& connection);

  // Closes: what waits is sent, then a Close frame. Further messages are ignored.
  void close(Connection& connection, CloseCode code, std::string_view reason);

  // Writes what waits for this connection now, as far as its link takes it.
  void flush(Connection& connection);

  // The link has ended; the connection is destroyed.
  void lost(Connection& connection);

  // Once per turn of the loop, before it waits: closes who must go, then gives each connection with
  // something to send one write.
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

  base::Status add_channel(std::string_view pattern, Channel& channel);

  // Ends the channel's subscriptions, each with a leave, forgets its pending calls, and takes it
  // out of the router. Clients are not told.
  void remove_channel(Channel& channel, LeaveReason reason);

  // ---- for the daemon

  // Closes every connection with 1000 "Server shutting down".
  void shut_down();

 private:
  // A join or event whose answer is due.
  struct Call {
    base::Id id = 0;
    base::Id connection = 0;
    Subscription* joining = nullptr;  // join: the subscription, perhaps ended meanwhile
    std::string topic;
    const Route* route = nullptr;
  };

  // The call that runs now; answered within by `reply` or by its return.
  struct RunningCall {
    Call& call;
    bool is_answered = false;
    Answer answer;
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
  };

  // hub_messages.cpp: what a client sends
  void subscribe(Connection& connection, const wire::Message& message);
  void unsubscribe(Connection& connection, const wire::Message& message);
  void dispatch_event(Connection& connection, const wire::Message& message);
  void join(Subscription& subscription, std::string id, std::string_view payload,
            const Params& params);
  void finish_join(Subscription& subscription, const Answer& answer);
  Answer run(Call& call, const Request& request, bool is_join);
  Answer keep_pending(Connection& connection, Call call);
  const Route* find_route(Connection& connection, std::string_view topic, Params& params);
  void send_error(Connection& connection, std::string_view topic, std::string_view code,
                  std::string_view message);

  // hub.cpp
  void enqueue(Connection& connection, const wire::FrameRef& frame);
  void deliver(Subscription& subscription, const wire::FrameRef& frame, bool is_of_join);
  bool is_over_bound(Connection& connection, const wire::FrameRef& frame);
  void mark_dirty(Connection& connection);
  void doom(Connection& connection, CloseCode code, std::string_view reason,
            LeaveReason reason_of_leaves = LeaveReason::kClosed);
  void begin_close(Connection& connection);
  void end_subscription(Subscription& subscription, LeaveReason reason);
  void call_leave(Subscription& subscription, LeaveReason reason);
  static void release_held(Connection& connection, const Joining& joining);
  void settle();
  Connection* find_connection(base::Id id) const;

  const Limits limits_;
  base::IdSource& ids_;
  base::Log& log_;
  Router router_;
  SubscriptionIndex subscriptions_;
  std::unordered_map<base::Id, std::unique_ptr<Connection>> connections_;
  std::unordered_map<base::Id, std::unique_ptr<Call>> pending_calls_;
  RunningCall* running_ = nullptr;
  wire::MessageReader reader_;
  std::vector<Connection*> dirty_;
  std::vector<base::Id> doomed_;
  std::vector<Kick> kicks_;
  std::vector<base::Id> late_leaves_;  // joined after their end: a leave is due
  std::vector<JoinAgain> joins_again_;
  std::vector<base::Id> ended_;  // subscriptions to erase when nothing runs that may look at them
  std::string joined_;           // scratch of flush
  std::size_t open_count_ = 0;
  bool is_shutting_down_ = false;
};

}  // namespace jackfield::hub
