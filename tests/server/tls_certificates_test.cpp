// The files of [tls]: what keeps a server from starting, what is only said, and how renewed ones
// are taken while clients stay.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "tests/support/tls_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;
using std::chrono::hours;

constexpr hours kDay{24};

TEST_GROUP_BASE(TlsFiles, TlsGroup) {
  // A start that fails with 3, and a check that fails with 2, by the one sentence with `part`.
  void expect_no_start(std::string_view part, const std::string& tls = {},
                       Where where = Where::here()) {
    const TemporaryFolder folder;
    const std::string config = write_configuration(folder, tls_options(tls)).string();
    const Finished started = run_program({jackfield_executable(), "--config", config}, where);
    check(started.ending.code == 3, started.ending.text() + ": " + started.errors, where);
    check(count_lines(started.errors, {}) == 1, started.errors, where);
    check(count_lines(started.errors, {"jackfield: ", part}) == 1, started.errors, where);
    const Finished checked = run_program({jackfield_executable(), "check", config}, where);
    check(checked.ending.code == 2, checked.ending.text() + ": " + checked.errors, where);
    check(checked.errors == started.errors, checked.errors, where);
  }

  // A server that starts, and says this; so does a check, which passes.
  void expect_said(std::string_view part, Where where = Where::here()) {
    start_tls("", {"tls:127.0.0.1:0"}, where);
    server().wait_for_log({part}, where);
    server().stop(where);
    const std::string config = (server().folder().path() / "jackfield.toml").string();
    const Finished checked = run_program({jackfield_executable(), "check", config}, where);
    check(checked.ending.code == 0, checked.errors, where);
    check(count_lines(checked.errors, {"jackfield: warning: ", part}) == 1, checked.errors, where);
  }

  void hang_up() { server().process().signal(SIGHUP); }
};

TEST(TlsFiles, a_certificate_that_is_not_there_keeps_it_from_starting) {
  expect_no_start("the certificate " + file("cert.pem").string() +
                  " cannot be read: No such file or directory");
}

TEST(TlsFiles, a_key_that_is_not_there_keeps_it_from_starting) {
  write(authority.issue());
  fs::remove(file("key.pem"));
  expect_no_start("the key " + file("key.pem").string() +
                  " cannot be read: No such file or directory");
}

TEST(TlsFiles, what_is_no_certificate_keeps_it_from_starting) {
  write(authority.issue());
  write("cert.pem", "hello\n");
  expect_no_start("cert.pem holds no certificate (PEM)");
  write("cert.pem", "");
  expect_no_start("cert.pem holds no certificate (PEM)");
  fs::remove(file("cert.pem"));
  fs::create_directory(file("cert.pem"));
  expect_no_start("cert.pem is no regular file");
}

TEST(TlsFiles, a_damaged_certificate_keeps_it_from_starting) {
  const Certificate sound = authority.issue();
  Certificate damaged = sound;
  damaged.text[100] = '!';
  write(damaged);
  expect_no_start("cert.pem is damaged: bad base64 decode");
  damaged.text = sound.text.substr(0, sound.text.size() / 2);
  write(damaged);
  expect_no_start("cert.pem is damaged: ");
  // The second one counts as well.
  damaged.text = sound.text + sound.text.substr(0, sound.text.size() / 2);
  write(damaged);
  expect_no_start("cert.pem is damaged: ");
}

TEST(TlsFiles, a_key_that_cannot_be_used_keeps_it_from_starting) {
  const Certificate sound = authority.issue();
  write({sound.text, "hello\n"});
  expect_no_start("key.pem holds no private key (PEM)");
  write({sound.text, encrypted_key(sound.key, "secret")});
  expect_no_start("key.pem has a pass phrase; one without is needed");
}

TEST(TlsFiles, a_key_of_another_certificate_keeps_it_from_starting) {
  write({authority.issue().text, authority.issue().key});
  expect_no_start("the key " + file("key.pem").string() + " does not belong to the certificate " +
                  file("cert.pem").string());
}

TEST(TlsFiles, a_chain_that_begins_with_its_authority_keeps_it_from_starting) {
  Certificate certificate = authority.issue();
  certificate.text = authority.certificate() + certificate.text;
  write(certificate);
  expect_no_start("must begin with the server's own certificate, which is number 2 in it");
}

TEST(TlsFiles, a_key_that_is_too_short_keeps_it_from_starting) {
  write(authority.issue({.rsa_bits = 1024}));
  expect_no_start("cert.pem cannot be used: ee key too small");
}

TEST(TlsFiles, authorities_that_cannot_be_read_keep_it_from_starting) {
  write(authority.issue());
  const std::string tls =
      "client_certificate = \"required\"\nclient_ca = \"" + file("ca.pem").string() + "\"";
  expect_no_start("the file of authorities " + file("ca.pem").string() + " cannot be read", tls);
  write("ca.pem", "hello\n");
  expect_no_start("ca.pem holds no certificate (PEM)", tls);
}

TEST(TlsFiles, a_listener_of_the_command_line_wants_a_certificate_as_well) {
  const TemporaryFolder folder;
  const std::string config = write_configuration(folder, {.plugins = {"echo"}}).string();
  const Finished finished = run_program(
      {jackfield_executable(), "--config", config, "--listen", "tls:127.0.0.1:0"});
  LONGS_EQUAL(2, finished.ending.code);
  LONGS_EQUAL(1, count_lines(finished.errors, {config + ": tls.certificate: must be set"}));
  LONGS_EQUAL(1, count_lines(finished.errors, {config + ": tls.key: must be set"}));
}

TEST(TlsFiles, an_expired_certificate_is_said_and_served) {
  write(authority.issue({.begins = -3 * kDay, .ends = -2 * kDay}));
  start_tls();
  server().wait_for_log({"level=error", "msg=certificate", "cert.pem", "has expired at 20"});
  TlsOptions blind;
  STRCMP_EQUAL("", refusal(blind).c_str());
  expect_refused(trusting(), "certificate verify failed");
}

TEST(TlsFiles, a_certificate_that_expires_soon_is_said) {
  write(authority.issue({.ends = 3 * kDay + hours(1)}));
  expect_said("expires in 3 days, at 20");
}

TEST(TlsFiles, a_certificate_that_is_not_valid_yet_is_said) {
  write(authority.issue({.begins = kDay, .ends = 90 * kDay}));
  expect_said("is not valid before 20");
}

TEST(TlsFiles, of_a_certificate_that_lasts_nothing_is_said) {
  write(authority.issue({.ends = 90 * kDay}));
  start_tls();
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"level=warning", "certificate"}));
}

TEST(TlsFiles, a_key_that_everybody_can_read_is_said) {
  write(authority.issue({.ends = 90 * kDay}));
  fs::permissions(file("key.pem"), fs::perms::others_read, fs::perm_options::add);
  expect_said("is readable by all; ");
}

TEST(TlsFiles, a_key_in_the_hands_of_somebody_else_is_said_but_not_one_of_roots_for_its_group) {
  write(authority.issue({.ends = 90 * kDay}));
  if (::geteuid() != 0) return;
  const std::string key = file("key.pem").string();
  CHECK(::chown(key.c_str(), 0, 4711) == 0 && ::chmod(key.c_str(), 0640) == 0);
  start_tls();
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"level=warning", "key.pem"}));
  CHECK(::chown(key.c_str(), 4711, 4711) == 0 && ::chmod(key.c_str(), 0600) == 0);
  expect_said("key.pem (owner 4711");
}

TEST(TlsFiles, a_key_of_the_user_that_the_server_will_be_is_well_for_a_check_by_root) {
  if (::geteuid() != 0) return;
  write(authority.issue({.ends = 90 * kDay}));
  const std::string key = file("key.pem").string();
  CHECK(::chown(key.c_str(), 4711, 4711) == 0 && ::chmod(key.c_str(), 0600) == 0);
  for (const char* user : {"4711", "4712"}) {
    const TemporaryFolder folder;
    ServerOptions options = tls_options();
    options.tables += std::string("\n[process]\nuser = \"") + user + "\"\ngroup = \"4711\"\n";
    const std::string config = write_configuration(folder, options).string();
    const Finished checked = run_program({jackfield_executable(), "check", config});
    LONGS_EQUAL(0, checked.ending.code);
    LONGS_EQUAL(user == std::string("4711") ? 0 : 1,
                count_lines(checked.errors, {"warning: ", "key.pem (owner 4711"}));
  }
}

TEST(TlsFiles, a_certificate_without_a_host_is_said) {
  write(authority.issue({.names = {}, .ends = 90 * kDay}));
  expect_said("cert.pem names no host (subjectAltName): clients refuse it");
}

TEST(TlsFiles, a_client_does_not_take_the_certificate_of_another_host) {
  write(authority.issue({.names = {"DNS:other.example"}}));
  start_tls();
  expect_refused(trusting(), "certificate verify failed");
}

TEST(TlsFiles, a_client_does_not_take_the_certificate_of_another_authority) {
  const Authority other("Other authority");
  write(other.issue());
  start_tls();
  expect_refused(trusting(), "certificate verify failed");
}

TEST(TlsFiles, an_authority_in_between_is_shown_as_well) {
  const Authority between("Authority in between", &authority);
  Certificate certificate = between.issue();
  certificate.text += between.certificate();
  write(certificate);
  start_tls();
  STRCMP_EQUAL("", refusal(trusting()).c_str());
}

TEST_GROUP_BASE(TlsRenewal, TlsGroup) {
  Certificate numbered(long serial) const { return authority.issue({.serial = serial}); }

  static constexpr const char* kUnwatched = "[configuration]\nwatch = false\n";

  void hang_up() { server().process().signal(SIGHUP); }
  void expect_renewed(const char* serial, Where where = Where::here()) {
    server().wait_for_log({"certificate renewed", std::string("serial=") + serial}, where);
    STRCMP_EQUAL_LOCATION(serial, serial_shown(where).c_str(), "", where.file, where.line);
  }
};

TEST(TlsRenewal, sighup_has_a_renewed_certificate_taken_and_nobody_is_dropped) {
  write(numbered(1));
  start_tls(kUnwatched);
  WsClient before = connect();
  expect_answers(before);
  write(numbered(2));
  STRCMP_EQUAL("01", serial_shown().c_str());
  hang_up();
  expect_renewed("02");
  expect_answers(before);
  STRCMP_EQUAL("01", before.stream().tls()->facts().serial.c_str());
  before.close();
}

TEST(TlsRenewal, changed_files_are_taken_without_a_signal) {
  write(numbered(1));
  start_tls();
  WsClient before = connect();
  write(numbered(0xab));
  expect_renewed("AB");
  expect_answers(before);
  // Between its steps they did not belong together, of which nothing is said.
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"not renewed"}));
}

TEST(TlsRenewal, files_that_are_links_are_followed) {
  fs::create_directories(file("archive"));
  const auto put = [this](const Certificate& certificate, const std::string& number) {
    write("archive/cert" + number + ".pem", certificate.text);
    write("archive/key" + number + ".pem", certificate.key);
    for (const std::string name : {"cert", "key"}) {
      const fs::path link = file(name + ".pem");
      fs::create_symlink("archive/" + name + number + ".pem", file("new"));
      fs::rename(file("new"), link);
    }
  };
  put(numbered(1), "1");
  start_tls();
  put(numbered(2), "2");
  expect_renewed("02");
  put(numbered(3), "3");
  expect_renewed("03");
}

TEST(TlsRenewal, what_cannot_be_used_is_said_and_the_old_one_stays) {
  write(numbered(1));
  start_tls(kUnwatched);
  WsClient before = connect();
  write("cert.pem", numbered(2).text);
  hang_up();
  server().wait_for_log({"level=error", "certificate not renewed", "does not belong to", "kept=01"});
  write("cert.pem", "hello");
  hang_up();
  server().wait_for_log({"certificate not renewed", "holds no certificate"});
  fs::remove(file("key.pem"));
  write("cert.pem", numbered(3).text);
  hang_up();
  server().wait_for_log({"certificate not renewed", "key.pem cannot be read"});
  STRCMP_EQUAL("01", serial_shown().c_str());
  expect_answers(before);
  write(numbered(4));
  hang_up();
  expect_renewed("04");
}

TEST(TlsRenewal, an_expired_one_does_not_replace_a_valid_one) {
  write(numbered(1));
  start_tls(kUnwatched);
  write(authority.issue({.serial = 2, .begins = -3 * kDay, .ends = -2 * kDay}));
  hang_up();
  server().wait_for_log({"certificate not renewed", "has expired at", "kept=01"});
  STRCMP_EQUAL("01", serial_shown().c_str());
}

TEST(TlsRenewal, one_that_is_not_valid_yet_does_not_replace_a_valid_one) {
  write(numbered(1));
  start_tls(kUnwatched);
  write(authority.issue({.serial = 2, .begins = 2 * kDay, .ends = 90 * kDay}));
  hang_up();
  server().wait_for_log({"certificate not renewed", "is not valid before", "kept=01"});
  STRCMP_EQUAL("01", serial_shown().c_str());
}

TEST(TlsRenewal, one_that_is_not_valid_yet_is_taken_when_it_begins) {
  write(numbered(1));
  start_tls(kUnwatched);
  write(authority.issue({.serial = 2, .begins = std::chrono::seconds(3)}));
  hang_up();
  expect_renewed("02");
}

TEST(TlsRenewal, files_that_stay_apart_are_said_in_the_end) {
  write(numbered(1));
  start_tls();
  write("cert.pem", numbered(2).text);
  server().wait_for_log({"certificate not renewed", "does not belong to", "kept=01"});
  STRCMP_EQUAL("01", serial_shown().c_str());
}

TEST(TlsRenewal, the_same_files_once_more_are_no_news) {
  write(numbered(1));
  start_tls(kUnwatched);
  hang_up();
  server().wait_for_log({"configuration read again"});
  write(numbered(2));
  hang_up();
  expect_renewed("02");
  LONGS_EQUAL(1, count_lines(server().process().errors(), {"certificate renewed"}));
}

TEST(TlsRenewal, a_key_of_another_kind_leaves_nothing_of_the_old_one) {
  write(authority.issue({.serial = 1, .is_rsa = true}));
  start_tls();
  write(numbered(2));
  expect_renewed("02");
  TlsOptions client = trusting();
  client.version = 0x0303;  // TLS 1.2, where the cipher names the kind of key
  client.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
  expect_refused(client, "handshake failure");
}

TEST(TlsRenewal, rules_that_are_not_in_force_are_named_until_they_are) {
  write(numbered(1));
  start_tls();
  const ServerOptions options = tls_options(
      "client_certificate = \"required\"\nclient_ca = \"" + file("ca.pem").string() +
      "\"\nminimum_version = \"1.3\"\nhsts_max_age_s = 5");
  server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
  hang_up();
  for (const char* key : {"tls.client_certificate", "tls.client_ca", "tls.minimum_version"}) {
    server().wait_for_log({"level=error", "not in force", std::string("key=") + key,
                           "ca.pem cannot be read"});
  }
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"not in force", "hsts"}));
  STRCMP_EQUAL("", refusal({.version = 0x0303}).c_str());
  STRCMP_EQUAL("max-age=5", connect().response().header("strict-transport-security").c_str());
  write("ca.pem", authority.certificate());
  server().wait_for_log({"TLS settings taken, same certificate", "serial=01"});
  expect_refused({.version = 0x0303}, "protocol version");
  expect_refused(trusting(), "refused after the handshake");
}

TEST(TlsRenewal, a_configuration_may_name_other_files_and_rules) {
  write(numbered(1));
  start_tls();
  const Certificate other = numbered(7);
  write("other.pem", other.text);
  write("other.key", other.key);
  ServerOptions options = tls_options();
  options.tables = "[tls]\ncertificate = \"" + file("other.pem").string() + "\"\nkey = \"" +
                   file("other.key").string() + "\"\nminimum_version = \"1.3\"\nhsts_max_age_s = 5\n";
  server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
  hang_up();
  expect_renewed("07");
  expect_refused({.version = 0x0303}, "protocol version");
  STRCMP_EQUAL("max-age=5", connect().response().header("strict-transport-security").c_str());
  // Those are watched now.
  const Certificate next = numbered(8);
  write("other.pem", next.text);
  write("other.key", next.key);
  expect_renewed("08");
}

TEST(TlsRenewal, browsers_are_told_nothing_any_more_once_that_is_0) {
  constexpr const char* kHeader = "strict-transport-security";
  write(numbered(1));
  start_tls();
  const Address address = server().addresses().at(0);
  const auto ask = [&] {
    return http_request(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  };
  STRCMP_EQUAL("max-age=31536000", ask().header(kHeader).c_str());
  std::size_t changes = 0;
  ServerOptions options = tls_options();
  for (const auto& [seconds, header] : {std::pair{"0", ""}, {"7", "max-age=7"}}) {
    options.tables = tls_options().tables + "\nhsts_max_age_s = " + seconds + "\n";
    server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
    hang_up();
    server().wait_for_logs(++changes, {"configuration changed"});
    STRCMP_EQUAL(header, ask().header(kHeader).c_str());
    STRCMP_EQUAL(header, connect().response().header(kHeader).c_str());
  }
}

}  // namespace
