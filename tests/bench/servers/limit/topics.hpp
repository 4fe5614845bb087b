// Who has subscribed to what: connections, topics, and both ways between them in constant time.
// Of one loop, used by its thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jackfield::bench::limit {

struct Topic;

// Octets that go to many connections, or wait for a slow one: nobody changes them while they do.
using Octets = std::shared_ptr<std::string>;

// What one turn of the loop has for one topic, or for one connection alone, in the order in which
// it came about.
struct Batch {
  struct Mark {
    std::uint64_t number = 0;  // of the frame, among all of the loop
    std::size_t end = 0;       // of it in `octets`
  };
  Octets octets = std::make_shared<std::string>();
  std::vector<Mark> marks;
};

// What the kernel did not take at once.
struct Outbox {
  std::vector<Octets> waiting;  // from `first`
  std::size_t first = 0;
  std::size_t sent = 0;  // of waiting[first]
  std::size_t size = 0;  // of all that waits, in octets
};

struct Connection {
  int descriptor = -1;
  bool is_upgraded = false;
  bool is_doomed = false;             // closed at the end of the turn
  std::string received;               // what is not whole yet: of the request, then of a frame
  std::unique_ptr<Outbox> outbox;     // null where nothing waits
  std::vector<Topic*> subscriptions;  // no order
  // With joining, what this turn has for it; `own` is one of the parts.
  std::vector<Batch*> parts;
  Batch* own = nullptr;
};

struct Topic {
  std::string name;
  std::vector<Connection*> subscribers;  // no order
  Batch* batch = nullptr;                // with joining, what this turn has for it
};

class Topics {
 public:
  // Null where nobody has subscribed to it.
  Topic* find(std::string_view name);
  Topic& add(std::string_view name);
  // Nothing happens where it is so already. `unsubscribe` may remove the topic.
  void subscribe(Connection& connection, Topic& topic);
  void unsubscribe(Connection& connection, Topic& topic);
  void unsubscribe_all(Connection& connection);

 private:
  struct NameHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  // Where a subscription stands: in Topic::subscribers and in Connection::subscriptions.
  struct Places {
    std::size_t in_topic = 0;
    std::size_t in_connection = 0;
  };
  struct Key {
    const Connection* connection;
    const Topic* topic;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  std::unordered_map<std::string, std::unique_ptr<Topic>, NameHash, std::equal_to<>> topics_;
  std::unordered_map<Key, Places, KeyHash> places_;
};

}  // namespace jackfield::bench::limit
