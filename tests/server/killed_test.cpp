// kill -9 under load: nothing can be put in order, and the next start does not mind.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_GROUP_BASE(Killed, ChangeGroup) {
  static constexpr std::size_t kClients = 40;
  TemporaryFolder sockets;
  std::mt19937 random{4711};

  // On a TCP port of an address that no other test has, and on a Unix socket.
  void begin() {
    const auto pid = static_cast<unsigned>(::getpid());
    const std::string host = "127." + std::to_string(1 + pid / 65536 % 250) + "." +
                             std::to_string(pid / 256 % 256) + "." + std::to_string(pid % 256);
    options.plugins = {"snapshots", "echo", "slow"};
    options.listen = {host + ":0", "unix:" + (sockets.path() / "socket").string()};
    start(options);
    // The next one is to have the same port.
    options.listen[0] = host + ":" + std::to_string(server().addresses().at(0).port);
    server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
  }
  ServerOptions options;

  void kill_and_forget() {
    server().process().signal(SIGKILL);
    const auto ending = server().process().wait();
    CHECK_TRUE(ending.has_value());
    LONGS_EQUAL(SIGKILL, ending->signal);
    server().forget();
  }

  // As clients do: again and again, after pauses that grow and differ.
  WsClient come_back(const Address& address, Where where = Where::here()) {
    const Deadline deadline;
    auto pause = 2ms;
    while (!Stream::is_accepted(address)) {
      check(deadline.milliseconds() > 0, "nobody listens", where);
      std::this_thread::sleep_for(pause * std::uniform_int_distribution(50, 150)(random) / 100);
      if (pause < 200ms) pause *= 2;
    }
    return WsClient(address, {}, where);
  }

  static void subscribe_to(WsClient & client, std::size_t i, Where where = Where::here()) {
    const std::string topic = "snapshots:" + std::to_string(1000 + i) + ":x";
    client.send_text("[\"" + topic + "\",\"subscribe\",null]", where);
    client.expect("[\"" + topic + "\",\"subscribed\",{}]", where);
    client.expect("[\"" + topic + "\",\"snapshot\",\"" + std::string(1000 + i - 2, 's') + "\"]",
                  where);
  }
  // More than it has answered when it dies.
  static void load(WsClient & client) {
    std::string all;
    for (int i = 0; i < 500; ++i) {
      all += frame_bytes(Opcode::kText, R"(["echo:a","echo",")" + std::string(200, 'x') + "\"]");
    }
    static_cast<void>(client.stream().send_some(all));
  }
};

TEST(Killed, under_load_all_come_back_to_their_snapshots) {
  begin();
  for (int round = 0; round < 2; ++round) {
    const std::vector<Address> addresses = server().addresses();
    std::vector<WsClient> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(come_back(addresses[i % addresses.size()]));
      subscribe_to(clients.back(), i);
    }
    for (WsClient& client : clients) load(client);
    clients.front().receive();
    kill_and_forget();
    for (WsClient& client : clients) {
      std::string bytes;
      while (client.stream().receive(bytes, Where::here())) bytes.clear();
    }
    clients.clear();
    server().launch();
    // They do not wait until it is ready.
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(come_back(addresses[i % addresses.size()]));
      subscribe_to(clients.back(), i);
    }
    CHECK_TRUE(server().process().wait_for_output({"ready"}).has_value());
  }
}

TEST(Killed, what_it_left_is_cleared_away) {
  begin();
  const fs::path run = server().folder().path() / "run";
  const fs::path left = run / ("jackfield-" + std::to_string(server().process().pid()));
  CHECK_TRUE(fs::exists(left / "status"));
  kill_and_forget();
  CHECK_TRUE(fs::exists(left / "status"));
  CHECK_TRUE(fs::exists(sockets.path() / "socket"));
  server().restart();
  CHECK_FALSE(fs::exists(left));
  for (const Address& address : server().addresses()) {
    WsClient a(address);
    expect_echo(a);
    a.close();
  }
  server().stop();
  CHECK_FALSE(fs::exists(sockets.path() / "socket"));
}

TEST(Killed, it_is_no_crash_of_the_plugin_that_was_called) {
  begin();
  for (int i = 0; i < 4; ++i) {
    WsClient a = connect();
    a.send_text(R"(["slow","sleep",20000])");
    CHECK_FALSE(a.receive_within(100ms).has_value());  // it sleeps, in all likelihood
    kill_and_forget();
    server().restart();
    LONGS_EQUAL(0, count_lines(server().process().output(), {"set aside"}));
  }
}

}  // namespace
