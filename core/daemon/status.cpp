#include "core/daemon/status.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/wire/json_document.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::daemon {
namespace {

using plugin::PluginSet;
using wire::JsonDocument;

std::string utc(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

// One line stays one line, and text stays text, whatever a file or a pattern is called.
std::string one_line(std::string_view octets) {
  std::string text = wire::to_utf8(octets);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return text;
}

std::uint64_t milliseconds(std::chrono::microseconds time) {
  return static_cast<std::uint64_t>(time.count()) / 1000;
}

void add_plugin(const PluginSet::Plugin& served, const hub::Hub& hub, std::string& text,
                std::vector<JsonDocument>& objects) {
  const plugin::Generation& generation = *served.generation;
  const plugin::Tally& tally = generation.tally();
  const std::string& version = generation.manifest().version;
  const std::size_t subscriptions = hub.subscription_count(generation.channels());
  text += "plugin       " + served.name + " " + version + "  generation " +
          std::to_string(generation.number()) + "  since " + utc(served.since) +
          "  subscriptions " + std::to_string(subscriptions);
  if (tally.slow_calls > 0) {
    text += "  slow calls " + std::to_string(tally.slow_calls) + "  slowest " +
            std::to_string(milliseconds(tally.slowest)) + " ms";
  }
  text += "\n";
  std::error_code ignored;
  const std::string file = one_line(std::filesystem::absolute(served.file, ignored).string());
  text += "             " + file + "\n";
  if (!served.table_refusal.empty()) {
    text += "             refuses its table: " + one_line(served.table_refusal) + "\n";
  }
  std::vector<std::string> patterns;
  for (const std::string& pattern : generation.patterns()) {
    text += "             " + patterns.emplace_back(one_line(pattern)) + "\n";
  }

  JsonDocument& object = objects.emplace_back();
  object.add("name", served.name);
  object.add("version", version);
  object.add("generation", generation.number());
  object.add("since", utc(served.since));
  object.add("file", file);
  object.add("patterns", patterns);
  if (!served.table_refusal.empty()) {
    object.add("table_refused", one_line(served.table_refusal));
  }
  object.add("subscriptions", subscriptions);
  object.add("slow_calls", tally.slow_calls);
  object.add("slowest_ms", milliseconds(tally.slowest));
}

// For people only what has happened at all.
void add_counters(const base::Counters& counters, std::string& text, JsonDocument& object) {
  for (const base::Counter& counter : counters) {
    object.add(std::string(counter.name), counter.value);
    if (counter.value == 0) continue;
    text +=
        "counted      " + std::string(counter.name) + " " + std::to_string(counter.value) + "\n";
  }
}

}  // namespace

Status make_status(const config::Config& config, const hub::Hub& hub, const net::Server& server,
                   const PluginSet& plugins) {
  Status status;
  JsonDocument document;
  document.add("version", JACKFIELD_VERSION);
  document.add("pid", static_cast<std::uint64_t>(::getpid()));
  document.add("connections", hub.connection_count());
  document.add("max_connections", config.limits.max_connections);
  status.text = "jackfield    " JACKFIELD_VERSION "  pid " + std::to_string(::getpid()) + "\n" +
                "connections  " + std::to_string(hub.connection_count()) + " of " +
                std::to_string(config.limits.max_connections) + "\n";

  std::vector<JsonDocument> objects;
  for (const auto& served : plugins.plugins()) add_plugin(*served, hub, status.text, objects);
  document.add("plugins", std::move(objects));

  objects.clear();
  std::error_code ignored;
  for (const PluginSet::Refusal& refusal : plugins.refusals()) {
    const std::string file = one_line(std::filesystem::absolute(refusal.file, ignored).string());
    const std::string reason = one_line(refusal.reason);
    status.text += "refused      " + file + "  " + reason + "\n";
    JsonDocument& object = objects.emplace_back();
    object.add("file", file);
    object.add("reason", reason);
  }
  document.add("refused", std::move(objects));

  const plugin::Retirements& retirements = plugins.retirements();
  objects.clear();
  for (const plugin::Retirements::Stayed& stayed : retirements.stayed()) {
    status.text += "stayed       " + stayed.plugin + " " + stayed.version + "  generation " +
                   std::to_string(stayed.generation) + "  " + one_line(stayed.reason) + "\n";
    JsonDocument& object = objects.emplace_back();
    object.add("plugin", stayed.plugin);
    object.add("version", stayed.version);
    object.add("generation", stayed.generation);
    object.add("reason", one_line(stayed.reason));
  }
  document.add("stayed", std::move(objects));
  document.add("stayed_count", retirements.stayed_count());
  document.add("unmapped", retirements.unmapped());
  document.add("retiring", retirements.under_way());
  status.text += "images       " + std::to_string(retirements.unmapped()) + " unmapped, " +
                 std::to_string(retirements.stayed_count()) + " stayed, " +
                 std::to_string(retirements.under_way()) + " on their way\n";

  JsonDocument counters;
  add_counters(hub.counts().list(), status.text, counters);
  add_counters(server.counts().list(), status.text, counters);
  document.add("counters", std::move(counters));
  status.json = document.text() + "\n";
  return status;
}

}  // namespace jackfield::daemon
