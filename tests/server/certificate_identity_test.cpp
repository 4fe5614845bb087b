// A client certificate as an identity: what plugins are told, and what stands beside it.
#include <sys/stat.h>

#include <string>

#include "tests/support/json.hpp"
#include "tests/support/tls_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

constexpr const char* kToken = "0123456789abcdef-alice";

TEST_GROUP_BASE(CertificateIdentity, TlsGroup) {
  void start_asking(const std::string& auth) {
    write("ca.pem", clients.certificate());
    write("tokens", std::string("alice ") + kToken + "\n");
    ::chmod(file("tokens").c_str(), 0600);
    write(authority.issue());
    ServerOptions options = tls_options("client_certificate = \"optional\"\nclient_ca = \"" +
                                        file("ca.pem").string() + "\"");
    options.plugins = {"facts"};
    options.tables += "\n[auth]\ntokens = \"" + file("tokens").string() + "\"\n" + auth;
    start(options);
  }
  TlsOptions named(const std::string& name) const {
    const Certificate certificate = clients.issue({.name = name, .names = {}});
    TlsOptions client = trusting();
    client.certificate = certificate.text;
    client.key = certificate.key;
    return client;
  }
  void expect_identity(const std::string& expected, const Handshake& handshake,
                       Where where = Where::here()) {
    WsClient client(server().addresses().at(0), handshake, where);
    client.send_text(R"(["facts","show",null])", where);
    const std::string facts = payload_of(client.receive(where), "facts", "facts", where);
    check(string_member(facts, "identity", where) == expected, facts, where);
  }

  const Authority clients{"Authority of clients"};
};

const std::string kBearer = std::string("Authorization: Bearer ") + kToken;

}  // namespace

TEST(CertificateIdentity, its_common_name_is_who_a_client_is) {
  start_asking("required = true\n");
  expect_identity("cert:lamp-7", {.tls = named("lamp-7")});
}

TEST(CertificateIdentity, a_token_counts_before_it) {
  start_asking("");
  expect_identity("token:alice", {.headers = {kBearer}, .tls = named("lamp-7")});
  expect_identity("token:alice", {.headers = {kBearer}, .tls = trusting()});
  expect_identity("", {.tls = trusting()});
}

TEST(CertificateIdentity, a_name_that_is_none_makes_nobody_known) {
  start_asking("");
  expect_identity("", {.tls = named("lamp 7")});
  server().wait_for_log({"certificate without a name that can be an identity"});
}
