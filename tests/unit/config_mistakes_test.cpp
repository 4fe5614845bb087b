// Bad configurations, and exactly what is said about each.
#include <string>

#include "core/config/config.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

struct Row {
  std::string text;
  std::string mistakes;  // one a line
};

void check_rows(const Row* rows, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::string lines;
    for (const auto& mistake : jackfield::config::parse(rows[i].text, "j.toml").mistakes) {
      if (!lines.empty()) lines += "\n";
      lines += to_text(mistake);
    }
    jackfield::test::check(lines == rows[i].mistakes, "for\n" + rows[i].text + "\nexpected\n" +
                                                          rows[i].mistakes + "\nbut got\n" + lines);
  }
}

template <std::size_t kCount>
void check_rows(const Row (&rows)[kCount]) {
  check_rows(rows, kCount);
}

}  // namespace

TEST_GROUP(ConfigMistakes){};

TEST(ConfigMistakes, numbers_and_their_bounds) {
  const Row rows[] = {
      {"[server]\nmax_connections = \"many\"",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is \"many\""},
      {"[server]\nmax_connections = 0",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is 0"},
      {"[server]\nmax_connections = 1000001",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is 1000001"},
      {"[server]\nmax_connections = -5",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is -5"},
      {"[server]\nmax_connections = 10.0",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is 10.0"},
      {"[server]\nmax_connections = [1]",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is a list"},
      {"[server]\nmax_connections = {}",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is a table"},
      {"[server]\nmax_connections = true",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is true"},
      {"[server]\nmax_connections = 2026-01-02",
       "j.toml:2:19: server.max_connections: must be an integer from 1 to 1000000, is the date or "
       "time 2026-01-02"},
      {"[server]\nmax_message_bytes = 1023",
       "j.toml:2:21: server.max_message_bytes: must be an integer from 1024 to 1073741824, is "
       "1023"},
      {"[server]\nmax_topic_bytes = 65537",
       "j.toml:2:19: server.max_topic_bytes: must be an integer from 1 to 65536, is 65537"},
      {"[server]\nmax_event_bytes = 0",
       "j.toml:2:19: server.max_event_bytes: must be an integer from 1 to 65536, is 0"},
      {"[server]\nmax_subscriptions = 0",
       "j.toml:2:21: server.max_subscriptions: must be an integer from 1 to 1000000, is 0"},
      {"[server]\nread_buffer_bytes = 127",
       "j.toml:2:21: server.read_buffer_bytes: must be an integer from 128 to 65536, or 0 for the "
       "default, is 127"},
      {"[server]\nread_buffer_bytes = 65537",
       "j.toml:2:21: server.read_buffer_bytes: must be an integer from 128 to 65536, or 0 for the "
       "default, is 65537"},
      {"[server]\nread_buffer_bytes = 0", ""},
      {"[server]\nread_buffer_bytes = true",
       "j.toml:2:21: server.read_buffer_bytes: must be an integer from 128 to 65536, or 0 for the "
       "default, is true"},
      {"[plugins]\ncrash_limit = 1001",
       "j.toml:2:15: plugins.crash_limit: must be an integer from 0 to 1000, is 1001"},
      {"[server]\nmax_messages_per_s = -1\nmax_subscribes_per_s = 1000001",
       "j.toml:2:22: server.max_messages_per_s: must be an integer from 0 to 1000000, is -1\n"
       "j.toml:3:24: server.max_subscribes_per_s: must be an integer from 0 to 1000000, is 1000001"},
      {"[server]\nmax_bytes_per_s = 1e3",
       "j.toml:2:19: server.max_bytes_per_s: must be an integer from 0 to 1073741824, is 1000.0"},
      {"[server]\nmax_json_depth = 0",
       "j.toml:2:18: server.max_json_depth: must be an integer from 1 to 1000000, is 0"},
      {"[server]\nmax_incoming_bytes = 1\nsoft_outbox_bytes = 1\nmax_outboxes_bytes = 1",
       "j.toml:2:22: server.max_incoming_bytes: must be an integer from 65536 to 1073741824, is 1\n"
       "j.toml:3:21: server.soft_outbox_bytes: must be an integer from 1024 to 1073741824, is 1\n"
       "j.toml:4:22: server.max_outboxes_bytes: must be an integer from 65536 to 1073741824, is 1"},
      {"[server]\nmax_outbox_bytes = 1",
       "j.toml:2:20: server.max_outbox_bytes: must be an integer from 1024 to 1073741824, is 1"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, seconds) {
  const Row rows[] = {
      {"[server]\nping_interval_s = -1",
       "j.toml:2:19: server.ping_interval_s: must be a number of seconds from 0.001 to 86400, or 0 "
       "for off, is -1"},
      {"[server]\nping_interval_s = 0.0001",
       "j.toml:2:19: server.ping_interval_s: must be a number of seconds from 0.001 to 86400, or 0 "
       "for off, is 1e-04"},
      {"[server]\nping_interval_s = nan",
       "j.toml:2:19: server.ping_interval_s: must be a number of seconds from 0.001 to 86400, or 0 "
       "for off, is nan"},
      {"[server]\nping_interval_s = \"30s\"",
       "j.toml:2:19: server.ping_interval_s: must be a number of seconds from 0.001 to 86400, or 0 "
       "for off, is \"30s\""},
      {"[server]\nping_timeout_s = 0",
       "j.toml:2:18: server.ping_timeout_s: must be a number of seconds from 0.001 to 86400, is 0"},
      {"[server]\nping_timeout_s = 86400.5",
       "j.toml:2:18: server.ping_timeout_s: must be a number of seconds from 0.001 to 86400, is "
       "86400.5"},
      {"[server]\nhandshake_timeout_s = inf",
       "j.toml:2:23: server.handshake_timeout_s: must be a number of seconds from 0.001 to 3600, "
       "is "
       "inf"},
      {"[server]\nclose_timeout_s = 3601",
       "j.toml:2:19: server.close_timeout_s: must be a number of seconds from 0.001 to 3600, is "
       "3601"},
      {"[server]\nshutdown_timeout_s = false",
       "j.toml:2:22: server.shutdown_timeout_s: must be a number of seconds from 0.001 to 3600, is "
       "false"},
      {"[plugins]\nquiet_s = 0",
       "j.toml:2:11: plugins.quiet_s: must be a number of seconds from 0.001 to 60, is 0"},
      {"[plugins]\nscan_interval_s = 86401",
       "j.toml:2:19: plugins.scan_interval_s: must be a number of seconds from 0.001 to 86400, or 0 "
       "for off, is 86401"},
      {"[plugins]\nstart_timeout_s = 0",
       "j.toml:2:19: plugins.start_timeout_s: must be a number of seconds from 0.001 to 3600, is 0"},
      {"[plugins]\ndrain_timeout_s = 0",
       "j.toml:2:19: plugins.drain_timeout_s: must be a number of seconds from 0.001 to 3600, is 0"},
      {"[plugins]\nstop_timeout_s = -1",
       "j.toml:2:18: plugins.stop_timeout_s: must be a number of seconds from 0.001 to 3600, is -1"},
      {"[plugins]\ncallback_budget_s = 3601",
       "j.toml:2:21: plugins.callback_budget_s: must be a number of seconds from 0.001 to 3600, is "
       "3601"},
      {"[plugins]\ncrash_window_s = 0",
       "j.toml:2:18: plugins.crash_window_s: must be a number of seconds from 0.001 to 86400, is 0"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, switches) {
  const Row rows[] = {
      {"[configuration]\nwatch = 1",
       "j.toml:2:9: configuration.watch: must be true or false, is 1"},
      {"[plugins]\nwatch = \"no\"", "j.toml:2:9: plugins.watch: must be true or false, is \"no\""},
      {"[plugins]\nallow_writable_by_others = 1",
       "j.toml:2:28: plugins.allow_writable_by_others: must be true or false, is 1"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, addresses_to_listen_on) {
  const Row rows[] = {
      {"[server]\nlisten = \"127.0.0.1:3001\"",
       "j.toml:2:10: server.listen: must be a list of strings such as \"127.0.0.1:3001\", "
       "\"[::1]:3001\", \"unix:/path\", is \"127.0.0.1:3001\""},
      {"[server]\nlisten = []",
       "j.toml:2:10: server.listen: must be a list of at least one address to listen on, is a "
       "list"},
      {"[server]\nlisten = [3001]",
       "j.toml:2:11: server.listen: must be a list of strings such as \"127.0.0.1:3001\", "
       "\"[::1]:3001\", \"unix:/path\", is 3001"},
      {"[server]\nlisten = [\n  \"127.0.0.1:1\",\n  \"localhost:1\",\n  \"nowhere\",\n]",
       "j.toml:4:3: server.listen: has \"localhost:1\" twice\n"
       "j.toml:5:3: server.listen: must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "
       "\"nowhere\""},
      {"[server]\nlisten = [\"[::1]:1\", \"[0::1]:1\"]",
       "j.toml:2:22: server.listen: has \"[0::1]:1\" twice"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, texts) {
  const Row rows[] = {
      {"[server]\npath = \"ws\"",
       "j.toml:2:8: server.path: must be \"\" for any path, or a path such as \"/ws\" without a "
       "query, is \"ws\""},
      {"[server]\npath = \"/ws?x\"",
       "j.toml:2:8: server.path: must be \"\" for any path, or a path such as \"/ws\" without a "
       "query, is \"/ws?x\""},
      {"[server]\npath = \"/a b\"",
       "j.toml:2:8: server.path: must be \"\" for any path, or a path such as \"/ws\" without a "
       "query, is \"/a b\""},
      {"[server]\npath = 1",
       "j.toml:2:8: server.path: must be \"\" for any path, or a path such as \"/ws\" without a "
       "query, is 1"},
      {"[server]\nforward_headers = [\"x-real-ip\", \"X-Real-IP\", \"a:\", \"\"]",
       "j.toml:2:33: server.forward_headers: has \"X-Real-IP\" twice\n"
       "j.toml:2:46: server.forward_headers: must be the name of a header, is \"a:\"\n"
       "j.toml:2:52: server.forward_headers: must be the name of a header, is \"\""},
      {"[server]\nunix_mode = 660",
       "j.toml:2:13: server.unix_mode: must be an octal mode in quotes such as \"0660\", is 660"},
      {"[server]\nunix_mode = \"0680\"",
       "j.toml:2:13: server.unix_mode: must be an octal mode in quotes such as \"0660\", is "
       "\"0680\""},
      {"[server]\nunix_mode = \"1777\"",
       "j.toml:2:13: server.unix_mode: must be an octal mode in quotes such as \"0660\", is "
       "\"1777\""},
      {"[server]\nunix_mode = \"66\"",
       "j.toml:2:13: server.unix_mode: must be an octal mode in quotes such as \"0660\", is \"66\""},
      {"[process]\nuser = 0",
       "j.toml:2:8: process.user: must be the name or number of a user, or \"\" for nobody, is 0"},
      {"[process]\nuser = \"-x\"",
       "j.toml:2:8: process.user: must be the name or number of a user, or \"\" for nobody, is "
       "\"-x\""},
      {"[process]\nuser = \"root:root\"",
       "j.toml:2:8: process.user: must be the name or number of a user, or \"\" for nobody, is "
       "\"root:root\""},
      {"[process]\ngroup = \"a b\"",
       "j.toml:2:9: process.group: must be the name or number of a group, or \"\" for the user's "
       "primary group, is \"a b\""},
      {"[process]\nuser = \"\"\ngroup = \"\"", ""},
      {"[log]\nlevel = \"loud\"",
       "j.toml:2:9: log.level: must be \"error\", \"warning\", \"info\" or \"debug\", is \"loud\""},
      {"[log]\nlevel = 3",
       "j.toml:2:9: log.level: must be \"error\", \"warning\", \"info\" or \"debug\", is 3"},
      {"[plugins]\ndirectory = \"\"",
       "j.toml:2:13: plugins.directory: must be the path of a folder, is \"\""},
      {"[plugins]\ndirectory = [\"a\"]",
       "j.toml:2:13: plugins.directory: must be the path of a folder, is a list"},
      {"[plugins]\nruntime_directory = \"a\\u0000b\"",
       "j.toml:2:21: plugins.runtime_directory: must be the path of a folder, or \"\" for the "
       "default, is \"a\\u0000b\""},
      {"[plugins]\norder = [\"echo\", \"echo\", \"chat.so\", \"/a\", 1]",
       "j.toml:2:18: plugins.order: has \"echo\" twice\n"
       "j.toml:2:26: plugins.order: must be written without \".so\", is \"chat.so\"\n"
       "j.toml:2:37: plugins.order: must be the name of a plugin's file without folder and "
       "\".so\", is \"/a\"\n"
       "j.toml:2:43: plugins.order: must be a list of plugin files without folder and \".so\", "
       "such "
       "as \"echo\", is 1"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, tls) {
  const Row rows[] = {
      {"[tls]\ncertificate = 1",
       "j.toml:2:15: tls.certificate: must be the path of a file, or \"\" for none, is 1"},
      {"[tls]\nminimum_version = '1.1'",
       "j.toml:2:19: tls.minimum_version: must be \"1.2\" or \"1.3\", is \"1.1\""},
      {"[tls]\nminimum_version = 1.3",
       "j.toml:2:19: tls.minimum_version: must be \"1.2\" or \"1.3\", is 1.3"},
      {"[tls]\nclient_certificate = true",
       "j.toml:2:22: tls.client_certificate: must be \"none\", \"optional\" or \"required\", is "
       "true"},
      {"[tls]\nclient_certificate = 'required\"'",
       "j.toml:2:22: tls.client_certificate: must be \"none\", \"optional\" or \"required\", is "
       "\"required\\\"\""},
      {"[tls]\nhsts_max_age_s = -1",
       "j.toml:2:18: tls.hsts_max_age_s: must be an integer from 0 to 315360000, is -1"},
      {"[server]\nlisten = ['tls:unix:/x']",
       "j.toml:2:11: server.listen: must be tls: and ADDRESS:PORT or [ADDRESS]:PORT; a Unix socket "
       "has no TLS, is \"tls:unix:/x\""},
      {"[server]\nlisten = ['tls:3443']",
       "j.toml:2:11: server.listen: must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "
       "\"tls:3443\""},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, backlog) {
  const std::string policies = "must be \"close\", \"drop_oldest\", \"drop_new\" or \"latest\"";
  const std::string topics =
      "must be a list of topics such as \"system:<metric>\", \"telemetry:*\"";
  const Row rows[] = {
      {"[[backlog]]\ntopics = [\"a:*\", \"b:<x>\"]\npolicy = \"latest\"", ""},
      {"[backlog]\ntopics = [\"a\"]",
       "j.toml:1:1: backlog: must be tables, [[backlog]], is a table"},
      {"backlog = [1]", "j.toml:1:12: backlog[0]: must be tables, [[backlog]], is 1"},
      {"[[backlog]]\ntopics = []\npolicy = \"newest\"",
       "j.toml:2:10: backlog[0].topics: " + topics + ", is a list\nj.toml:3:10: backlog[0].policy: " +
           policies + ", is \"newest\""},
      {"[[backlog]]\ntopics = [\"a:*:b\", \"<\"]\npolicy = \"close\"",
       "j.toml:2:11: backlog[0].topics: malformed pattern \"a:*:b\": * stands only as a last segment\n"
       "j.toml:2:20: backlog[0].topics: malformed pattern \"<\": \"<\" is neither a literal nor <name>"},
      {"[[backlog]]\npolicy = \"close\"\n[[backlog]]\ntopics = [\"a\"]\nsize = 1",
       "j.toml:1:1: backlog[0]: must have topics\n"
       "j.toml:3:1: backlog[1]: must have policy\n"
       "j.toml:5:8: backlog[1].size: unknown; there are topics and policy"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, who_may_connect) {
  const Row rows[] = {
      {"[server]\norigins = ['app.example']",
       "j.toml:2:12: server.origins: must be \"https://HOST\", \"https://HOST:PORT\", "
       "\"https://*.DOMAIN\", \"null\" or \"*\", is \"app.example\""},
      {"[server]\nmax_header_bytes = 20000",
       "j.toml:2:20: server.max_header_bytes: must be an integer from 1024 to 16384, is 20000"},
      {"[auth]\ntokens = 1",
       "j.toml:2:10: auth.tokens: must be the path of a file, or \"\" for none, is 1"},
      {"[auth]\ncookie = 'a b'",
       "j.toml:2:10: auth.cookie: must be the name of a cookie of at most 32 characters, or \"\" for "
       "none, is \"a b\""},
      {"[auth]\nrequired = true",
       "j.toml:2:12: auth.required: must be false where nothing says who anybody is: auth.tokens, "
       "[[jwt.keys]], tls.client_ca, auth.unix_peers"},
      {"[auth]\nrequired = true\ntokens = 't'", ""},
      {"[jwt]\nkeys = 'x'", "j.toml:2:8: jwt.keys: must be tables, [[jwt.keys]], is \"x\""},
      {"[[jwt.keys]]\nalgorithm = 'none'\nfile = 'k'",
       "j.toml:2:13: jwt.keys[0].algorithm: must be \"HS256\", \"RS256\" or \"ES256\", is \"none\""},
      {"[[jwt.keys]]\nalgorithm = 'HS256'\nfil = 'k'",
       "j.toml:1:1: jwt.keys[0]: must have file\n"
       "j.toml:3:7: jwt.keys[0].fil: unknown; there are kid, algorithm and file"},
      {"[jwt]\nkeys = [{kid='a', algorithm='HS256', file='k'}, {kid='a', algorithm='HS256', "
       "file='l'}]",
       "j.toml:2:8: jwt.keys: has the kid \"a\" twice"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, who_may_do_what) {
  const Row rows[] = {
      {"[access]\ntopics = ['a']", "j.toml:1:1: access: must be tables, [[access]], is a table"},
      {"[[acces]]\n", "j.toml:1:3: acces: unknown; did you mean [[access]]?"},
      {"[[access]]\ntopics = ['a']",
       "j.toml:1:1: access[0]: must have who\nj.toml:1:1: access[0]: must have may"},
      {"[[access]]\ntopics = ['a:']\nwho = ['alice']\nmay = ['join']",
       "j.toml:2:11: access[0].topics: must be a topic such as \"room:lab\", with <name> for any "
       "segment, <identity> for the one that is the client's own name, or * as the last for all the "
       "rest, is \"a:\"\n"
       "j.toml:3:8: access[0].who: must be \"anyone\", \"known\", \"group:NAME\", or an identity such "
       "as \"jwt:alice\" or \"token:*\", is \"alice\"\n"
       "j.toml:4:8: access[0].may: must be \"subscribe\", \"send\" or \"publish\", is \"join\""},
      {"[[access]]\ntopics = []\nwho = ['known']\nmay = ['send']",
       "j.toml:2:10: access[0].topics: must be a list of topics such as \"room:*\", is a list"},
      {"[[access]]\ntopics = ['*']\nwho = ['known']\nmay = ['send']\n[[access]]\ntopics = 1\n"
       "who = ['known']\nmay = ['send']",
       "j.toml:6:10: access[1].topics: must be a list of topics such as \"room:*\", is 1"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, a_long_text_is_cut_between_characters) {
  const std::string text = "[log]\nlevel = \"" + std::string(59, 'x') + "éy\"";
  const std::string expected =
      "j.toml:2:9: log.level: must be \"error\", \"warning\", \"info\" or \"debug\", is \"" +
      std::string(59, 'x') + "\"...";
  const Row rows[] = {{text, expected}};
  check_rows(rows);
}

TEST(ConfigMistakes, unknown_keys_suggest_the_near_one) {
  const Row rows[] = {
      {"[server]\nmax_connection = 5",
       "j.toml:2:1: server.max_connection: unknown; did you mean server.max_connections?"},
      {"[server]\nlsiten = []", "j.toml:2:1: server.lsiten: unknown; did you mean server.listen?"},
      {"[server]\nping_interval = 5",
       "j.toml:2:1: server.ping_interval: unknown; did you mean server.ping_interval_s?"},
      {"[log]\nlvl = \"info\"", "j.toml:2:1: log.lvl: unknown; [log] takes level"},
      {"[plugins]\nwhere = \"x\"",
       "j.toml:2:1: plugins.where: unknown; [plugins] takes directory, order, allow_writable_by_others, "
       "runtime_directory, watch, quiet_s, scan_interval_s, start_timeout_s, drain_timeout_s, "
       "stop_timeout_s, callback_budget_s, crash_limit and crash_window_s"},
      {"[configuration]\nwatched = true",
       "j.toml:2:1: configuration.watched: unknown; did you mean configuration.watch?"},
      {"[server]\nlevel = \"info\"", "j.toml:2:1: server.level: unknown; did you mean log.level?"},
      {"[log]\n\"odd key\" = 1", "j.toml:2:1: log.\"odd key\": unknown; [log] takes level"},
      {"server.listn = []", "j.toml:1:8: server.listn: unknown; did you mean server.listen?"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, unknown_tables) {
  const Row rows[] = {
      {"[sever]\nmax_connections = 0", "j.toml:1:2: sever: unknown; did you mean [server]?"},
      {"[plugns]\n", "j.toml:1:2: plugns: unknown; did you mean [plugins]?"},
      {"[nowhere]\n",
       "j.toml:1:2: nowhere: unknown; the tables are [server], [tls], [auth], [jwt], [process], "
       "[log], [configuration], [plugins], [[backlog]], [[access]] and [plugin.NAME]"},
      {"max_connections = 5",
       "j.toml:1:1: max_connections: unknown; did you mean server.max_connections?"},
      {"server = 3", "j.toml:1:10: server: must be a table, [server], is 3"},
      {"[[server]]\n", "j.toml:1:1: server: must be a table, [server], is a list"},
      {"plugin = 'echo'", "j.toml:1:10: plugin: must be tables, [plugin.NAME], is \"echo\""},
      {"[plugin]\ndirectory = 'x'",
       "j.toml:2:13: plugin.directory: must be the table of a plugin, [plugin.NAME], is \"x\"; did "
       "you mean plugins.directory?"},
      {"[plugin]\necho = 1",
       "j.toml:2:8: plugin.echo: must be the table of a plugin, [plugin.NAME], is 1"},
      {"[plugins.echo]\na = 1", "j.toml:1:10: plugins.echo: unknown; did you mean [plugin.echo]?"},
      {"[plugin.Echo]\n",
       "j.toml:1:9: plugin.Echo: a plugin has a name of 1 to 32 of a-z, 0-9, _ "
       "and -, a letter first"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, values_that_json_has_no_form_for) {
  const Row rows[] = {
      {"[plugin.echo]\na = nan\nb = [1, {c = -inf}]",
       "j.toml:2:5: plugin.echo.a: must be a finite number (plugins get JSON), is nan\n"
       "j.toml:3:14: plugin.echo.b[1].c: must be a finite number (plugins get JSON), is -inf"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, settings_that_do_not_go_together) {
  const Row rows[] = {
      {"[server]\nmax_outbox_bytes = 4194303",
       "j.toml:2:20: server.max_outbox_bytes: must be at least server.max_message_bytes (4194304), "
       "is 4194303"},
      {"[server]\nmax_message_bytes = 8388609",
       "j.toml:2:21: server.max_outbox_bytes: must be at least server.max_message_bytes (8388609), "
       "is 8388608 by default"},
      {"[server]\nmax_message_bytes = 1024\nmax_topic_bytes = 888",
       "j.toml:2:21: server.max_message_bytes: must be at least max_topic_bytes and "
       "max_event_bytes together, and 9 (1025), is 1024"},
      {"[server]\nmax_message_bytes = 1024\nmax_topic_bytes = 887", ""},
      {"[server]\nlisten = ['127.0.0.1:1', 'tls:[::]:2']",
       "j.toml:2:10: tls.certificate: must be set: server.listen has a listener with TLS\n"
       "j.toml:2:10: tls.key: must be set: server.listen has a listener with TLS"},
      {"[server]\nlisten = ['tls:[::]:2']\n[tls]\ncertificate = 'c'\nkey = ''",
       "j.toml:5:7: tls.key: must be set: server.listen has a listener with TLS"},
      {"[server]\nlisten = ['tls:[::]:2']\n[tls]\ncertificate = 'c'\nkey = 'k'\n"
       "client_certificate = 'optional'",
       "j.toml:2:10: tls.client_ca: must be set where tls.client_certificate is not \"none\""},
      {"[server]\nlisten = ['tls:[::]:2']\n[tls]\ncertificate = 'c'\nkey = 'k'\nclient_ca = 'a'",
       "j.toml:2:10: tls.client_certificate: must be \"optional\" or \"required\" where "
       "tls.client_ca is set, is \"none\""},
      {"[tls]\nclient_certificate = 'required'\nkey = 'k'", ""},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, all_are_said_in_the_order_of_the_file) {
  const Row rows[] = {
      {"[server]\npath = 1\nfoo = 2\nlisten = [1, 'x']\n[log]\nlevel = 'x'\n[nowhere]\n",
       "j.toml:2:8: server.path: must be \"\" for any path, or a path such as \"/ws\" without a "
       "query, is 1\n"
       "j.toml:3:1: server.foo: unknown; [server] takes listen, unix_mode, path, origins, "
       "max_connections, max_connections_per_address, ping_interval_s, ping_timeout_s, "
       "handshake_timeout_s, first_message_timeout_s, close_timeout_s, shutdown_timeout_s, "
       "max_header_bytes, max_message_bytes, max_topic_bytes, max_event_bytes, max_json_depth, "
       "max_incoming_bytes, max_messages_per_s, max_bytes_per_s, max_subscriptions, "
       "max_subscribes_per_s, soft_outbox_bytes, max_outbox_bytes, max_outboxes_bytes, "
       "read_buffer_bytes and forward_headers\n"
       "j.toml:4:11: server.listen: must be a list of strings such as \"127.0.0.1:3001\", "
       "\"[::1]:3001\", \"unix:/path\", is 1\n"
       "j.toml:4:14: server.listen: must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is \"x\"\n"
       "j.toml:6:9: log.level: must be \"error\", \"warning\", \"info\" or \"debug\", is \"x\"\n"
       "j.toml:7:2: nowhere: unknown; the tables are [server], [tls], [auth], [jwt], [process], "
       "[log], [configuration], [plugins], [[backlog]], [[access]] and [plugin.NAME]"},
  };
  check_rows(rows);
}

TEST(ConfigMistakes, text_that_is_not_toml) {
  const Row rows[] = {
      {"[server]\nmax = \n",
       "j.toml:2:7: not TOML: Error while parsing key-value pair: expected value, saw '\\n'"},
      {"[server\n",
       "j.toml:1:8: not TOML: Error while parsing table header: expected ']', saw '\\n'"},
      {"a = 1\na = 2\n",
       "j.toml:2:5: not TOML: Error while parsing key-value pair: cannot redefine existing integer "
       "'a'"},
      {"a = \"\xff\"\n", "j.toml:1:5: not TOML: Encountered invalid utf-8 sequence"},
      {"a = 99999999999999999999",
       "j.toml:1:25: not TOML: Error while parsing decimal integer: '99999999999999999999' is not "
       "representable in 64 bits"},
      // What toml++ saw was a line's end; a mistake is one line.
      {"a = na\n",
       "j.toml:1:7: not TOML: Error while parsing floating-point: expected 'nan', saw 'na '"},
  };
  check_rows(rows);
}

// toml++ frees a table of many parts by recursion, and would run off the stack.
TEST(ConfigMistakes, a_long_key_does_not_hide_behind_a_string) {
  std::string key;
  for (int i = 0; i < 200'000; ++i) key += "a.";
  for (const std::string string :
       {R"("\"")", R"("\\")", R"("")", R"('\')", R"('"')", "\"\"\"it's\n it's\"\"\"",
        R"("""a\"""""")", R"("""""")", R"("""""""")", R"('''\'"''')", R"('''a''''')"}) {
    const auto mistakes =
        jackfield::config::parse("x = { b = " + string + ", " + key + "a = 1 }\n", "j.toml").mistakes;
    LONGS_EQUAL(1, mistakes.size());
    STRCMP_EQUAL("a dotted key may have at most 100 parts", mistakes.front().message.c_str());
  }
}

TEST(ConfigMistakes, nesting_that_would_run_off_the_stack) {
  std::string dots;
  for (int i = 0; i < 200'000; ++i) dots += "a.";
  std::string lists = "[plugin.echo]\nx = " + std::string(62, '[') + std::string(62, ']');
  std::string deeper = "[plugin.echo]\nx = " + std::string(63, '[') + std::string(63, ']');
  const Row rows[] = {
      {dots, "j.toml:1:200: a dotted key may have at most 100 parts"},
      {lists, ""},
      {deeper, "j.toml:2:67: values may be nested at most 64 levels deep"},
      {"# " + std::string(200, '.') + "\n[plugin.echo]\nx = '" + std::string(200, '.') + "'", ""},
      {"[plugin.echo]\nx = \"" + std::string(50000, '[') + "\"", ""},
  };
  check_rows(rows);
}
