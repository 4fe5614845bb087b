#include "core/hub/subscriptions.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

namespace jackfield::hub {

namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15U;  // Fibonacci hashing

}  // namespace

std::uint64_t SubscriptionIndex::ByMembership::hash(Key place) {
  const auto connection = reinterpret_cast<std::uintptr_t>(place.first);
  const auto topic = reinterpret_cast<std::uintptr_t>(place.second);
  std::uint64_t mixed = connection * kGolden;
  mixed = (mixed ^ (mixed >> 32) ^ topic) * kGolden;
  return mixed;
}

std::vector<base::Id> SubscriptionIndex::of_channels(const std::vector<Channel*>& channels) const {
  return which([&](const Subscription& subscription) {
    return std::find(channels.begin(), channels.end(), subscription.channel) != channels.end();
  });
}

std::vector<base::Id> SubscriptionIndex::which(
    const std::function<bool(const Subscription&)>& is_one) const {
  std::vector<base::Id> found;
  by_id_.for_each([&](const Subscription& subscription) {
    if (is_one(subscription)) found.push_back(subscription.id);
  });
  std::sort(found.begin(), found.end());
  return found;
}

Subscription& SubscriptionIndex::add(base::Id id, Connection& connection, std::string_view name,
                                     Channel& channel) {
  // All that may throw comes first.
  by_membership_.reserve_one();
  by_id_.reserve_one();
  auto made = std::make_unique<Subscription>();
  Subscription& subscription = *made;
  Topic* topic = find_topic(name);
  if (topic == nullptr) {
    topics_.reserve_one();
    auto made_topic = std::make_unique<Topic>();
    made_topic->name = std::string(name);
    made_topic->members.push_back({&subscription, &connection});
    topic = made_topic.get();
    topics_.insert(std::move(made_topic));
  } else {
    topic->members.push_back({&subscription, &connection});
  }
  subscription.id = id;
  subscription.connection_id = connection.id;
  subscription.connection = &connection;
  subscription.topic = topic;
  subscription.channel = &channel;
  subscription.index_in_topic = static_cast<std::uint32_t>(topic->members.size() - 1);
  ++topic->references;
  connection.subscriptions.add(subscription);
  by_membership_.insert(&subscription);
  by_id_.insert(std::move(made));
  return subscription;
}

Subscription* SubscriptionIndex::find(base::Id id) const { return by_id_.find(id); }

Subscription* SubscriptionIndex::find(const Connection& connection, std::string_view name) const {
  Subscription* const newest = connection.subscriptions.newest();
  if (newest == nullptr || newest->topic->name == name) return newest;  // most hold none or one
  const Topic* topic = find_topic(name);
  return topic == nullptr ? nullptr : by_membership_.find({&connection, topic});
}

Topic* SubscriptionIndex::find_topic(std::string_view name) const { return topics_.find(name); }

void SubscriptionIndex::begin_joining(Subscription& subscription,
                                      std::unique_ptr<Joining> joining) {
  assert(subscription.joining == nullptr && "one join of a subscription at a time");
  subscription.joining = std::move(joining);
  subscription.topic->members[subscription.index_in_topic].connection = nullptr;
}

std::unique_ptr<Joining> SubscriptionIndex::end_joining(Subscription& subscription) {
  assert(subscription.joining != nullptr && !subscription.is_ended);
  subscription.topic->members[subscription.index_in_topic].connection = subscription.connection;
  return std::move(subscription.joining);
}

void SubscriptionIndex::end(Subscription& subscription) {
  assert(!subscription.is_ended && "a subscription ends once");
  by_membership_.take({subscription.connection, subscription.topic});
  subscription.is_ended = true;

  // Its place is filled with the last of the list.
  auto& members = subscription.topic->members;
  members[subscription.index_in_topic] = members.back();
  members[subscription.index_in_topic].subscription->index_in_topic = subscription.index_in_topic;
  members.pop_back();

  subscription.connection->subscriptions.remove(subscription);
  subscription.connection = nullptr;
}

void SubscriptionIndex::erase(Subscription& subscription) {
  assert(subscription.is_ended && "erase() of a live subscription");
  Topic& topic = *subscription.topic;
  by_id_.take(subscription.id);
  if (--topic.references == 0) topics_.take(topic.name);
}

}  // namespace jackfield::hub
