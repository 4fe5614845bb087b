#include "core/hub/subscriptions.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

namespace jackfield::hub {

std::size_t SubscriptionIndex::PlaceHash::operator()(const Place& place) const {
  // Fibonacci hashing over both addresses; their low bits say nothing.
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15U;
  const auto connection = reinterpret_cast<std::uintptr_t>(place.connection);
  const auto topic = reinterpret_cast<std::uintptr_t>(place.topic);
  std::uint64_t mixed = connection * kGolden;
  mixed = (mixed ^ (mixed >> 32) ^ topic) * kGolden;
  return static_cast<std::size_t>(mixed ^ (mixed >> 29));
}

std::vector<base::Id> SubscriptionIndex::of_channels(const std::vector<Channel*>& channels) const {
  std::vector<base::Id> found;
  for (const auto& [id, subscription] : by_id_) {
    const auto its = std::find(channels.begin(), channels.end(), subscription->channel);
    if (its != channels.end()) found.push_back(id);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::size_t SubscriptionIndex::PlaceHash::operator()(const Subscription* subscription) const {
  return (*this)(PlaceEqual::place(subscription));
}

Subscription& SubscriptionIndex::add(base::Id id, Connection& connection, std::string_view name,
                                     Channel& channel) {
  Topic* topic = find_topic(name);
  if (topic == nullptr) {
    auto made = std::make_unique<Topic>();
    made->name = std::string(name);
    topic = made.get();
    topics_.emplace(topic->name, std::move(made));
  }
  auto made = std::make_unique<Subscription>();
  Subscription& subscription = *made;
  subscription.id = id;
  subscription.connection_id = connection.id;
  subscription.connection = &connection;
  subscription.topic = topic;
  subscription.channel = &channel;
  subscription.index_in_topic = topic->subscriptions.size();
  subscription.index_in_connection = connection.subscriptions.size();
  topic->subscriptions.push_back(&subscription);
  ++topic->references;
  connection.subscriptions.push_back(&subscription);
  [[maybe_unused]] const bool is_new = by_place_.insert(&subscription).second;
  assert(is_new && "a connection holds a topic once");
  by_id_.emplace(id, std::move(made));
  return subscription;
}

Subscription* SubscriptionIndex::find(base::Id id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

Subscription* SubscriptionIndex::find(const Connection& connection, std::string_view name) const {
  const Topic* topic = find_topic(name);
  if (topic == nullptr) return nullptr;
  const auto found = by_place_.find(Place{&connection, topic});
  return found == by_place_.end() ? nullptr : *found;
}

Topic* SubscriptionIndex::find_topic(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

void SubscriptionIndex::end(Subscription& subscription) {
  assert(!subscription.is_ended && "a subscription ends once");
  by_place_.erase(&subscription);
  subscription.is_ended = true;

  // Each place is filled with the last of its list.
  auto& of_topic = subscription.topic->subscriptions;
  of_topic[subscription.index_in_topic] = of_topic.back();
  of_topic[subscription.index_in_topic]->index_in_topic = subscription.index_in_topic;
  of_topic.pop_back();

  auto& of_connection = subscription.connection->subscriptions;
  of_connection[subscription.index_in_connection] = of_connection.back();
  of_connection[subscription.index_in_connection]->index_in_connection =
      subscription.index_in_connection;
  of_connection.pop_back();
  subscription.connection = nullptr;
}

void SubscriptionIndex::erase(Subscription& subscription) {
  assert(subscription.is_ended && "erase() of a live subscription");
  Topic& topic = *subscription.topic;
  by_id_.erase(subscription.id);
  if (--topic.references == 0) topics_.erase(topics_.find(topic.name));
}

}  // namespace jackfield::hub
