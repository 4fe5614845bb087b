#include "tests/support/tls_group.hpp"

#include "tests/support/json.hpp"

namespace jackfield::test {

void TlsGroup::write(const Certificate& certificate) const {
  std::filesystem::remove(file("key.pem"));
  folder_.write("key.pem", certificate.key);
  std::filesystem::permissions(file("key.pem"), std::filesystem::perms::owner_read);
  folder_.write("cert.pem", certificate.text);
}

ServerOptions TlsGroup::tls_options(const std::string& tls, std::vector<std::string> listen) const {
  return {.plugins = {"echo", "chat"},
          .server = kDoesNotWaitForCloses,
          .tables = "[tls]\ncertificate = \"" + file("cert.pem").string() + "\"\nkey = \"" +
                    file("key.pem").string() + "\"\n" + tls + "\n",
          .listen = std::move(listen)};
}

void TlsGroup::start_tls(const std::string& tls, std::vector<std::string> listen, Where where) {
  if (!std::filesystem::exists(file("cert.pem"))) write(authority.issue());
  start(tls_options(tls, std::move(listen)), where);
}

std::string TlsGroup::serial_shown(Where where) {
  Stream stream(server().addresses().at(0), 0, trusting(), where);
  return stream.tls()->facts().serial;
}

void TlsGroup::expect_refused(const TlsOptions& client, std::string_view reason, Where where) {
  const std::string refused = refusal(client, where);
  check(!refused.empty() && refused.find(reason) != std::string::npos,
        refused.empty() ? "it is served" : "it is refused because of: " + refused, where);
}

long long TlsGroup::counter(const char* name, Where where) {
  const std::string pid = "--pid=" + std::to_string(server().process().pid());
  ChildProcess status({jackfield_executable(), "status", "--json", pid},
                      {{"RUNTIME_DIRECTORY", (server().folder().path() / "run").string()}}, where);
  const auto ending = status.wait();
  check(ending.has_value() && ending->code == 0, "no status: " + status.errors(), where);
  const std::string text = status.output();
  const std::string key = "\"" + std::string(name) + "\":";
  const std::size_t place = text.find(key);
  check(place != std::string::npos, std::string(name) + " is not in " + text, where);
  return std::stoll(text.substr(place + key.size()));
}

void TlsGroup::expect_answers(WsClient& client, Where where) {
  client.send_text(R"(["echo:tls","echo",1])", where);
  client.expect(R"(["echo:tls","echoed",1])", where);
}

}  // namespace jackfield::test
