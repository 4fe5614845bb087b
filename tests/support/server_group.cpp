#include "tests/support/server_group.hpp"

#include <set>
#include <sstream>

namespace jackfield::test {

void ServerGroup::teardown() {
  // First the clients, or the server would wait for their answers to its Close.
  clients_.clear();
  if (server_ && server_->ended()) server_->expect_no_finding();
  if (server_ && !server_->ended()) server_->stop();
  server_.reset();
}

ServerProcess& ServerGroup::start(const ServerOptions& options, Where where) {
  server_ = std::make_unique<ServerProcess>(options, where);
  return *server_;
}

WsClient ServerGroup::connect(const Handshake& handshake, Where where) {
  return WsClient(server_->addresses().at(0), handshake, where);
}

WsClient& ServerGroup::client(const std::string& name, Where where) {
  const auto found = clients_.find(name);
  if (found != clients_.end()) return found->second;
  return clients_.emplace(name, connect({}, where)).first->second;
}

void ServerGroup::converse(std::string_view script, Where where) {
  std::set<std::string> named;
  std::istringstream lines{std::string(script)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::string sign;
    if (!(words >> name >> sign)) continue;
    std::string text;
    std::getline(words >> std::ws, text);
    named.insert(name);
    WsClient& speaker = client(name, where);
    if (sign == ">") {
      speaker.send_text(text, where);
    } else if (sign == "<") {
      speaker.expect(text, where);
    } else if (sign == "=") {
      speaker.expect_bytes(text, where);
    } else {
      fail("not a step of a conversation: " + line, where);
    }
  }
  for (const std::string& name : named) client(name, where).expect_nothing(where);
}

}  // namespace jackfield::test
