#include "tests/bench/servers/limit/topics.hpp"

namespace jackfield::bench::limit {

std::size_t Topics::KeyHash::operator()(const Key& key) const {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio
  const auto connection = reinterpret_cast<std::uintptr_t>(key.connection);
  const auto topic = reinterpret_cast<std::uintptr_t>(key.topic);
  const std::uint64_t mixed = (connection * kGolden ^ topic) * kGolden;
  return static_cast<std::size_t>(mixed ^ mixed >> 32);
}

Topic* Topics::find(std::string_view name) {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

Topic& Topics::add(std::string_view name) {
  if (Topic* const known = find(name)) return *known;
  auto topic = std::make_unique<Topic>();
  topic->name = name;
  return *topics_.emplace(topic->name, std::move(topic)).first->second;
}

void Topics::subscribe(Connection& connection, Topic& topic) {
  const Places places{topic.subscribers.size(), connection.subscriptions.size()};
  if (!places_.emplace(Key{&connection, &topic}, places).second) return;
  topic.subscribers.push_back(&connection);
  connection.subscriptions.push_back(&topic);
}

void Topics::unsubscribe(Connection& connection, Topic& topic) {
  const auto found = places_.find(Key{&connection, &topic});
  if (found == places_.end()) return;
  const Places places = found->second;
  places_.erase(found);

  // The last one takes the place that is free now.
  Connection* const last_subscriber = topic.subscribers.back();
  topic.subscribers[places.in_topic] = last_subscriber;
  topic.subscribers.pop_back();
  if (last_subscriber != &connection) {
    places_[Key{last_subscriber, &topic}].in_topic = places.in_topic;
  }
  Topic* const last_topic = connection.subscriptions.back();
  connection.subscriptions[places.in_connection] = last_topic;
  connection.subscriptions.pop_back();
  if (last_topic != &topic) {
    places_[Key{&connection, last_topic}].in_connection = places.in_connection;
  }
  if (topic.subscribers.empty()) topics_.erase(topics_.find(topic.name));
}

void Topics::unsubscribe_all(Connection& connection) {
  while (!connection.subscriptions.empty()) {
    unsubscribe(connection, *connection.subscriptions.back());
  }
}

}  // namespace jackfield::bench::limit
