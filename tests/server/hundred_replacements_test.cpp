// Many replacements while many clients talk: each message has its one effect, and everybody sees it
// in the same order.
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/support/change_group.hpp"
#include "tests/support/json.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

constexpr int kReplacements = 100;
constexpr int kClients = 20;
constexpr int kMostUnheard = 4;  // messages of one client that it has not got back

// One who sends numbered messages, and holds all that comes to the numbers.
class Talker {
 public:
  Talker(WsClient connection, int number) : connection_(std::move(connection)), number_(number) {}

  WsClient& connection() { return connection_; }
  long long sent() const { return heard_of_[static_cast<std::size_t>(number_)] + unheard_; }
  int unheard() const { return unheard_; }
  long long heard() const { return heard_; }
  int adopted() const { return adopted_; }

  void say() {
    const long long n = sent() + 1;
    connection_.send_text("[\"gen:a\",\"say\",[" + std::to_string(number_) + "," +
                          std::to_string(n) + "]]");
    ++unheard_;
  }

  // Waits up to `patience` for the first message, then takes what is there.
  void listen(std::chrono::milliseconds patience) {
    while (const auto message = connection_.receive_within(patience)) {
      take(*message);
      patience = std::chrono::milliseconds(0);
    }
  }

  void hear() { take(connection_.receive()); }

 private:
  // [sender, its number, the number of all]: none is left out, none comes twice or too early.
  void take(const std::string& message) {
    if (message == R"(["gen:a","snapshot",0])") {
      ++adopted_;
      return;
    }
    int sender = -1;
    long long n = 0;
    long long all = 0;
    const bool is_said =
        std::sscanf(message.c_str(), R"(["gen:a","said",[%d,%lld,%lld]])", &sender, &n, &all) == 3;
    check(is_said && sender >= 0 && sender < kClients, message);
    long long& last = heard_of_[static_cast<std::size_t>(sender)];
    check(n == last + 1 && all == heard_ + 1,
          message + " comes after " + std::to_string(last) + ", " + std::to_string(heard_));
    last = n;
    heard_ = all;
    if (sender == number_) --unheard_;
  }

  WsClient connection_;
  int number_;
  int unheard_ = 0;
  long long heard_ = 0;
  int adopted_ = 0;  // so often
  std::array<long long, kClients> heard_of_{};
};

TEST_GROUP_BASE(HundredReplacements, ChangeGroup) {};

TEST(HundredReplacements, every_message_of_twenty_clients_is_accounted_for) {
  serve("gen_odd", {.loading = "quiet_s = 0.02", .log_level = "debug"});
  std::vector<Talker> talkers;
  for (int i = 0; i < kClients; ++i) {
    talkers.emplace_back(connect(), i);
    subscribe(talkers.back().connection(), "gen:a", "odd");
  }
  for (int replaced = 1; replaced <= kReplacements; ++replaced) {
    put(replaced % 2 == 1 ? "gen_even" : "gen_odd");
    const Deadline deadline;
    while (talkers.back().adopted() < replaced) {
      check(deadline.milliseconds() > 0, "not replaced: " + server().process().errors());
      for (Talker& talker : talkers) {
        while (talker.unheard() < kMostUnheard) talker.say();
      }
      for (Talker& talker : talkers) talker.listen(std::chrono::milliseconds(1));
    }
  }
  long long all = 0;
  for (const Talker& talker : talkers) all += talker.sent();
  for (Talker& talker : talkers) {
    while (talker.heard() < all || talker.adopted() < kReplacements) talker.hear();
    talker.connection().expect_nothing();
    LONGS_EQUAL(kReplacements, talker.adopted());
    talker.connection().close();
  }
  CHECK_TRUE(all > kReplacements);
  server().wait_for_log({"plugin unmapped", "plugin=generation", "generation=100"});
  expect_logged(kReplacements, {"plugin unmapped", "plugin=generation"});
  server().stop();
  LONGS_EQUAL(kReplacements, logged_in_all("plugin replaced"));
  LONGS_EQUAL(kClients, logged_in_all("generation left"));
}

}  // namespace
