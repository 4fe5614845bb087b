// Who is subscribed to what: found by id, by connection and topic, by topic. Every operation takes
// constant time on average, so that neither many topics of one connection nor many connections on
// one topic make it slow; but of_channels, which looks at all. Owns topics and subscriptions. Loop
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/hub/channel.hpp"
#include "core/hub/connection.hpp"
#include "core/hub/counted_octets.hpp"
#include "core/hub/keyed_hash.hpp"
#include "core/hub/pointer_table.hpp"

namespace jackfield::hub {

struct Topic {
  // What a fan-out needs of a subscription, side by side: the subscriptions themselves lie
  // scattered and would have to be fetched one by one.
  struct Member {
    Subscription* subscription;
    Connection* connection;  // null while it is joining: what is sent to it is deferred
  };

  std::string name;
  std::vector<Member> members;   // those that have not ended
  std::uint32_t joined = 0;      // those that are not joining for the first time
  std::uint32_t references = 0;  // subscriptions that name it, ended ones too
  SlowPolicy policy = SlowPolicy::kClose;
};

// What a subscription has only while its join is under way.
struct Joining {
  base::Id call = 0;
  std::string id;                    // JSON string that the client named it by, or empty
  std::string payload;               // of the subscribe, kept while its answer is pending
  bool is_again = false;             // the subscription stood before
  Outbox deferred;                   // what follows `subscribed`
  std::vector<std::string> further;  // payloads of subscribes that came meanwhile
  CountedOctets asked;               // of id, payload and further, from when it is pending on

  // Frees what it keeps: nobody waits for it any more.
  void forget() {
    deferred.clear();
    std::vector<std::string>().swap(further);
    std::string().swap(payload);
    std::string().swap(id);
    asked.clear();
  }
};

// One connection's membership of one topic.
struct Subscription {
  base::Id id = 0;
  base::Id connection_id = 0;
  Connection* connection = nullptr;  // null once it is ended
  Topic* topic = nullptr;
  Channel* channel = nullptr;
  Subscription* previous = nullptr;  // in the chain of its connection; once ended, in a line
  Subscription* next = nullptr;
  std::unique_ptr<Joining> joining;  // by begin_joining() and end_joining() of the index
  std::string kept;                  // the plugin's bytes
  std::uint32_t index_in_topic = 0;
  bool is_joined = false;                       // a join succeeded
  bool is_ended = false;                        // taken out; only its leave may still look at it
  LeaveReason ended_by = LeaveReason::kClosed;  // where its leave is put off
};

class SubscriptionIndex {
 public:
  // `hash`: of the topics' names, which clients choose.
  explicit SubscriptionIndex(KeyedHash hash = KeyedHash::random()) : topics_(ByName{hash}) {}
  SubscriptionIndex(const SubscriptionIndex&) = delete;
  SubscriptionIndex& operator=(const SubscriptionIndex&) = delete;

  // Throws std::bad_alloc, and then nothing has changed. REQUIRES: the connection holds none on
  // that topic.
  Subscription& add(base::Id id, Connection& connection, std::string_view topic, Channel& channel);

  // Each null where there is none. An ended subscription is found by its id only.
  Subscription* find(base::Id id) const;
  Subscription* find(const Connection& connection, std::string_view topic) const;
  Topic* find_topic(std::string_view topic) const;

  // Calls `visit` with each topic, in no order. REQUIRES: it adds and erases nothing.
  void for_each_topic(const auto& visit) const { topics_.for_each(visit); }

  // Those that any of these channels serves, ended ones too, in the order in which they came (by
  // id).
  std::vector<base::Id> of_channels(const std::vector<Channel*>& channels) const;

  // Those that `is_one` says true of, ended ones too, in the order in which they came.
  std::vector<base::Id> which(const std::function<bool(const Subscription&)>& is_one) const;

  // From here on a broadcast is deferred for it.
  void begin_joining(Subscription& subscription, std::unique_ptr<Joining> joining);
  // REQUIRES: it is joining and has not ended.
  std::unique_ptr<Joining> end_joining(Subscription& subscription);

  // Takes it out of its topic and connection and marks it ended. It is still found by its id, and
  // keeps its topic, until `erase`.
  void end(Subscription& subscription);

  // REQUIRES: ended.
  void erase(Subscription& subscription);

  std::size_t topic_count() const { return topics_.size(); }
  std::size_t size() const { return by_membership_.size(); }

 private:
  struct ByName {
    using Key = std::string_view;
    std::uint64_t hash(Key name) const { return keyed(name); }
    static Key key(const Topic& topic) { return topic.name; }

    KeyedHash keyed;
  };
  struct ByMembership {
    using Key = std::pair<const Connection*, const Topic*>;
    static std::uint64_t hash(Key membership);
    static Key key(const Subscription& subscription) {
      return {subscription.connection, subscription.topic};
    }
  };

  PointerTable<std::unique_ptr<Topic>, ByName> topics_;
  PointerTable<Subscription*, ByMembership> by_membership_;  // those that have not ended
  PointerTable<std::unique_ptr<Subscription>, ById<Subscription>> by_id_;
};

}  // namespace jackfield::hub
