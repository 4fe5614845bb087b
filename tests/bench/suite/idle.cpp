// What a connection takes of memory when nothing happens on it.
#include <algorithm>
#include <memory>
#include <vector>

#include "tests/bench/load/load.hpp"
#include "tests/bench/suite/works.hpp"
#include "tests/bench/support/tls.hpp"

namespace jackfield::bench {
namespace {

struct Kind {
  const char* key;
  const char* label;
  std::size_t topics;
  bool is_own;  // each connection has topics of its own
};
constexpr Kind kKinds[] = {{"none", "none", 0, false},
                           {"one", "one, of all the same topic", 1, false},
                           {"own", "one, of each its own topic", 1, true},
                           {"ten", "ten, of all the same topics", 10, false}};

// What a server's RSS grows by, a connection, while `open` makes so many; and before and after, KiB.
// What `open` gives keeps them.
std::vector<double> growth(MeasuredServer& server, std::size_t connections, const auto& open) {
  const auto rss = [&server] { return static_cast<double>(server.footprint().rss_octets); };
  server.cpu_ns();  // until it has started
  const double before = rss();
  const auto clients = open();
  server.cpu_ns();
  const double after = rss();
  return {(after - before) / static_cast<double>(connections), before / 1024, after / 1024};
}

class IdleStage final : public Stage {
 public:
  IdleStage(MeasuredServer& server, std::size_t connections, const Kind& kind)
      : server_(server), connections_(connections), kind_(kind) {}

  std::vector<double> measure(std::size_t) override {
    return growth(server_, connections_, [this] {
      auto load = std::make_unique<Load>(server_.kind().dialect(), server_.port());
      load->open_subscribed(connections_, [this](std::size_t index) {
        return topic_names(kind_.topics, kind_.is_own ? index : 0);
      });
      return load;
    });
  }

 private:
  MeasuredServer& server_;
  const std::size_t connections_;
  const Kind kind_;
};

// The same over TLS, with one subscription.
class IdleTlsStage final : public Stage {
 public:
  IdleTlsStage(MeasuredServer& server, std::size_t connections)
      : server_(server), connections_(connections) {}

  std::vector<double> measure(std::size_t) override {
    Dialect::Frames frames;
    server_.kind().dialect().subscribe(topic_name(0), 0, frames);
    return growth(server_, connections_, [&] {
      auto clients = std::make_unique<TlsClients>();
      for (std::size_t i = 0; i < connections_; ++i) clients->open(server_.port(), frames.front());
      return clients;
    });
  }

 private:
  MeasuredServer& server_;
  const std::size_t connections_;
};

}  // namespace

std::size_t idle_count(const Setting& setting) {
  const std::size_t most = setting.descriptors > 2 * kOtherDescriptors
                               ? setting.descriptors - kOtherDescriptors
                               : 1;
  return std::clamp<std::size_t>(setting.idle, 1, most);
}

Work idle_connections(const Setting& setting) {
  constexpr std::size_t kFew = 1000;  // connections
  Work work;
  work.name = "idle";
  work.title = "Idle connections";
  work.text =
      "A server that was just started, then so many connections with so many subscriptions each: "
      "what its RSS has grown by, a connection. It is set up for as many. The kernel's memory for "
      "sockets is not in it.";
  work.labels = {{"connections", "connections", 0}, {"subscriptions", "subscriptions", 0}};
  work.metrics = {{"octets", "octets each", 0},
                  {"start_kib", "KiB before", 0},
                  {"full_kib", "KiB after", 0}};
  const auto add = [&](const Kind& kind, const std::string& key, std::size_t count) {
    Group group;
    group.name = std::to_string(count) + ", subscriptions: " + kind.label;
    group.cases = {{key, {static_cast<std::int64_t>(count), kind.label}}};
    group.connections = count;
    group.topics = kind.topics;
    group.max_rounds = setting.is_short ? 1 : 2;
    group.needs_fresh_server = true;
    group.open = [=](MeasuredServer& server) {
      return std::make_unique<IdleStage>(server, count, kind);
    };
    work.groups.push_back(std::move(group));
  };
  work.connections = idle_count(setting);
  for (const Kind& kind : kKinds) add(kind, kind.key, work.connections);
  // Fewer, of which each may be given more.
  if (work.connections > kFew) add(kKinds[1], "one/1000", kFew);
  const std::size_t tls_count = std::min(work.connections, kFew);
  Group tls;
  tls.name = std::to_string(tls_count) + ", over TLS";
  tls.cases = {{"tls/one",
                {static_cast<std::int64_t>(tls_count), "one, of all the same topic, over TLS"},
                {},
                false,
                true}};
  tls.connections = tls_count;
  tls.max_rounds = setting.is_short ? 1 : 2;
  tls.needs_fresh_server = true;
  tls.open = [=](MeasuredServer& server) {
    return std::make_unique<IdleTlsStage>(server, tls_count);
  };
  work.groups.push_back(std::move(tls));
  work.subscriptions = 10;
  return work;
}

}  // namespace jackfield::bench
