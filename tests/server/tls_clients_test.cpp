// Clients that show a certificate: who is let in, and who is refused within the handshake.
#include "tests/support/tls_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using std::chrono::hours;

TEST_GROUP_BASE(TlsClients, TlsGroup) {
  void start_asking(const char* how, Where where = Where::here()) {
    write("ca.pem", clients_authority.certificate());
    start_tls("client_certificate = \"" + std::string(how) + "\"\nclient_ca = \"" +
                  file("ca.pem").string() + "\"",
              {"tls:127.0.0.1:0"}, where);
  }

  TlsOptions showing(const Certificate& certificate) const {
    TlsOptions client = trusting();
    client.certificate = certificate.text;
    client.key = certificate.key;
    return client;
  }

  const Authority clients_authority{"Authority of clients"};
  const Authority other_authority{"Other authority"};
};

TEST(TlsClients, a_client_of_the_authority_is_let_in) {
  start_asking("required");
  for (const int version : {0x0303, 0x0304}) {
    TlsOptions client = showing(clients_authority.issue({.name = "lamp-7", .names = {}}));
    client.version = version;
    WsClient a(server().addresses().at(0), {.tls = client});
    expect_answers(a);
  }
  LONGS_EQUAL(0, counter("client_certificates_refused"));
}

TEST(TlsClients, what_a_certificate_says_is_read) {
  write("ca.pem", clients_authority.certificate());
  write(authority.issue());
  ServerOptions options = tls_options("client_certificate = \"optional\"\nclient_ca = \"" +
                                      file("ca.pem").string() + "\"");
  options.log_level = "debug";
  start(options);
  const CertificateOptions says{
      .name = "Müller, lamp 7",
      .names = {"email:a@b.example", "DNS:lamp-7.example", "URI:urn:lamp:7", "IP:192.0.2.7"},
      .serial = 0xbeef};
  WsClient named(server().addresses().at(0), {.tls = showing(clients_authority.issue(says))});
  const std::string line = server().wait_for_log({"msg=\"client certificate\""});
  STRCMP_CONTAINS("common_name=\"Müller, lamp 7\"", line.c_str());
  STRCMP_CONTAINS("subject=\"CN=Müller\\\\, lamp 7,O=Jackfield\"", line.c_str());
  STRCMP_CONTAINS("issuer=\"CN=Authority of clients,O=Jackfield\"", line.c_str());
  STRCMP_CONTAINS("serial=BEEF", line.c_str());
  STRCMP_CONTAINS("names=lamp-7.example,a@b.example,urn:lamp:7 ", line.c_str());
  STRCMP_CONTAINS("fingerprint=", line.c_str());
  // Who shows none has none, and no one takes over another's.
  WsClient nameless(server().addresses().at(0), {.tls = trusting()});
  expect_answers(nameless);
  LONGS_EQUAL(1, count_lines(server().process().errors(), {"msg=\"client certificate\""}));
}

TEST(TlsClients, one_without_a_certificate_is_refused_where_it_is_required) {
  start_asking("required");
  expect_refused(trusting(), "refused after the handshake");
  server().wait_for_log({"client certificate refused", "peer=127.0.0.1", "none was shown"});
  TlsOptions older = trusting();
  older.version = 0x0303;
  expect_refused(older, "handshake failure");
  LONGS_EQUAL(2, counter("client_certificates_refused"));
  LONGS_EQUAL(2, counter("tls_handshakes_failed"));
}

TEST(TlsClients, one_without_a_certificate_is_let_in_where_it_is_optional) {
  start_asking("optional");
  STRCMP_EQUAL("", refusal(trusting()).c_str());
  STRCMP_EQUAL("", refusal(showing(clients_authority.issue())).c_str());
}

TEST(TlsClients, one_that_cannot_be_trusted_is_refused_whether_it_is_required_or_not) {
  const Authority impostor("Authority of clients");
  struct Row {
    Certificate certificate;
    const char* reason;
  };
  const Row rows[] = {
      {other_authority.issue({.name = "lamp-1"}), "unable to get local issuer certificate"},
      {impostor.issue({.name = "lamp-1"}), "certificate signature failure"},
      {self_signed({.name = "lamp-1"}), "self-signed certificate"},
      {clients_authority.issue({.name = "lamp-1", .begins = hours(-48), .ends = hours(-24)}),
       "certificate has expired"},
      {clients_authority.issue({.name = "lamp-1", .begins = hours(24), .ends = hours(48)}),
       "certificate is not yet valid"},
  };
  for (const char* how : {"required", "optional"}) {
    start_asking(how);
    for (const Row& row : rows) {
      expect_refused(showing(row.certificate), "refused after the handshake");
      server().wait_for_log({"client certificate refused", "peer=127.0.0.1",
                             "subject=\"CN=lamp-1,O=Jackfield\"", row.reason});
    }
    LONGS_EQUAL(5, counter("client_certificates_refused"));
    server().stop();
  }
}

TEST(TlsClients, one_of_an_authority_in_between_shows_that_as_well) {
  const Authority between("Authority in between", &clients_authority);
  start_asking("required");
  Certificate certificate = between.issue();
  expect_refused(showing(certificate), "refused");
  certificate.text += between.certificate();
  STRCMP_EQUAL("", refusal(showing(certificate)).c_str());
}

TEST(TlsClients, an_authority_below_another_is_trusted_alone) {
  const Authority between("Authority in between", &clients_authority);
  write("ca.pem", between.certificate());
  start_tls("client_certificate = \"required\"\nclient_ca = \"" + file("ca.pem").string() + "\"");
  STRCMP_EQUAL("", refusal(showing(between.issue())).c_str());
  expect_refused(showing(clients_authority.issue()), "refused");
}

TEST(TlsClients, who_is_trusted_can_change_while_it_runs) {
  start_asking("required");
  WsClient before(server().addresses().at(0), {.tls = showing(clients_authority.issue())});
  write("ca.pem", other_authority.certificate());
  server().wait_for_log({"TLS settings taken, same certificate"});
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"certificate renewed"}));
  expect_refused(showing(clients_authority.issue()), "refused");
  STRCMP_EQUAL("", refusal(showing(other_authority.issue())).c_str());
  expect_answers(before);
}

TEST(TlsClients, nobody_is_asked_where_no_certificate_is_wanted) {
  start_tls();
  STRCMP_EQUAL("", refusal(showing(other_authority.issue())).c_str());
}

}  // namespace
