// The base of the groups that drive a whole hub: it serves one fake channel, to fake links. Made
// anew for each test.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/hub/hub.hpp"
#include "tests/unit/hub_fakes.hpp"

#include <CppUTest/TestHarness.h>

namespace jackfield::test {

class HubGroup : public Utest {
 public:
  // A group with other limits sets them before.
  void setup() override {
    hub = std::make_unique<hub::Hub>(limits, ids, log);
    hub->set_channels({&channel});
  }

 protected:
  // Lets a connection send, and everybody receive.
  void say(hub::Connection& connection, std::string_view message) {
    hub->receive(connection, message, true, now);
    hub->end_turn();
  }

  // A connection that is subscribed to the topic; what the link and the channel heard of it is
  // taken away.
  hub::Connection& subscriber(FakeLink& its_link, std::string_view topic = "t:1") {
    hub::Connection& connection = hub->open(its_link);
    say(connection, R"([")" + std::string(topic) + R"(","subscribe",{}])");
    its_link.take();
    channel.take();
    return connection;
  }

  base::Log log{base::LogLevel::kError, [](std::string_view) {}};
  base::IdSource ids;
  std::uint64_t now = 0;  // milliseconds
  // A test of how fast a connection may send says so itself.
  hub::Limits limits{
      .max_messages_per_s = 0, .max_bytes_per_s = 0, .max_subscribes_per_s = 0};
  FakeChannel channel;
  FakeLink link;  // for the one connection of most tests
  std::unique_ptr<hub::Hub> hub;
};

}  // namespace jackfield::test
