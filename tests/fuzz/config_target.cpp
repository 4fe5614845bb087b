// The configuration (core/config). The octets are the file, in which the octet 1 (which TOML does
// not take) stands for many times the one behind it, or the two where the second is a dot: so it
// reaches depths and lengths that a fuzzer's small inputs do not have; that runs on a small stack.
// What is refused changes nothing and says where and why; what is taken can be shown and read again
// to the same.
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/config/changes.hpp"
#include "core/config/config.hpp"
#include "core/config/keys.hpp"
#include "core/wire/json_text.hpp"
#include "core/wire/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace jackfield::fuzz {
namespace {

using config::Config;

constexpr std::size_t kRepeats = 20'000;        // of an octet
constexpr std::size_t kDottedRepeats = 80'000;  // of the parts of a key
// What toml++ needs at most for what config takes is between 1 and 2 MiB.
constexpr std::size_t kSmallStack = 2'500'000;
const std::filesystem::path kFile = "/etc/jackfield/jackfield.toml";

std::string expanded(std::string_view text) {
  const std::size_t mark = text.find('\x01');
  if (mark == text.npos) return std::string(text);
  const std::string_view behind = text.substr(mark + 1);
  const bool is_dotted = behind.size() > 1 && behind[1] == '.';
  const std::string_view piece = behind.substr(0, is_dotted ? 2 : 1);
  std::string whole(text.substr(0, mark));
  for (std::size_t i = 0; i < (is_dotted ? kDottedRepeats : kRepeats); ++i) whole += piece;
  whole += behind;
  return whole;
}

// What every key shows, as a file that says the same.
std::string as_file(const Config& config) {
  std::map<std::string_view, std::string> tables;
  for (const config::Key& key : config::kKeys) {
    tables[key.table] += std::string(key.name) + " = " + key.show(config) + "\n";
  }
  std::string text;
  for (const auto& [table, keys] : tables) {  // what is in none comes first
    text += (table.empty() ? "" : "[" + std::string(table) + "]\n") + keys;
  }
  return text;
}

// The numbers, not as they are shown: two values must not be shown alike.
std::vector<std::int64_t> numbers_of(const Config& config) {
  const auto& [server, limits, plugins] = std::tie(config.server, config.limits, config.plugins);
  std::vector<std::int64_t> numbers;
  for (const std::size_t number :
       {limits.max_connections, limits.max_message_bytes, limits.max_topic_bytes,
        limits.max_event_bytes, limits.max_subscriptions, limits.max_outbox_bytes,
        server.read_buffer_bytes, plugins.crash_limit, server.listen.size(),
        server.forward_headers.size(), plugins.order.size(), server.path.size(),
        plugins.directory.string().size(), plugins.runtime_directory.string().size()}) {
    numbers.push_back(static_cast<std::int64_t>(number));
  }
  for (const std::chrono::milliseconds time :
       {server.ping_interval, server.ping_timeout, server.handshake_timeout, server.close_timeout,
        server.shutdown_timeout, plugins.quiet, plugins.scan_interval, plugins.start_timeout,
        plugins.drain_timeout, plugins.stop_timeout, plugins.callback_budget,
        plugins.crash_window}) {
    numbers.push_back(time.count());
  }
  return numbers;
}

std::string differences(const Config& before, const Config& after) {
  std::string text;
  if (numbers_of(before) != numbers_of(after)) text = "numbers\n";
  for (const config::Change& change : config::find_changes(before, after)) {
    text += change.key + ": " + change.before + " -> " + change.after + "\n";
  }
  return text;
}

void check_refused(const config::Outcome& outcome, std::string_view text) {
  static const Config kNone;
  require_same("", differences(kNone, outcome.config), "what a refused file changes");
  const auto lines = static_cast<unsigned>(std::count(text.begin(), text.end(), '\n')) + 1;
  unsigned before = 0;
  for (const config::Mistake& mistake : outcome.mistakes) {
    require(!mistake.message.empty(), "a mistake says what is wrong");
    require_same(kFile.string(), mistake.file, "a mistake's file");
    require(mistake.line <= lines, "a mistake is in the file");
    require(mistake.line >= before, "mistakes stand in the order of the file");
    before = mistake.line;
    const std::string sentence = to_text(mistake);
    require(sentence.find('\n') == sentence.npos, "a mistake is one line");
    if (wire::is_utf8(text)) require(wire::is_utf8(sentence), "a mistake is UTF-8");
  }
}

void check_taken(const Config& config) {
  require(!config.server.listen.empty(), "there is an address to listen on");
  for (const auto& [name, table] : config.plugins.tables) {
    require(plugin::is_plugin_name(name), "a plugin's table has a plugin's name");
    require(wire::is_json(table), "a plugin's table is JSON");
  }
  const std::string text = as_file(config);
  config::Outcome again = config::parse(text, kFile);
  if (!again.is_ok()) fail("what is shown can be read: " + to_text(again.mistakes.front()));
  again.config.plugins.tables = config.plugins.tables;
  require_same("", differences(config, again.config), "what is shown, read again");
}

// What a running server takes of it: all that is live, and nothing that takes a start.
void check_live_part(const Config& config) {
  static const Config defaults = config::parse("", kFile).config;
  const Config live = config::live_part(defaults, config);
  for (const config::Key& key : config::kKeys) {
    const std::string shown = key.show(live);
    const bool is_kept = shown == key.show(defaults);
    const bool is_taken = shown == key.show(config);
    require(is_kept || is_taken, "a value is one of the two");
    if (key.keep == nullptr) require(is_taken, "what is live is taken");
  }
  require_same("", differences(live, config::live_part(defaults, live)), "a live part's live part");
  require_same("", differences(config, config::live_part(config, config)), "its own live part");
}

void check(const std::string& text) {
  const config::Outcome outcome = config::parse(text, kFile);
  if (outcome.is_ok()) {
    check_taken(outcome.config);
    check_live_part(outcome.config);
  } else {
    check_refused(outcome, text);
  }
}

void check_on_small_stack(const std::string& text) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kSmallStack);
  pthread_t thread{};
  const auto body = [](void* argument) -> void* {
    check(*static_cast<const std::string*>(argument));
    return nullptr;
  };
  void* const argument = const_cast<std::string*>(&text);
  require(pthread_create(&thread, &attributes, body, argument) == 0, "there is a thread");
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace

int run(const std::uint8_t* octets, std::size_t size) {
  const std::string_view given(reinterpret_cast<const char*>(octets), size);
  const std::string text = expanded(given);
  if (text == given) {
    check(text);
  } else {
    check_on_small_stack(text);
  }
  return 0;
}

}  // namespace jackfield::fuzz
