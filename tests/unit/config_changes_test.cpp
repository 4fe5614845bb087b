// What differs between two configurations, and what of it waits for a start.
#include "core/config/changes.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/keys.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using jackfield::config::Change;
using jackfield::config::Config;
using jackfield::config::find_changes;
using jackfield::config::Key;
using jackfield::config::kKeys;
using jackfield::config::live_part;
using jackfield::test::check;

// Each key with another value than its default, and how the two are shown.
struct Row {
  std::string key;
  std::string value;
  std::string before;
  std::string after;
  std::string beside{};  // what must be there for that
};

const std::vector<Row> kRows = {
    {"server.listen", R"(["[::1]:7", "unix:/x"])", R"(["127.0.0.1:3001"])",
     R"(["[::1]:7", "unix:/x"])"},
    {"server.unix_mode", R"("660")", R"("0600")", R"("0660")"},
    {"server.path", R"("/ws")", R"("")", R"("/ws")"},
    {"server.origins", R"(["https://App.example:443"])", "[]", R"(["https://app.example"])"},
    {"server.max_connections", "99", "100", "99"},
    {"server.max_connections_per_address", "0", "50", "0"},
    {"server.ping_interval_s", "0", "30", "0"},
    {"server.ping_timeout_s", "0.25", "10", "0.25"},
    {"server.handshake_timeout_s", "1.5", "10", "1.5"},
    {"server.first_message_timeout_s", "3", "0", "3"},
    {"server.close_timeout_s", "0.001", "5", "0.001"},
    {"server.shutdown_timeout_s", "3600", "5", "3600"},
    {"server.max_header_bytes", "8192", "4096", "8192"},
    {"server.max_message_bytes", "4096", "4194304", "4096"},
    {"server.max_topic_bytes", "7", "512", "7"},
    {"server.max_event_bytes", "8", "128", "8"},
    {"server.max_json_depth", "1", "128", "1"},
    {"server.max_incoming_bytes", "65536", "67108864", "65536"},
    {"server.max_messages_per_s", "0", "500", "0"},
    {"server.max_bytes_per_s", "0", "4194304", "0"},
    {"server.max_subscriptions", "9", "1000", "9"},
    {"server.max_subscribes_per_s", "0", "100", "0"},
    {"server.soft_outbox_bytes", "65536", "1048576", "65536"},
    {"server.max_outbox_bytes", "8388609", "8388608", "8388609"},
    {"server.max_outboxes_bytes", "65536", "67108864", "65536"},
    {"server.read_buffer_bytes", "128", "0", "128"},
    {"server.forward_headers", R"(["X-Real-IP", "a"])", "[]", R"(["x-real-ip", "a"])"},
    {"tls.certificate", R"("c.pem")", R"("")", R"("c.pem")"},
    {"tls.key", R"("/k.pem")", R"("")", R"("/k.pem")"},
    {"tls.minimum_version", R"("1.3")", R"("1.2")", R"("1.3")"},
    {"tls.client_ca", R"("ca.pem")", R"("")", R"("ca.pem")"},
    {"tls.client_certificate", R"("optional")", R"("none")", R"("optional")"},
    {"tls.hsts_max_age_s", "0", "31536000", "0"},
    {"process.user", R"("jackfield")", R"("")", R"("jackfield")"},
    {"process.group", R"("www-data")", R"("")", R"("www-data")"},
    {"backlog", R"([{policy = "latest", topics = ["a:<x>", "b:*"]}])", "[]",
     R"([{topics = ["a:<x>", "b:*"], policy = "latest"}])"},
    {"auth.tokens", R"("t")", R"("")", R"("t")"},
    {"auth.required", "true", "false", "true",
     "jwt.keys = [{algorithm = 'HS256', file = 'k'}]\n"},
    {"auth.close_expired", "false", "true", "false"},
    {"auth.unix_peers", "true", "false", "true"},
    {"auth.query_parameter", R"("t")", R"("token")", R"("t")"},
    {"auth.cookie", R"("")", R"("token")", R"("")"},
    {"auth.subprotocol_prefix", R"("t.")", R"("bearer.")", R"("t.")"},
    {"jwt.issuer", R"("i")", R"("")", R"("i")"},
    {"jwt.audience", R"("a")", R"("")", R"("a")"},
    {"jwt.leeway_s", "0", "60", "0"},
    {"jwt.groups_claim", R"("roles")", R"("groups")", R"("roles")"},
    {"jwt.exp_required", "false", "true", "false"},
    {"jwt.keys", R"([{kid = "k", algorithm = "ES256", file = "f"}])", "[]",
     R"([{kid = "k", algorithm = "ES256", file = "f"}])"},
    {"access", R"([{topics = ["a:*"], who = ["known"], may = ["send"]}])", "[]",
     R"([{topics = ["a:*"], who = ["known"], may = ["send"]}])"},
    {"log.level", R"("error")", R"("info")", R"("error")"},
    {"configuration.watch", "false", "true", "false"},
    {"plugins.directory", R"("a\"b")", R"("plugins")", R"("a\"b")"},
    {"plugins.order", R"(["b", "a"])", "[]", R"(["b", "a"])"},
    {"plugins.allow_writable_by_others", "true", "false", "true"},
    {"plugins.runtime_directory", R"("/run/x")", R"("")", R"("/run/x")"},
    {"plugins.watch", "false", "true", "false"},
    {"plugins.quiet_s", "0.101", "0.1", "0.101"},
    {"plugins.scan_interval_s", "1", "0", "1"},
    {"plugins.start_timeout_s", "6", "5", "6"},
    {"plugins.drain_timeout_s", "2", "1", "2"},
    {"plugins.stop_timeout_s", "7", "5", "7"},
    {"plugins.callback_budget_s", "0.06", "0.05", "0.06"},
    {"plugins.crash_limit", "0", "3", "0"},
    {"plugins.crash_window_s", "601", "600", "601"},
};

// What only a start can change, whatever its new value is.
const std::set<std::string> kAtStart = {"server.listen", "server.unix_mode",
                                        "server.max_header_bytes", "server.read_buffer_bytes",
                                        "process.user", "process.group", "plugins.directory",
                                        "plugins.runtime_directory"};

Config parse_well(std::string_view text) {
  auto outcome = jackfield::config::parse(text, "j.toml");
  check(outcome.is_ok(), outcome.is_ok() ? "" : to_text(outcome.mistakes.front()));
  return std::move(outcome.config);
}

Config with(const Row& row) {
  const std::size_t dot = row.key.find('.');
  if (dot == std::string::npos) return parse_well(row.key + " = " + row.value + "\n");
  return parse_well(row.beside + "[" + row.key.substr(0, dot) + "]\n" + row.key.substr(dot + 1) + " = " +
                    row.value + "\n");
}

Config without(const Row& row) { return parse_well(row.beside); }

std::string all(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    text += change.key + ": " + change.before + " -> " + change.after + "\n";
  }
  return text;
}

}  // namespace

TEST_GROUP(ConfigChanges) { const Config defaults = parse_well(""); };

TEST(ConfigChanges, every_key_has_its_row_here) {
  std::vector<std::string> keys;
  for (const Row& row : kRows) keys.push_back(row.key);
  CHECK(keys == jackfield::config::known_keys());
}

TEST(ConfigChanges, of_the_same_there_is_none) {
  STRCMP_EQUAL("", all(find_changes(defaults, parse_well(""))).c_str());
  for (const Row& row : kRows) STRCMP_EQUAL("", all(find_changes(with(row), with(row))).c_str());
}

TEST(ConfigChanges, each_key_is_found_and_shown_and_no_other) {
  for (const Row& row : kRows) {
    const std::string expected = row.key + ": " + row.before + " -> " + row.after + "\n";
    STRCMP_EQUAL(expected.c_str(), all(find_changes(without(row), with(row))).c_str());
  }
}

TEST(ConfigChanges, each_key_changes_live_or_stays_as_it_was_at_the_start) {
  for (const Row& row : kRows) {
    const Config wanted = with(row);
    const Config started = without(row);
    const Config taken = live_part(started, wanted);
    const Config& expected = kAtStart.contains(row.key) ? started : wanted;
    STRCMP_EQUAL("", all(find_changes(expected, taken)).c_str());
  }
}

TEST(ConfigChanges, every_key_is_said_to_be_live_or_not) {
  for (const Key& key : kKeys) {
    const std::string dot = key.table.empty() ? "" : ".";
    const std::string name = std::string(key.table) + dot + std::string(key.name);
    const bool is_kept = kAtStart.contains(name) || name == "server.max_connections";
    check((key.keep != nullptr) == is_kept, name);
  }
}

TEST(ConfigChanges, max_connections_changes_up_to_what_it_was_at_the_start) {
  const Config started = parse_well("[server]\nmax_connections = 50\n");
  const auto taken = [&](const char* number) {
    const Config wanted = parse_well("[server]\nmax_connections = " + std::string(number) + "\n");
    return live_part(started, wanted).limits.max_connections;
  };
  LONGS_EQUAL(1, taken("1"));
  LONGS_EQUAL(50, taken("50"));
  LONGS_EQUAL(50, taken("51"));
  LONGS_EQUAL(50, taken("1000000"));
}

TEST(ConfigChanges, plugins_tables_are_found_by_their_names_whole) {
  const Config before = parse_well("[plugin.a]\nx = 1\n[plugin.b]\n[plugin.same]\ny = 1\n");
  const Config after = parse_well("[plugin.c]\nz = 1\n[plugin.a]\nx = 2\n[plugin.same]\ny = 1\n");
  STRCMP_EQUAL("plugin.a: {\"x\":1} -> {\"x\":2}\nplugin.b: {} -> \nplugin.c:  -> {\"z\":1}\n",
               all(find_changes(before, after)).c_str());
}

TEST(ConfigChanges, several_come_in_the_order_of_the_keys) {
  const Config after = parse_well(
      "[log]\nlevel = \"debug\"\n[server]\npath = \"/x\"\n[plugin.a]\n[plugins]\nwatch = false\n");
  STRCMP_EQUAL(
      "server.path: \"\" -> \"/x\"\nlog.level: \"info\" -> \"debug\"\n"
      "plugins.watch: true -> false\nplugin.a:  -> {}\n",
      all(find_changes(defaults, after)).c_str());
}
