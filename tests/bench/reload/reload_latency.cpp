// How long it takes from the close of a plugin's file to the plugin's first answer, seen by a
// client that asks again as soon as it is answered.
#include <string>
#include <vector>

#include "tests/bench/reload/reload_measures.hpp"

namespace jackfield::bench {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr double kTarget = 300;  // milliseconds

// Asks by `request` until an answer begins with `wanted`; gives when that came.
Clock::time_point ask_until(WsConnection& client, const std::string& request,
                            const std::string& wanted, const std::string& unwanted) {
  const auto end = Clock::now() + kPatience;
  client.send(request);
  while (Clock::now() < end) {
    const std::string_view message = client.receive();
    if (message.starts_with(wanted)) return Clock::now();
    if (message.starts_with(unwanted)) client.send(request);
  }
  throw Failure("nothing begins with " + wanted + " within " + std::to_string(kPatience.count()) +
                " s");
}

Table make_table(std::string key, std::string title, std::string text) {
  return {.key = std::move(key),
          .title = std::move(title),
          .text = std::move(text),
          .columns = {{"plugin", "plugin", 0},
                      {"count", "times", 0},
                      {"median_ms", "median ms", 1},
                      {"p90_ms", "p90 ms", 1},
                      {"max_ms", "max ms", 1},
                      {"target_ms", "target ms", 0},
                      {"values_ms", "", 0}},
          .rows = {}};
}

std::vector<Cell> row_of(const std::string& plugin, const std::vector<double>& values) {
  const Spread spread = spread_of(values);
  return {plugin,     static_cast<std::int64_t>(values.size()), spread.median, spread.p90,
          spread.max, static_cast<std::int64_t>(kTarget),       values};
}

std::vector<double> drop_in(const ReloadSetup& setup, const Subject& subject, int count) {
  const BenchServer server(setup.options("drop-in-" + subject.plugin));
  WsConnection client(server.port());
  const std::string topic = "[\"" + subject.prefix + "bench\",\"";
  const std::string image = subject.plugin + ".so";
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    const auto closed = server.put(setup.plugins / image, image);
    const auto served =
        ask_until(client, topic + "subscribe\",{}]", topic + "subscribed\"", topic + "error\"");
    values.push_back(to_milliseconds(served - closed));
    server.remove(image);
    while (client.receive().find("CHANNEL_UNLOADED") == std::string_view::npos) {
    }
  }
  return values;
}

std::vector<double> replacement(const ReloadSetup& setup, const std::string& plugin, int count) {
  const auto image = [&](int version) {
    return setup.bench_plugins / (plugin + "_" + std::to_string(version) + ".so");
  };
  const BenchServer server(setup.options("replacement-" + plugin));
  WsConnection client(server.port());
  const std::string topic = "[\"" + plugin + ":bench\",\"";
  const std::string answer = topic + "version\",";
  const std::string ask = topic + "version\",null]";
  server.put(image(1), plugin + ".so");
  ask_until(client, topic + "subscribe\",{}]", topic + "subscribed\"", topic + "error\"");
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    const int before = 1 + i % 2;
    const int after = 3 - before;
    const auto closed = server.put(image(after), plugin + ".so");
    const auto served = ask_until(client, ask, answer + std::to_string(after) + "]",
                                  answer + std::to_string(before) + "]");
    values.push_back(to_milliseconds(served - closed));
  }
  return values;
}

}  // namespace

std::vector<Table> measure_drop_in(const ReloadSetup& setup) {
  const int count = setup.is_short ? 10 : 50;
  Table table = make_table("drop_in", "From the close of a new plugin's file to serving",
                           "The file is copied into the folder; a client asks to subscribe, again "
                           "and again, until it is `subscribed`.");
  for (const Subject& subject : {echo_subject(), chat_subject()}) {
    progress("drop in " + subject.plugin);
    table.rows.push_back(row_of(subject.plugin, drop_in(setup, subject, count)));
  }
  return {std::move(table)};
}

std::vector<Table> measure_replacement(const ReloadSetup& setup) {
  const int count = setup.is_short ? 20 : 100;
  Table table = make_table(
      "replacement", "From the close of a newer plugin's file to its first answer",
      "The file is copied over the one that serves, in place; a client that has subscribed asks "
      "for the version, again and again, until the newer one answers.");
  for (const std::string plugin : {"versioned_c", "versioned_cpp"}) {
    progress("replace " + plugin);
    table.rows.push_back(row_of(plugin, replacement(setup, plugin, count)));
  }
  return {std::move(table)};
}

}  // namespace jackfield::bench
