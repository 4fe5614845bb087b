// Plays rows against a running server, and keeps what came of them for the report. What fails is
// counted against the running test, at the row's line; the other rows are played all the same. One
// thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/row.hpp"
#include "tests/support/server_process.hpp"

namespace jackfield::conformance {

enum class Verdict { kHolds, kDeviates, kFails };

// By subject, row's number and cut.
using Verdicts = std::map<std::string, std::map<std::size_t, std::map<Cut, Verdict>>>;

class Player {
 public:
  // The server listens on TCP first, then on a Unix socket, then with TLS; it serves the plugin
  // `echo`.
  Player(test::ServerProcess& server, Verdicts& verdicts);

  // Plays all rows in all cuts that they are for.
  void play(const Subject& subject);

 private:
  // A connection of which nothing but its end may come any more.
  struct Ending {
    Where where;
    std::string about;
    Verdict* verdict;
    test::WsClient client;
  };

  void play(const Row& row, Cut cut, Verdict& verdict);
  // These throw where the row does not hold, as CppUTest does.
  void play_exchange(const Row& row, const Exchange& exchange, Cut cut, Verdict& verdict);
  void play_request(const Row& row, const Request& request, Cut cut);

  const test::Address& address(Cut cut) const;
  void expect(test::WsClient& client, const Outcome& outcome, const std::string& about,
              Where where);
  void expect_ends();

  test::ServerProcess& server_;
  Verdicts& verdicts_;
  std::unique_ptr<test::WsClient> witness_;
  std::vector<Ending> endings_;
};

}  // namespace jackfield::conformance
