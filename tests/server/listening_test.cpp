// Where the server listens, what it says at the start, and why it does not start.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

bool has_ipv6() {
  const int probe = socket(AF_INET6, SOCK_STREAM, 0);
  if (probe < 0) return false;
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_addr = in6addr_loopback;
  const bool bound = bind(probe, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
  close(probe);
  return bound;
}

TEST_GROUP_BASE(Listening, ServerGroup) {
  void expect_served(const Address& address, Where where = Where::here()) {
    WsClient client(address, {}, where);
    client.send_text(R"(["echo:a","echo",1])", where);
    client.expect(R"(["echo:a","echoed",1])", where);
    client.close(1000, "", where);
  }

  // A start that must fail: with code 3 and one line on standard error that holds `part`.
  void expect_no_start(const ServerOptions& options, std::string_view part,
                       Where where = Where::here()) {
    const TemporaryFolder folder;
    const std::string configuration = write_configuration(folder, options).string();
    std::vector<std::string> command{jackfield_executable(), "--config", configuration};
    command.insert(command.end(), options.arguments.begin(), options.arguments.end());
    const Finished finished = run_program(command, where);
    check(finished.ending.code == 3, finished.ending.text() + ": " + finished.errors, where);
    check(count_lines(finished.errors, {"jackfield: "}) == 1, finished.errors, where);
    check(count_lines(finished.errors, {"jackfield: ", part}) == 1, finished.errors, where);
    check(finished.output.find("ready") == std::string::npos, finished.output, where);
  }
};

TEST(Listening, says_at_the_start_what_it_serves) {
  start({.plugins = {"echo", "params"}});
  const std::string said = server().process().output();
  CHECK_TRUE(said.starts_with("jackfield "));
  CHECK_TRUE(count_lines(said, {"listening  ws://127.0.0.1:"}) == 1);
  CHECK_TRUE(count_lines(said, {"plugin     echo 1.0.0  echo:<name>"}) == 1);
  CHECK_TRUE(count_lines(said, {"plugin     params 1.2.3  ", "reasoning:<sessionId>",
                                "two:<first>:of:<second>"}) == 1);
  CHECK_TRUE(count_lines(said, {"try        ", " watch --url " + server().url()}) == 1);
  CHECK_TRUE(said.ends_with("ready\n"));
}

TEST(Listening, what_it_says_to_try_works) {
  start({.plugins = {"echo"}});
  const std::string said = server().process().output();
  const std::size_t begin = said.find("try        ") + 11;
  const std::string line = said.substr(begin, said.find('\n', begin) - begin);
  ChildProcess shell({"/bin/sh", "-c", "exec " + line});
  // It shows the confirmation of its subscription.
  CHECK_TRUE(shell.wait_for_output({"subscribed"}).has_value());
  shell.signal(SIGTERM);
  CHECK_TRUE(shell.wait().has_value());
}

TEST(Listening, several_addresses_at_once) {
  start({.plugins = {"echo"}, .listen = {"127.0.0.1:0", "127.0.0.2:0"}});
  LONGS_EQUAL(2, server().addresses().size());
  for (const Address& address : server().addresses()) expect_served(address);
}

TEST(Listening, the_command_line_replaces_the_configured_addresses) {
  start({.plugins = {"echo"},
         .listen = {"192.0.2.1:1"},
         .arguments = {"--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0"}});
  LONGS_EQUAL(2, server().addresses().size());
  for (const Address& address : server().addresses()) expect_served(address);
}

TEST(Listening, on_ipv6) {
  if (!has_ipv6()) {
    std::printf("SKIPPED: this machine has no IPv6\n");
    return;
  }
  start({.plugins = {"echo", "facts"}, .listen = {"[::1]:0"}});
  CHECK_TRUE(count_lines(server().process().output(), {"listening  ws://[::1]:"}) == 1);
  expect_served(server().addresses().at(0));
  converse(R"(
    A > ["facts","show",null]
    A < ["facts","facts",{"is_local":1,"peer":"::1","identity":"","path":"/","query":"","x-team":"","x-hidden":""}]
  )");
}

TEST(Listening, on_a_unix_socket) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "socket").string();
  start(
      {.plugins = {"echo", "facts"}, .server = kDoesNotWaitForCloses, .listen = {"unix:" + path}});
  CHECK_TRUE(count_lines(server().process().output(), {"listening  unix:" + path}) == 1);
  expect_served(server().addresses().at(0));
  WsClient a = connect();
  a.send_text(R"(["facts","show",null])");
  a.expect(
      R"(["facts","facts",{"is_local":1,"peer":"unix","identity":"","path":"/","query":"","x-team":"","x-hidden":""}])");
  server().stop();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST(Listening, on_a_unix_socket_and_a_port) {
  const TemporaryFolder folder;
  start({.plugins = {"echo"},
         .listen = {"127.0.0.1:0", "unix:" + (folder.path() / "socket").string()}});
  LONGS_EQUAL(2, server().addresses().size());
  for (const Address& address : server().addresses()) expect_served(address);
}

TEST(Listening, a_socket_left_by_a_dead_server_is_taken_over) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "socket").string();
  start({.plugins = {"echo"}, .listen = {"unix:" + path}});
  server().process().signal(SIGKILL);
  CHECK_TRUE(server().process().wait().has_value());
  server().forget();
  start({.plugins = {"echo"}, .listen = {"unix:" + path}});
  expect_served(server().addresses().at(0));
}

TEST(Listening, a_port_in_use_is_one_line_and_code_3) {
  start({.plugins = {"echo"}});
  const std::string port = std::to_string(server().addresses().at(0).port);
  expect_no_start({.listen = {"127.0.0.1:" + port}}, port);
  expect_served(server().addresses().at(0));
}

TEST(Listening, a_unix_socket_in_use_is_one_line_and_code_3) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "socket").string();
  start({.plugins = {"echo"}, .listen = {"unix:" + path}});
  expect_no_start({.listen = {"unix:" + path}}, path);
  expect_served(server().addresses().at(0));
}

TEST(Listening, an_address_of_another_machine_is_one_line_and_code_3) {
  expect_no_start({.listen = {"192.0.2.1:0"}}, "192.0.2.1");
}

TEST(Listening, a_plugin_folder_that_is_a_file_is_one_line_and_code_3) {
  const TemporaryFolder folder;
  const std::string path = folder.write("plugins", "").string();
  expect_no_start({.arguments = {"--plugins", path}}, path);
}

TEST(Listening, a_socket_in_a_missing_folder_is_one_line_and_code_3) {
  expect_no_start({.listen = {"unix:/nowhere/socket"}}, "/nowhere/socket");
}

TEST(Listening, an_empty_plugin_folder_serves_no_topic) {
  start({});
  converse(R"(
    A > ["echo:a","echo",1]
    A < ["echo:a","error",{"code":"INTERNAL_ERROR","message":"No channel matches topic: echo:a"}]
  )");
}

}  // namespace
