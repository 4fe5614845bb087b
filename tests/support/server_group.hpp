// The base of the groups of whole-server tests: a server for the test, clients for it, and
// conversations written as text. After each test the server must end cleanly.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/server_process.hpp"
#include "tests/support/where.hpp"
#include "tests/support/ws_client.hpp"

#include <CppUTest/TestHarness.h>

namespace jackfield::test {

class ServerGroup : public Utest {
 public:
  void teardown() override;

 protected:
  // Starts the server of this test.
  ServerProcess& start(const ServerOptions& options, Where where = Where::here());
  ServerProcess& server() { return *server_; }
  bool has_server() const { return server_ != nullptr; }

  // A client with an open connection.
  WsClient connect(const Handshake& handshake = {}, Where where = Where::here());

  // Plays a conversation, one line a step:
  //   A > text      client A sends a text message
  //   A < json      the next message that A gets means this
  //   A = text      the next message that A gets is exactly this
  // A client connects when it is named first, and lives until the test ends. At the end nothing
  // else may be on its way to any client that the conversation named.
  void converse(std::string_view script, Where where = Where::here());
  // A client of the conversations by its name.
  WsClient& client(const std::string& name, Where where = Where::here());

 private:
  std::unique_ptr<ServerProcess> server_;
  std::map<std::string, WsClient> clients_;
};

}  // namespace jackfield::test
