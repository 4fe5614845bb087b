#include "core/config/config.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/endpoint.hpp"
#include "core/config/keys.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using jackfield::base::LogLevel;
using jackfield::config::Config;
using jackfield::config::load;
using jackfield::config::load_again;
using jackfield::config::Outcome;
using jackfield::config::parse;
using jackfield::test::check;
using std::chrono::milliseconds;

std::string all_mistakes(const Outcome& outcome) {
  std::string lines;
  for (const auto& mistake : outcome.mistakes) lines += to_text(mistake) + "\n";
  return lines;
}

Config parse_well(std::string_view text) {
  Outcome outcome = parse(text, "/etc/jackfield/j.toml");
  check(outcome.is_ok(), all_mistakes(outcome));
  return std::move(outcome.config);
}

std::string listen_text(const Config& config) {
  std::string text;
  for (const auto& endpoint : config.server.listen)
    text += jackfield::net::to_text(endpoint) + " ";
  return text;
}

// What a file without any setting gives, but for the folder of the plugins.
void check_defaults(const Config& config) {
  STRCMP_EQUAL("127.0.0.1:3001 ", listen_text(config).c_str());
  STRCMP_EQUAL("", config.server.path.c_str());
  CHECK(config.access.origins.empty());
  CHECK(config.access.tokens.empty());
  CHECK_FALSE(config.access.required);
  CHECK(config.access.close_expired);
  CHECK_FALSE(config.access.unix_peers);
  STRCMP_EQUAL("token", config.access.query_parameter.c_str());
  STRCMP_EQUAL("token", config.access.cookie.c_str());
  STRCMP_EQUAL("bearer.", config.access.subprotocol_prefix.c_str());
  STRCMP_EQUAL("", config.access.jwt_issuer.c_str());
  STRCMP_EQUAL("", config.access.jwt_audience.c_str());
  CHECK(config.access.jwt_leeway == milliseconds(60000));
  STRCMP_EQUAL("groups", config.access.jwt_groups_claim.c_str());
  CHECK(config.access.jwt_exp_required);
  CHECK(config.access.jwt_keys.empty());
  CHECK(config.access.rules.empty());
  LONGS_EQUAL(50, config.server.max_connections_per_address);
  LONGS_EQUAL(4096, config.server.max_header_bytes);
  CHECK(config.server.first_message_timeout == milliseconds(0));
  CHECK(config.server.ping_interval == milliseconds(30000));
  CHECK(config.server.ping_timeout == milliseconds(10000));
  CHECK(config.server.handshake_timeout == milliseconds(10000));
  CHECK(config.server.close_timeout == milliseconds(5000));
  CHECK(config.server.shutdown_timeout == milliseconds(5000));
  CHECK(config.server.forward_headers.empty());
  LONGS_EQUAL(100, config.limits.max_connections);
  LONGS_EQUAL(4194304, config.limits.max_message_bytes);
  LONGS_EQUAL(512, config.limits.max_topic_bytes);
  LONGS_EQUAL(128, config.limits.max_event_bytes);
  LONGS_EQUAL(1000, config.limits.max_subscriptions);
  LONGS_EQUAL(8388608, config.limits.max_outbox_bytes);
  CHECK(config.server.tls == jackfield::net::TlsSettings());
  CHECK(config.plugins.order.empty());
  CHECK(config.plugins.runtime_directory.empty());
  CHECK(config.plugins.watch);
  CHECK(config.plugins.quiet == milliseconds(100));
  CHECK(config.plugins.scan_interval == milliseconds(0));
  CHECK(config.plugins.start_timeout == milliseconds(5000));
  CHECK(config.plugins.drain_timeout == milliseconds(1000));
  CHECK(config.plugins.stop_timeout == milliseconds(5000));
  CHECK(config.plugins.callback_budget == milliseconds(50));
  LONGS_EQUAL(3, config.plugins.crash_limit);
  CHECK(config.plugins.crash_window == milliseconds(600'000));
  CHECK(config.plugins.tables.empty());
  CHECK(config.watch);
  CHECK(config.log_level == LogLevel::kInfo);
}

std::filesystem::path documentation() {
  return std::filesystem::path(JACKFIELD_SOURCES) / "conf/jackfield.toml";
}

// The file with the '#' taken from every line that is a setting.
std::string with_settings_on(const std::string& text) {
  std::string changed;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.remove_prefix(1);
    changed += std::string(line) + "\n";
    begin = end + 1;
  }
  return changed;
}

}  // namespace

TEST_GROUP(ConfigConfig){};

TEST(ConfigConfig, an_empty_file_gives_the_defaults) {
  const Config config = parse_well("");
  check_defaults(config);
  STRCMP_EQUAL("/etc/jackfield/plugins", config.plugins.directory.c_str());
}

TEST(ConfigConfig, the_documented_file_is_the_defaults) {
  const Outcome outcome = load(documentation());
  check(outcome.is_ok(), all_mistakes(outcome));
  check_defaults(outcome.config);
  CHECK(outcome.config.plugins.directory == documentation().parent_path() / "plugins");
}

TEST(ConfigConfig, every_setting_documented_is_at_its_default) {
  const std::string text = with_settings_on(jackfield::test::read_file(documentation()));
  const Outcome outcome = parse(text, documentation());
  check(outcome.is_ok(), all_mistakes(outcome));
  check_defaults(outcome.config);
  CHECK(outcome.config.plugins.directory == documentation().parent_path() / "plugins");
}

TEST(ConfigConfig, every_known_key_is_documented_once) {
  const std::string text = jackfield::test::read_file(documentation());
  std::string table;
  std::vector<std::string> documented;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with('[')) table = line.substr(1, line.find(']') - 1);
    const bool is_setting = line.starts_with('#') && line.size() > 1 && line[1] != ' ';
    if (is_setting) {
      documented.push_back((table.empty() ? "" : table + ".") + line.substr(1, line.find(' ') - 1));
    }
  }
  std::vector<std::string> known = jackfield::config::known_keys();
  std::sort(known.begin(), known.end());
  std::sort(documented.begin(), documented.end());
  CHECK(known.size() > 10);
  CHECK(known == documented);
}

TEST(ConfigConfig, every_known_key_has_a_row_in_the_manual) {
  const std::string manual =
      jackfield::test::read_file(std::filesystem::path(JACKFIELD_SOURCES) / "conf/README.md");
  for (const std::string& key : jackfield::config::known_keys()) {
    check(manual.find("| `" + key + "` |") != std::string::npos, key + " is not in conf/README.md");
  }
}

TEST(ConfigConfig, every_known_key_says_in_the_manual_when_a_change_counts) {
  const std::string manual =
      jackfield::test::read_file(std::filesystem::path(JACKFIELD_SOURCES) / "conf/README.md");
  for (const jackfield::config::Key& key : jackfield::config::kKeys) {
    const std::string dot = key.table.empty() ? "" : ".";
    const std::string name = std::string(key.table) + dot + std::string(key.name);
    const std::size_t row = manual.find("| `" + name + "` |");
    const std::string line = manual.substr(row, manual.find('\n', row) - row);
    const bool has_live_values = key.keep == nullptr || name == "server.max_connections";
    check(line.find(has_live_values ? "` | live | " : "` | start | ") != std::string::npos, line);
  }
}

TEST(ConfigConfig, reads_every_key) {
  const Config config = parse_well(R"(
[server]
listen = ["[::]:1", "0.0.0.0:2", "unix:/run/j"]
path = "/ws/v1"
max_connections = 1000000
ping_interval_s = 0
ping_timeout_s = 0.25
handshake_timeout_s = 1
close_timeout_s = 2.5
shutdown_timeout_s = 3600
max_message_bytes = 65536
max_topic_bytes = 11
max_event_bytes = 12
max_json_depth = 14
max_incoming_bytes = 65537
max_messages_per_s = 15
max_bytes_per_s = 16
max_subscriptions = 13
max_subscribes_per_s = 17
soft_outbox_bytes = 2048
max_outbox_bytes = 65536
max_outboxes_bytes = 65538
forward_headers = ["X-Real-IP", "cookie"]
origins = ["https://app.example", "*"]
max_connections_per_address = 7
max_header_bytes = 16384
first_message_timeout_s = 9
[auth]
tokens = "tokens"
required = true
close_expired = false
unix_peers = true
query_parameter = "t"
cookie = "c"
subprotocol_prefix = ""
[jwt]
issuer = "https://id.example"
audience = "us"
leeway_s = 0
groups_claim = "roles"
exp_required = false
[[jwt.keys]]
kid = "a"
algorithm = "RS256"
file = "a.pem"
[[jwt.keys]]
algorithm = "HS256"
file = "/etc/secret"
[[access]]
topics = ["room:*", "user:<identity>"]
who = ["known", "group:ops"]
may = ["subscribe", "send"]
[[access]]
topics = ["*"]
who = ["jwt:admin"]
may = ["publish"]
[tls]
certificate = "server.pem"
key = "/etc/ssl/private/server.key"
minimum_version = "1.3"
client_ca = "../ca.pem"
client_certificate = "required"
hsts_max_age_s = 60
[log]
level = "debug"
[configuration]
watch = false
[plugins]
directory = "../lib/j"
order = ["echo", "lib.chat"]
runtime_directory = "/run/j"
watch = false
quiet_s = 0.002
scan_interval_s = 60
start_timeout_s = 11
drain_timeout_s = 0.012
stop_timeout_s = 13
callback_budget_s = 1.5
crash_limit = 0
crash_window_s = 86400
[[backlog]]
topics = ["a:<x>"]
policy = "drop_new"
[[backlog]]
topics = ["*"]
policy = "drop_oldest"
)");
  STRCMP_EQUAL("[::]:1 0.0.0.0:2 unix:/run/j ", listen_text(config).c_str());
  STRCMP_EQUAL("/ws/v1", config.server.path.c_str());
  LONGS_EQUAL(14, config.limits.max_json_depth);
  LONGS_EQUAL(65537, config.limits.max_incoming_bytes);
  LONGS_EQUAL(15, config.limits.max_messages_per_s);
  LONGS_EQUAL(16, config.limits.max_bytes_per_s);
  LONGS_EQUAL(17, config.limits.max_subscribes_per_s);
  LONGS_EQUAL(2048, config.limits.soft_outbox_bytes);
  LONGS_EQUAL(65538, config.limits.max_outboxes_bytes);
  const std::vector<jackfield::hub::BacklogRule> backlog = {
      {{"a:<x>"}, jackfield::hub::SlowPolicy::kDropNew},
      {{"*"}, jackfield::hub::SlowPolicy::kDropOldest}};
  CHECK(config.backlog == backlog);
  LONGS_EQUAL(1000000, config.limits.max_connections);
  CHECK(config.server.ping_interval == milliseconds(0));
  CHECK(config.server.ping_timeout == milliseconds(250));
  CHECK(config.server.handshake_timeout == milliseconds(1000));
  CHECK(config.server.close_timeout == milliseconds(2500));
  CHECK(config.server.shutdown_timeout == milliseconds(3600000));
  LONGS_EQUAL(65536, config.limits.max_message_bytes);
  LONGS_EQUAL(11, config.limits.max_topic_bytes);
  LONGS_EQUAL(12, config.limits.max_event_bytes);
  LONGS_EQUAL(13, config.limits.max_subscriptions);
  LONGS_EQUAL(65536, config.limits.max_outbox_bytes);
  CHECK((config.server.forward_headers == std::vector<std::string>{"x-real-ip", "cookie"}));
  const jackfield::access::Settings& access = config.access;
  CHECK((access.origins == std::vector<std::string>{"https://app.example", "*"}));
  LONGS_EQUAL(7, config.server.max_connections_per_address);
  LONGS_EQUAL(16384, config.server.max_header_bytes);
  CHECK(config.server.first_message_timeout == milliseconds(9000));
  STRCMP_EQUAL("/etc/jackfield/tokens", access.tokens.c_str());
  CHECK(access.required);
  CHECK_FALSE(access.close_expired);
  CHECK(access.unix_peers);
  STRCMP_EQUAL("t", access.query_parameter.c_str());
  STRCMP_EQUAL("c", access.cookie.c_str());
  STRCMP_EQUAL("", access.subprotocol_prefix.c_str());
  STRCMP_EQUAL("https://id.example", access.jwt_issuer.c_str());
  STRCMP_EQUAL("us", access.jwt_audience.c_str());
  CHECK(access.jwt_leeway == milliseconds(0));
  STRCMP_EQUAL("roles", access.jwt_groups_claim.c_str());
  CHECK_FALSE(access.jwt_exp_required);
  LONGS_EQUAL(2, access.jwt_keys.size());
  STRCMP_EQUAL("a", access.jwt_keys[0].kid.c_str());
  CHECK(access.jwt_keys[0].algorithm == jackfield::access::Algorithm::kRs256);
  STRCMP_EQUAL("/etc/jackfield/a.pem", access.jwt_keys[0].file.c_str());
  STRCMP_EQUAL("", access.jwt_keys[1].kid.c_str());
  STRCMP_EQUAL("/etc/secret", access.jwt_keys[1].file.c_str());
  LONGS_EQUAL(2, access.rules.size());
  CHECK((access.rules[0].topics == std::vector<std::string>{"room:*", "user:<identity>"}));
  CHECK((access.rules[0].who == std::vector<std::string>{"known", "group:ops"}));
  CHECK((access.rules[1].may == std::vector<std::string>{"publish"}));
  using Tls = jackfield::net::TlsSettings;
  STRCMP_EQUAL("/etc/jackfield/server.pem", config.server.tls.certificate.c_str());
  STRCMP_EQUAL("/etc/ssl/private/server.key", config.server.tls.key.c_str());
  CHECK(config.server.tls.minimum_version == Tls::Version::k1_3);
  STRCMP_EQUAL("/etc/jackfield/../ca.pem", config.server.tls.client_ca.c_str());
  CHECK(config.server.tls.client_certificate == Tls::ClientCertificate::kRequired);
  LONGS_EQUAL(60, config.server.tls.hsts_max_age_s);
  CHECK(config.log_level == LogLevel::kDebug);
  STRCMP_EQUAL("/etc/jackfield/../lib/j", config.plugins.directory.c_str());
  CHECK((config.plugins.order == std::vector<std::string>{"echo", "lib.chat"}));
  STRCMP_EQUAL("/run/j", config.plugins.runtime_directory.c_str());
  CHECK_FALSE(config.watch);
  CHECK_FALSE(config.plugins.watch);
  CHECK(config.plugins.quiet == milliseconds(2));
  CHECK(config.plugins.scan_interval == milliseconds(60'000));
  CHECK(config.plugins.start_timeout == milliseconds(11'000));
  CHECK(config.plugins.drain_timeout == milliseconds(12));
  CHECK(config.plugins.stop_timeout == milliseconds(13'000));
  CHECK(config.plugins.callback_budget == milliseconds(1500));
  LONGS_EQUAL(0, config.plugins.crash_limit);
  CHECK(config.plugins.crash_window == milliseconds(86'400'000));
}

TEST(ConfigConfig, an_absolute_folder_stays_where_it_is) {
  STRCMP_EQUAL("/opt/p", parse_well("[plugins]\ndirectory = '/opt/p'").plugins.directory.c_str());
}

TEST(ConfigConfig, a_file_in_the_current_folder_has_relative_paths) {
  const Outcome outcome = parse("", "j.toml");
  STRCMP_EQUAL("plugins", outcome.config.plugins.directory.c_str());
}

TEST(ConfigConfig, a_plugin_gets_its_table_as_json_in_its_order) {
  const Config config = parse_well(
      "[plugin.echo]\n"
      "z = 9223372036854775807\n"
      "a = -9223372036854775808\n"
      "half = 0.5\n"
      "whole = 2.0\n"
      "big = 1e300\n"
      "third = 0.1\n"
      "yes = true\n"
      "hex = 0xff\n"
      "text = \"q\\\" b\\\\ n\\n t\\t u\\u0000\\u007f é\"\n"
      "day = 2026-11-23\n"
      "time = 04:05:06.5\n"
      "moment = 2026-11-23T04:05:06Z\n"
      "local = 2026-11-23 04:05:06\n"
      "list = [1, [], {k = \"v\"}]\n"
      "\"odd key\".b = 1\n"
      "[plugin.echo.sub]\n"
      "x = []\n"
      "[plugin.empty]\n");
  LONGS_EQUAL(2, config.plugins.tables.size());
  STRCMP_EQUAL("{}", config.plugins.tables.at("empty").c_str());
  STRCMP_EQUAL(
      R"({"z":9223372036854775807,"a":-9223372036854775808,"half":0.5,"whole":2.0,"big":1e+300,)"
      R"("third":0.1,"yes":true,"hex":255,"text":"q\" b\\ n\n t\t u\u0000\u007f é",)"
      R"("day":"2026-11-23","time":"04:05:06.5","moment":"2026-11-23T04:05:06Z",)"
      R"("local":"2026-11-23T04:05:06","list":[1,[],{"k":"v"}],"odd key":{"b":1},)"
      R"("sub":{"x":[]}})",
      config.plugins.tables.at("echo").c_str());
}

TEST(ConfigConfig, a_byte_order_mark_and_crlf_are_taken) {
  CHECK(parse_well("\xef\xbb\xbf[log]\r\nlevel = 'error'\r\n").log_level == LogLevel::kError);
}

TEST(ConfigConfig, a_file_with_a_mistake_changes_nothing) {
  const Outcome outcome = parse("[server]\nmax_connections = 7\npath = 7\n", "/etc/j.toml");
  CHECK(!outcome.is_ok());
  LONGS_EQUAL(100, outcome.config.limits.max_connections);
}

TEST(ConfigConfig, a_file_that_cannot_be_read_is_one_mistake) {
  const jackfield::test::TemporaryFolder folder;
  const std::string missing = (folder.path() / "no.toml").string();
  STRCMP_EQUAL((missing + ": cannot be read: No such file or directory\n").c_str(),
               all_mistakes(load(missing)).c_str());
  STRCMP_EQUAL((folder.path().string() + ": is a folder, must be a file\n").c_str(),
               all_mistakes(load(folder.path())).c_str());
}

TEST(ConfigConfig, a_pipe_is_not_read_again_and_not_waited_for) {
  const jackfield::test::TemporaryFolder folder;
  const std::filesystem::path pipe = folder.path() / "pipe";
  LONGS_EQUAL(0, ::mkfifo(pipe.c_str(), 0600));
  STRCMP_EQUAL((pipe.string() + ": is no regular file: what it says can be read only once, at the "
                                "start\n")
                   .c_str(),
               all_mistakes(load_again(pipe)).c_str());
  const std::string file = folder.write("j.toml", "[log]\nlevel = \"error\"\n").string();
  CHECK(load_again(file).config.log_level == LogLevel::kError);
  STRCMP_EQUAL((folder.path().string() + ": is a folder, must be a file\n").c_str(),
               all_mistakes(load_again(folder.path())).c_str());
}

TEST(ConfigConfig, a_file_of_more_than_1_MiB_is_not_read) {
  const jackfield::test::TemporaryFolder folder;
  std::string text = "#" + std::string(jackfield::config::kMaxFileOctets - 2, 'x') + "\n";
  const auto file = folder.write("big.toml", text);
  STRCMP_EQUAL("", all_mistakes(load(file)).c_str());
  text += "\n";
  folder.write("big.toml", text);
  STRCMP_EQUAL((file.string() + ": is larger than 1048576 octets\n").c_str(),
               all_mistakes(load(file)).c_str());
}
