// Another configuration for a running server, by SIGHUP: what changes live, what waits for a start,
// and what a bad file does. (configuration_watch_test.cpp: without SIGHUP;
// reconfigured_plugins_test.cpp: the settings of plugins, and their tables.)
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "tests/support/json.hpp"
#include "tests/support/reconfiguration_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Reconfiguration, ReconfigurationGroup) {
  void expect_full(Where where = Where::here()) {
    connect({}, where).expect_closed(1008, "Server at maximum capacity", true, where);
  }

  std::string error_of(WsClient& client, const std::string& topic, const std::string& event,
                       const std::string& on, Where where = Where::here()) {
    client.send_text("[\"" + topic + "\",\"" + event + "\",null]", where);
    return string_member(payload_of(client.receive(where), on, "error", where), "code", where);
  }
};

// ---- the log

TEST(Reconfiguration, the_level_of_the_log_changes) {
  begin({.plugins = {"logs"}, .log_level = ""});
  WsClient a = connect();
  a.request(R"(["logs","log",null])");
  options.tables += "[log]\nlevel = \"debug\"\n";
  change("log.level");
  a.request(R"(["logs","log",null])");
  server().wait_for_log({"level=debug", "a debug line"});
  LONGS_EQUAL(1, count({"a debug line"}));
  options.tables.replace(options.tables.find("debug"), 5, "error");
  change("log.level");
  a.request(R"(["logs","log",null])");
  server().wait_for_logs(3, {"an error line"});
  LONGS_EQUAL(2, count({"a warning line"}));
  LONGS_EQUAL(1, count({"a debug line"}));
}

// ---- limits

TEST(Reconfiguration, fewer_connections_close_nobody_and_as_many_as_at_the_start_are_taken_again) {
  begin({.plugins = {"echo"}, .server = "max_connections = 3"});
  WsClient a = connect();
  WsClient b = connect();
  options.server = "max_connections = 1";
  change("server.max_connections");
  expect_full();
  a.expect_nothing();
  b.expect_nothing();
  options.server = "max_connections = 3";
  change("server.max_connections");
  WsClient c = connect();
  c.expect_nothing();
  expect_full();
  LONGS_EQUAL(0, count({"takes effect at the next start"}));
}

TEST(Reconfiguration, more_connections_than_at_the_start_wait_for_the_next) {
  begin({.plugins = {"echo"}, .server = "max_connections = 2"});
  options.server = "max_connections = 1";
  change("server.max_connections");
  options.server = "max_connections = 4000";
  change("server.max_connections");
  server().wait_for_log({"level=warning", "takes effect at the next start",
                         "key=server.max_connections now=2 then=4000"});
  WsClient a = connect();
  WsClient b = connect();
  b.expect_nothing();
  expect_full();
}

TEST(Reconfiguration, the_size_of_messages_changes) {
  begin({.plugins = {"echo"}, .server = "max_message_bytes = 4096"});
  WsClient a = connect();
  const auto sized = [](std::size_t size) {
    const std::string head = R"(["echo:l","echo",")";
    return head + std::string(size - head.size() - 2, 'x') + "\"]";
  };
  a.send_text(sized(4096));
  a.receive();
  options.server = "max_message_bytes = 5000";
  change("server.max_message_bytes");
  a.send_text(sized(5000));
  a.receive();
  options.server = "max_message_bytes = 2048";
  change("server.max_message_bytes");
  a.send_text(sized(2048));
  a.receive();
  a.send_text(sized(2049));
  a.expect_closed(1009);
}

TEST(Reconfiguration, the_lengths_of_names_change) {
  begin({.plugins = {"echo"}, .server = "max_topic_bytes = 8\nmax_event_bytes = 9"});
  WsClient a = connect();
  a.send_text(R"(["echo:abc","subscribe",null])");
  a.receive();
  a.receive();
  STRCMP_EQUAL("INVALID_PAYLOAD", error_of(a, "echo:abcd", "echo", "error").c_str());
  options.server = "max_topic_bytes = 9\nmax_event_bytes = 9";
  change("server.max_topic_bytes");
  a.send_text(R"(["echo:abcd","echo",1])");
  a.expect(R"(["echo:abcd","echoed",1])");
  options.server = "max_topic_bytes = 6\nmax_event_bytes = 4";
  change("server.max_topic_bytes,server.max_event_bytes");
  STRCMP_EQUAL("INVALID_PAYLOAD", error_of(a, "echo:abc", "echo", "error").c_str());
  STRCMP_EQUAL("INVALID_PAYLOAD", error_of(a, "echo:a", "echos", "error").c_str());
  a.send_text(R"(["echo:a","echo",1])");
  a.expect(R"(["echo:a","echoed",1])");
}

TEST(Reconfiguration, fewer_subscriptions_end_none) {
  begin({.plugins = {"leaves"}, .server = "max_subscriptions = 2"});
  WsClient a = connect();
  for (const char* topic : {"leaves:1", "leaves:2"}) {
    a.send_text("[\"" + std::string(topic) + "\",\"subscribe\",null]");
    a.receive();
  }
  STRCMP_EQUAL("LIMIT_EXCEEDED", error_of(a, "leaves:3", "subscribe", "leaves:3").c_str());
  options.server = "max_subscriptions = 1";
  change("server.max_subscriptions");
  a.expect_nothing();
  LONGS_EQUAL(0, count({"somebody left"}));
  STRCMP_EQUAL("LIMIT_EXCEEDED", error_of(a, "leaves:3", "subscribe", "leaves:3").c_str());
  options.server = "max_subscriptions = 3";
  change("server.max_subscriptions");
  a.send_text(R"(["leaves:3","subscribe",null])");
  a.expect(R"(["leaves:3","subscribed",{}])");
}

TEST(Reconfiguration, what_may_wait_for_a_slow_consumer_changes) {
  const std::string small = "close_timeout_s = 0.5\nmax_message_bytes = 65536\nmax_outbox_bytes = ";
  begin({.plugins = {"flood"}, .server = small + "67108864"});
  WsClient slow = connect({.receive_buffer = 4096});
  slow.send_text(R"(["flood:all","subscribe",null])");
  slow.expect(R"(["flood:all","subscribed",{}])");
  WsClient caller = connect();
  caller.send_text(R"(["flood:watch","subscribe",null])");
  caller.receive();
  caller.send_text(R"(["flood:x","all",400])");
  caller.expect(R"(["flood:watch","flooded",[400,1]])");
  options.server = small + "65536";
  change("server.max_outbox_bytes");
  caller.expect_nothing();
  LONGS_EQUAL(0, count({"slow consumer closed"}));
  // The next message is one too many.
  caller.send_text(R"(["flood:x","all",1])");
  caller.expect(R"(["flood:watch","flooded",[1,1]])");
  server().wait_for_log({"level=info", "slow consumer closed"});
}

// ---- the network's settings

TEST(Reconfiguration, the_path_changes_for_those_who_come) {
  begin({.plugins = {"echo"}, .server = "path = \"/old\""});
  WsClient a = connect({.path = "/old"});
  options.server = "path = \"/new\"";
  change("server.path");
  WsClient b = connect({.path = "/new"});
  b.expect_nothing();
  const std::string old = Handshake{.path = "/old"}.request();
  LONGS_EQUAL(404, http_request(server().addresses().at(0), old).status);
  a.expect_nothing();
}

TEST(Reconfiguration, headers_are_forwarded_for_those_who_come) {
  begin({.plugins = {"facts"}});
  const Handshake handshake{.headers = {"X-Team: red"}};
  WsClient a = connect(handshake);
  options.server = "forward_headers = [\"X-Team\"]";
  change("server.forward_headers");
  WsClient b = connect(handshake);
  const auto team = [](WsClient& client) {
    return string_member(payload_of(client.request(R"(["facts","tell",null])"), "facts", "facts"),
                         "x-team");
  };
  STRCMP_EQUAL("", team(a).c_str());
  STRCMP_EQUAL("red", team(b).c_str());
}

TEST(Reconfiguration, pings_begin_for_those_who_are_there) {
  begin({.plugins = {"echo"}, .server = "ping_interval_s = 0\nping_timeout_s = 3600"});
  WsClient a = connect();
  a.expect_nothing();
  options.server = "ping_interval_s = 0.05\nping_timeout_s = 3600";
  change("server.ping_interval_s");
  for (int i = 0; i < 3; ++i) {
    const Frame ping = a.receive_frame();
    CHECK_TRUE(ping.opcode == Opcode::kPing);
    a.send_frame(Opcode::kPong, ping.payload);
  }
  a.send_text(R"(["echo:a","echo",1])");
  a.expect(R"(["echo:a","echoed",1])");
}

TEST(Reconfiguration, pings_end_for_those_who_are_there) {
  begin({.plugins = {"timers"}, .server = "ping_interval_s = 0.02\nping_timeout_s = 3600"});
  WsClient a = connect();
  Frame ping = a.receive_frame();
  CHECK_TRUE(ping.opcode == Opcode::kPing);
  options.server = "ping_interval_s = 0\nping_timeout_s = 3600";
  change("server.ping_interval_s");
  a.send_frame(Opcode::kPong, ping.payload);
  a.send_text(R"(["timers:watch","subscribe",null])");
  a.receive();
  a.send_text(R"(["timers:watch","order",null])");
  for (int i = 0; i < 3; ++i) CHECK_TRUE(a.receive_frame().opcode == Opcode::kText);
}

// A server that was itself held up asks once more, so there may be further pings before the end.
void expect_given_up(WsClient& client) {
  while (const auto frame = client.receive_frame_or_end()) {
    CHECK_TRUE(frame->opcode == Opcode::kPing);
  }
}

TEST(Reconfiguration, who_did_not_answer_a_ping_is_given_up_after_the_new_time) {
  begin({.plugins = {"echo"}, .server = "ping_interval_s = 0.05\nping_timeout_s = 3600"});
  WsClient silent = connect();
  CHECK_TRUE(silent.receive_frame().opcode == Opcode::kPing);
  options.server = "ping_interval_s = 0.05\nping_timeout_s = 0.05";
  change("server.ping_timeout_s");
  expect_given_up(silent);
  server().wait_for_log({"connection lost: no answer to pings"});
}

TEST(Reconfiguration, nobody_is_given_up_who_was_not_asked) {
  begin({.plugins = {"echo"}, .server = "ping_interval_s = 0"});
  WsClient silent = connect();
  silent.expect_nothing();
  options.server = "ping_interval_s = 0.001\nping_timeout_s = 0.001";
  change("server.ping_interval_s,server.ping_timeout_s");
  CHECK_TRUE(silent.receive_frame().opcode == Opcode::kPing);
  expect_given_up(silent);
}

TEST(Reconfiguration, the_time_for_handshakes_changes_for_those_under_way) {
  begin({.plugins = {"echo"}, .server = "handshake_timeout_s = 3600"});
  Stream silent(server().addresses().at(0));
  WsClient behind = connect();  // so the silent one was accepted before
  options.server = "handshake_timeout_s = 0.05";
  change("server.handshake_timeout_s");
  std::string bytes;
  while (silent.receive(bytes, Where::here())) {
  }
  CHECK(bytes.starts_with("HTTP/1.1 408 "));
  server().wait_for_log({"handshake cut", "timed out"});
  behind.expect_nothing();
}

TEST(Reconfiguration, the_time_for_closes_changes) {
  begin({.plugins = {"echo"}, .server = "close_timeout_s = 3600"});
  WsClient a = connect();
  options.server = "close_timeout_s = 0.05";
  change("server.close_timeout_s");
  a.send_bytes(frame_bytes(Opcode::kText, "[\"\xff\"]"));
  const Frame close = a.receive_frame();
  CHECK_TRUE(close.payload.starts_with(close_payload(1007)));
  a.expect_gone();
}

TEST(Reconfiguration, the_time_for_the_shutdown_changes) {
  begin({.plugins = {"echo"}, .server = "shutdown_timeout_s = 3600\nclose_timeout_s = 3600"});
  WsClient mute = connect();
  mute.expect_nothing();
  options.server = "shutdown_timeout_s = 0.05\nclose_timeout_s = 3600";
  change("server.shutdown_timeout_s");
  server().process().signal(SIGTERM);
  server().wait_for_log({"shutdown timed out"});
  server().expect_clean_end();
}

// ---- what takes a start

TEST(Reconfiguration, what_takes_a_start_is_said_with_its_values_each_time) {
  begin({.plugins = {"echo"}, .listen = {"127.0.0.1:0"}, .has_rates = true});
  const TemporaryFolder elsewhere;
  const std::string folder = elsewhere.path().string();
  write("[server]\nlisten = [\"[::1]:7\"]\n[plugins]\ndirectory = \"" + folder +
        "\"\nruntime_directory = \"" + folder + "\"\n" + kUnwatched);
  for (std::size_t i = 1; i <= 2; ++i) {
    STRCMP_CONTAINS("nothing in it has changed", hang_up().c_str());
    server().wait_for_logs(i, {"level=warning msg=\"takes effect at the next start\"",
                               "key=server.listen now=\"[\\\"127.0.0.1:0\\\"]\" "
                               "then=\"[\\\"[::1]:7\\\"]\""});
    server().wait_for_logs(i, {"next start", "key=plugins.directory", "then=\"\\\"" + folder});
    server().wait_for_logs(i, {"next start", "key=plugins.runtime_directory now=\"\\\"\\\"\""});
  }
  WsClient a = connect();
  a.send_text(R"(["echo:a","echo",1])");
  a.expect(R"(["echo:a","echoed",1])");
  LONGS_EQUAL(6, count({"next start"}));
}

// ---- bad files

TEST(Reconfiguration, a_bad_file_changes_nothing_and_says_every_mistake_with_its_place) {
  begin({.plugins = {"echo"}, .server = "max_connections = 2"});
  const std::string good = configuration_text(server().folder(), options);
  write("[server]\nmax_connections = 1\nmax_conections = 5\npath = 7\n[log]\nlevel = \"debug\"\n");
  const std::string line = hang_up();
  STRCMP_CONTAINS("level=error msg=\"configuration not changed\"", line.c_str());
  STRCMP_CONTAINS("mistakes=2", line.c_str());
  server().wait_for_log({"level=error msg=\"mistake in the configuration\"",
                         "jackfield.toml:3:1: server.max_conections: unknown; did you mean "
                         "server.max_connections?"});
  server().wait_for_log({"level=error msg=\"mistake in the configuration\"",
                         "jackfield.toml:4:8: server.path: must be"});
  WsClient a = connect();
  WsClient b = connect();
  b.expect_nothing();
  expect_full();
  LONGS_EQUAL(0, count({"level=debug"}));
  write(good);
  STRCMP_CONTAINS("nothing in it has changed", hang_up().c_str());
}

TEST(Reconfiguration, a_mended_file_is_taken) {
  begin({.plugins = {"echo"}});
  write("[server]\nmax_connections = = 1\n");
  STRCMP_CONTAINS("not changed", hang_up().c_str());
  server().wait_for_log({"mistake in the configuration", "jackfield.toml:2:"});
  options.server = "max_connections = 1";
  change("server.max_connections");
  WsClient a = connect();
  a.expect_nothing();
  expect_full();
}

TEST(Reconfiguration, of_very_many_mistakes_the_first_are_said) {
  begin({.plugins = {"echo"}});
  std::string text = "[server]\n";
  for (int i = 0; i < 500; ++i) text += "x" + std::to_string(i) + " = 1\n";
  write(text);
  STRCMP_CONTAINS("mistakes=500", hang_up().c_str());
  LONGS_EQUAL(20, count({"mistake in the configuration"}));
  STRCMP_CONTAINS("mistakes=500", hang_up().c_str());
  LONGS_EQUAL(40, count({"mistake in the configuration"}));
}

TEST(Reconfiguration, a_file_that_is_gone_changes_nothing) {
  begin({.plugins = {"echo"}, .server = "max_connections = 1"});
  const std::filesystem::path file = server().folder().path() / "jackfield.toml";
  std::filesystem::remove(file);
  STRCMP_CONTAINS("level=error msg=\"configuration not changed\"", hang_up().c_str());
  server().wait_for_log({"level=error", "jackfield.toml: cannot be read: No such file"});
  std::filesystem::create_directory(file);
  STRCMP_CONTAINS("level=error msg=\"configuration not changed\"", hang_up().c_str());
  server().wait_for_log({"level=error", "jackfield.toml: is a folder, must be a file"});
  WsClient a = connect();
  a.expect_nothing();
  expect_full();
  std::filesystem::remove(file);
  expect_unchanged();
}

// ---- where it comes from

TEST(Reconfiguration, the_same_file_changes_nothing_and_says_so) {
  begin({.plugins = {"echo"}, .tables = "[plugin.echo]\nx = 1\n"});
  expect_unchanged();
  options.tables += "# a remark\n";
  expect_unchanged();
  LONGS_EQUAL(0, count({"next start"}));
}

TEST(Reconfiguration, the_command_line_wins_as_at_the_start) {
  const TemporaryFolder elsewhere;
  std::filesystem::copy_file(built_plugin("echo"), elsewhere.path() / "echo.so");
  begin({.listen = {"127.0.0.1:1"},
         .arguments = {"--listen", "127.0.0.1:0", "--plugins", elsewhere.path().string()},
         .log_level = "info"});
  options.listen = {"127.0.0.1:2", "[::1]:3"};
  options.loading = "order = []";
  options.tables += "[log]\nlevel = \"debug\"\n";
  std::string text = configuration_text(server().folder(), options);
  text.replace(text.find("/plugins\""), 9, "/nowhere\"");
  write(text);
  STRCMP_CONTAINS("nothing in it has changed", hang_up().c_str());
  LONGS_EQUAL(0, count({"next start"}));
  WsClient a = connect();
  a.send_text(R"(["echo:a","echo",1])");
  a.expect(R"(["echo:a","echoed",1])");
  LONGS_EQUAL(0, count({"level=debug"}));
}

TEST(Reconfiguration, a_file_that_was_moved_there_is_read) {
  begin({.plugins = {"echo"}});
  options.server = "max_connections = 1";
  const std::filesystem::path made =
      server().folder().write("new", configuration_text(server().folder(), options));
  std::filesystem::rename(made, server().folder().path() / "jackfield.toml");
  STRCMP_CONTAINS("keys=server.max_connections", hang_up().c_str());
}

TEST(Reconfiguration, a_pipe_is_not_waited_for) {
  begin({.plugins = {"echo"}});
  const std::filesystem::path file = server().folder().path() / "jackfield.toml";
  std::filesystem::remove(file);
  LONGS_EQUAL(0, ::mkfifo(file.c_str(), 0600));
  STRCMP_CONTAINS("level=error msg=\"configuration not changed\"", hang_up().c_str());
  server().wait_for_log({"level=error", "is no regular file"});
  WsClient a = connect();
  a.expect_nothing();
}

TEST(Reconfiguration, many_signals_leave_the_last_file_in_force) {
  begin({.plugins = {"echo"}});
  const auto move_there = [this] {  // so it is whole at any time
    const std::filesystem::path made =
        server().folder().write("new", configuration_text(server().folder(), options));
    std::filesystem::rename(made, server().folder().path() / "jackfield.toml");
  };
  for (int i = 1; i <= 50; ++i) {
    options.server = "max_subscriptions = " + std::to_string(i);
    move_there();
    for (int j = 0; j < 4; ++j) server().process().signal(SIGHUP);
  }
  options.server += "\nmax_topic_bytes = 500";
  move_there();
  server().process().signal(SIGHUP);
  server().wait_for_log({"configuration changed", "server.max_topic_bytes"});
  CHECK_TRUE(count({"msg=\"configuration "}) <= 201);
  WsClient a = connect();
  for (int i = 0; i < 50; ++i) {
    a.send_text("[\"echo:" + std::to_string(i) + "\",\"subscribe\",null]");
    a.receive();
    a.receive();
  }
  STRCMP_EQUAL("LIMIT_EXCEEDED", error_of(a, "echo:50", "subscribe", "echo:50").c_str());
}

// ---- SIGHUP by itself

TEST(Reconfiguration, signals_do_not_disturb_clients) {
  begin({.plugins = {"echo"}});
  WsClient a = connect();
  for (int i = 0; i < 20; ++i) {
    server().process().signal(SIGHUP);
    a.send_text("[\"echo:a\",\"echo\"," + std::to_string(i) + "]");
    a.expect("[\"echo:a\",\"echoed\"," + std::to_string(i) + "]");
  }
}

TEST(Reconfiguration, a_signal_while_it_stops_neither_ends_it_nor_is_answered) {
  begin({.plugins = {"echo"}, .server = "shutdown_timeout_s = 3600\nclose_timeout_s = 3600"});
  WsClient a = connect();
  a.expect_nothing();
  server().process().signal(SIGTERM);
  const Frame close = a.receive_frame();
  CHECK_TRUE(close.opcode == Opcode::kClose);
  for (int i = 0; i < 3; ++i) server().process().signal(SIGHUP);
  a.send_frame(Opcode::kClose, close.payload.substr(0, 2));
  server().expect_clean_end();
  LONGS_EQUAL(0, count({"msg=\"configuration "}));
}

TEST_GROUP(SighupAlone) {
  TemporaryFolder folder;

  void expect_clean_end(ChildProcess& process, Where where = Where::here()) {
    process.signal(SIGTERM);
    const std::optional<Ending> ending = process.wait();
    check(ending.has_value() && ending->code == 0, process.errors(), where);
  }
};

TEST(SighupAlone, without_a_configuration_file_says_so) {
  ChildProcess process({jackfield_executable(), "--listen", "127.0.0.1:0", "--plugins",
                        folder.path().string()});
  CHECK_TRUE(process.wait_for_output({"ready"}).has_value());
  process.signal(SIGHUP);
  CHECK_TRUE(process.wait_for_error({"level=info", "there is no configuration file"}).has_value());
  expect_clean_end(process);
}

TEST(SighupAlone, does_not_read_a_pipe_again) {
  const std::filesystem::path pipe = folder.path() / "pipe";
  LONGS_EQUAL(0, ::mkfifo(pipe.c_str(), 0600));
  ChildProcess process({jackfield_executable(), "--config", pipe.string()});
  std::ofstream(pipe) << "[server]\nlisten = [\"127.0.0.1:0\"]\n";
  CHECK_TRUE(process.wait_for_output({"ready"}).has_value());
  process.signal(SIGHUP);
  CHECK_TRUE(process.wait_for_error({"level=error", "pipe: is no regular file"}).has_value());
  CHECK_TRUE(process.wait_for_error({"level=error", "configuration not changed"}).has_value());
  expect_clean_end(process);
}

TEST(SighupAlone, during_the_start_is_answered_after_it) {
  const std::filesystem::path go = folder.path() / "go";
  const std::filesystem::path file = write_configuration(
      folder, {.plugins = {"restarts"},
               .tables = "[configuration]\nwatch = false\n[plugin.restarts]\nstart_waits = \"" +
                         go.string() + "\"\n"});
  ChildProcess process({jackfield_executable(), "--config", file.string()});
  CHECK_TRUE(process.wait_for_error({"it starts"}).has_value());
  process.signal(SIGHUP);
  folder.write("go", "");
  CHECK_TRUE(process.wait_for_error({"configuration read again"}).has_value());
  CHECK_TRUE(process.wait_for_output({"ready"}).has_value());
  expect_clean_end(process);
}

}  // namespace
