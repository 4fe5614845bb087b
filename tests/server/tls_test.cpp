// Listeners with TLS: which TLS is spoken, what the answers say, and that nothing of what OpenSSL
// holds back is left lying.
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "tests/support/tls_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
using std::chrono::hours;

TEST_GROUP_BASE(Tls, TlsGroup) {
  TlsFacts facts_for(const TlsOptions& client, Where where = Where::here()) {
    Stream stream(server().addresses().at(0), 0, client, where);
    return stream.tls()->facts();
  }

  Response request(const Address& address, const std::string& path) {
    return http_request(address, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  static std::string question(int number) {
    return frame_bytes(Opcode::kText,
                       R"(["echo:tls","echo",)" + std::to_string(number) + "]");
  }
  static std::string answer(int number) {
    return R"(["echo:tls","echoed",)" + std::to_string(number) + "]";
  }
};

TEST(Tls, those_of_all_listeners_are_in_the_same_rooms) {
  const std::string path = file("socket").string();
  start_tls("", {"127.0.0.1:0", "tls:127.0.0.1:0", "tls:127.0.0.2:0", "unix:" + path});
  const auto& addresses = server().addresses();
  LONGS_EQUAL(4, addresses.size());
  CHECK_FALSE(addresses[0].is_tls);
  CHECK_TRUE(addresses[1].is_tls);
  CHECK_TRUE(addresses[2].is_tls);
  std::vector<WsClient> clients;
  for (const Address& address : addresses) {
    clients.emplace_back(address);
    clients.back().send_text(R"(["room:tls","subscribe",{"id":"x"}])");
    clients.back().expect(R"(["room:tls","subscribed",{"id":"x"}])");
  }
  for (WsClient& speaker : clients) {
    speaker.send_text(R"(["room:tls","say",{"text":"hello"}])");
    for (WsClient& listener : clients) {
      while (listener.receive().find("hello") == std::string::npos) {
      }
    }
  }
}

TEST(Tls, says_at_the_start_where_it_has_tls_and_what_works) {
  start_tls();
  const std::string said = server().process().output();
  LONGS_EQUAL(1, count_lines(said, {"listening  wss://127.0.0.1:"}));
  LONGS_EQUAL(1, count_lines(said, {"try        ", " watch --url wss://127.0.0.1:", "--insecure"}));
  const std::size_t begin = said.find("try        ") + 11;
  ChildProcess shell({"/bin/sh", "-c", "exec " + said.substr(begin, said.find('\n', begin) - begin)});
  CHECK_TRUE(shell.wait_for_output({"subscribed"}).has_value());
  shell.signal(SIGTERM);
  CHECK_TRUE(shell.wait().has_value());
}

TEST(Tls, a_listener_without_tls_is_named_to_try_where_there_is_one) {
  start_tls("", {"tls:127.0.0.1:0", "127.0.0.1:0"});
  LONGS_EQUAL(1, count_lines(server().process().output(), {"try        ", " --url ws://127.0.0.1:"}));
}

TEST(Tls, the_versions_1_2_and_1_3_are_spoken_with_forward_secrecy) {
  start_tls();
  const TlsFacts newest = facts_for(trusting());
  STRCMP_EQUAL("TLSv1.3", newest.version.c_str());
  STRCMP_EQUAL("X25519", newest.group.c_str());
  TlsOptions older = trusting();
  older.version = TLS1_2_VERSION;
  const TlsFacts facts = facts_for(older);
  STRCMP_EQUAL("TLSv1.2", facts.version.c_str());
  STRCMP_EQUAL("ECDHE-ECDSA-AES128-GCM-SHA256", facts.cipher.c_str());
  STRCMP_EQUAL("X25519", facts.group.c_str());
}

TEST(Tls, no_session_can_be_resumed) {
  start_tls();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsOptions client = trusting();
    client.version = version;
    WsClient a(server().addresses().at(0), {.tls = client});
    expect_answers(a);  // a ticket would have come before
    CHECK_FALSE(a.stream().tls()->facts().is_resumable);
  }
}

TEST(Tls, older_versions_are_refused) {
  start_tls();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    expect_refused({.version = version}, "protocol version");
  }
  server().wait_for_log({"TLS handshake failed", "peer=127.0.0.1", "unsupported protocol"});
  LONGS_EQUAL(2, counter("tls_handshakes_failed"));
}

TEST(Tls, version_1_2_is_refused_where_1_3_is_the_oldest) {
  start_tls("minimum_version = \"1.3\"");
  expect_refused({.version = TLS1_2_VERSION}, "protocol version");
  STRCMP_EQUAL("", refusal(trusting()).c_str());
}

TEST(Tls, weak_ciphers_are_refused) {
  write(authority.issue({.is_rsa = true}));
  start_tls();
  for (const char* ciphers : {"AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA",
                              "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES256-GCM-SHA384"}) {
    TlsOptions client = trusting();
    client.version = TLS1_2_VERSION;
    client.ciphers = ciphers;
    expect_refused(client, "handshake failure");
  }
  TlsOptions client = trusting();
  client.version = TLS1_2_VERSION;
  client.ciphers = "AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256";
  STRCMP_EQUAL("ECDHE-RSA-AES128-GCM-SHA256", facts_for(client).cipher.c_str());
}

TEST(Tls, http_1_1_is_the_one_protocol) {
  start_tls();
  TlsOptions client = trusting();
  STRCMP_EQUAL("", facts_for(client).protocol.c_str());
  client.protocols = "h2,http/1.1";
  STRCMP_EQUAL("http/1.1", facts_for(client).protocol.c_str());
  client.protocols = "h2";
  expect_refused(client, "no application protocol");
}

TEST(Tls, browsers_are_told_to_come_by_tls_only) {
  start_tls("", {"tls:127.0.0.1:0", "127.0.0.1:0"});
  constexpr const char* kHeader = "Strict-Transport-Security";
  const Address tls = server().addresses().at(0);
  const Address plain = server().addresses().at(1);
  STRCMP_EQUAL("max-age=31536000", request(tls, "/").header(kHeader).c_str());
  STRCMP_EQUAL("max-age=31536000", WsClient(tls).response().header(kHeader).c_str());
  // Of the method CONNECT libwebsockets makes no HTTP.
  const std::string connect = Handshake{.method = "CONNECT"}.request();
  const Response refused = http_request(tls, connect);
  LONGS_EQUAL(405, refused.status);
  STRCMP_EQUAL("max-age=31536000", refused.header(kHeader).c_str());
  // RFC 6797 section 7.2: never without TLS.
  LONGS_EQUAL(405, http_request(plain, connect).status);
  STRCMP_EQUAL("", http_request(plain, connect).header(kHeader).c_str());
  STRCMP_EQUAL("", request(plain, "/").header(kHeader).c_str());
  STRCMP_EQUAL("", WsClient(plain).response().header(kHeader).c_str());
}

TEST(Tls, a_page_that_came_without_it_may_not_connect_with_it) {
  start_tls("", {"tls:127.0.0.1:0", "127.0.0.1:0"});
  const auto status = [&](std::size_t listener, const char* origin) {
    const Handshake handshake{.headers = {std::string("Origin: ") + origin}};
    return http_request(server().addresses().at(listener), handshake.request()).status;
  };
  LONGS_EQUAL(101, status(0, "https://localhost"));
  LONGS_EQUAL(403, status(0, "http://localhost"));
  server().wait_for_log({"level=warning", "origin refused", "origin=http://localhost",
                         "reason=\"it came without TLS to connect with it\""});
  LONGS_EQUAL(101, status(1, "http://localhost"));
}

TEST(Tls, browsers_are_told_nothing_where_that_is_0) {
  start_tls("hsts_max_age_s = 0");
  constexpr const char* kHeader = "Strict-Transport-Security";
  const Address tls = server().addresses().at(0);
  const Response refusal = request(tls, "/");
  STRCMP_EQUAL("", refusal.header(kHeader).c_str());
  CHECK(refusal.head.find("trict-") == std::string::npos);
  STRCMP_EQUAL("", connect().response().header(kHeader).c_str());
}

TEST(Tls, what_is_no_tls_ends_and_is_counted) {
  start_tls();
  Address plain = server().addresses().at(0);
  plain.is_tls = false;
  for (const char* bytes : {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\x16\x03\x01\x7f\xff",
                            "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n"}) {
    Stream stream(plain);
    stream.send(bytes);
    stream.finish();
    std::string answer;
    while (stream.receive(answer, Where::here())) {
    }
    CHECK_TRUE(answer.find("HTTP") == std::string::npos);
  }
  LONGS_EQUAL(4, counter("handshakes_broken_off"));
  CHECK_TRUE(counter("tls_handshakes_failed") >= 3);
}

TEST(Tls, tls_where_there_is_none_ends_and_is_counted) {
  start({.plugins = {"echo"}, .listen = {"unix:" + file("socket").string(), "127.0.0.1:0"}});
  Address address = server().addresses().at(1);
  address.is_tls = true;
  CHECK_FALSE(Stream::tls_refusal(address, {}).empty());
  LONGS_EQUAL(1, counter("handshakes_broken_off") + counter("upgrades_refused"));
}

TEST(Tls, a_handshake_that_stops_is_cut) {
  ServerOptions options = tls_options();
  write(authority.issue());
  options.server += "\nhandshake_timeout_s = 0.2";
  start(options);
  Address plain = server().addresses().at(0);
  plain.is_tls = false;
  Stream silent(plain);
  Stream half(plain);
  half.send(std::string_view("\x16\x03\x01\x01\x00\x01\x00", 7));
  // One that has done its TLS, and asks for nothing.
  Stream greeted(server().addresses().at(0));
  for (Stream* stream : {&silent, &half, &greeted}) {
    std::string bytes;
    while (stream->receive(bytes, Where::here())) {
    }
  }
  LONGS_EQUAL(3, counter("handshakes_timed_out"));
  LONGS_EQUAL(0, counter("handshakes_broken_off"));
}

TEST(Tls, a_thousand_questions_in_one_write_are_all_answered) {
  start_tls();
  WsClient a = connect();
  std::string questions;
  for (int i = 0; i < 1000; ++i) questions += question(i);
  a.send_bytes(questions);
  for (int i = 0; i < 1000; ++i) a.expect_bytes(answer(i));
  a.expect_nothing();
}

// OpenSSL takes a record whole from the socket, which then has nothing more to tell of it.
TEST(Tls, a_record_is_read_to_its_end_however_small_the_buffers_are) {
  ServerOptions options = tls_options();
  write(authority.issue());
  options.server += "\nread_buffer_bytes = 128";
  start(options);
  WsClient a = connect();
  std::string questions;
  int count = 0;
  while (questions.size() < 16000) questions += question(count++);
  LONGS_EQUAL(questions.size(), *a.stream().send_some(questions));
  for (int i = 0; i < count; ++i) a.expect_bytes(answer(i));
  // And where nothing of it is a message but the last.
  std::string pongs;
  while (pongs.size() < 16000) pongs += frame_bytes(Opcode::kPong, "unasked");
  LONGS_EQUAL(pongs.size() + question(7).size(), *a.stream().send_some(pongs + question(7)));
  a.expect_bytes(answer(7));
  a.expect_nothing();
}

TEST(Tls, a_record_that_comes_in_pieces_is_read_to_its_end_as_well) {
  ServerOptions options = tls_options();
  write(authority.issue());
  options.server += "\nread_buffer_bytes = 128";
  start(options);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsOptions client = trusting();
    client.version = version;
    WsClient a(server().addresses().at(0), {.tls = client});
    WsClient other(server().addresses().at(0), {.tls = client});
    // No messages but the last: of those the server's own count would have more read.
    std::string bytes;
    while (bytes.size() < 16000) bytes += frame_bytes(Opcode::kPong, "unasked");
    bytes += question(7);
    // The header; a part; the rest. Between them the server has had its turns.
    a.stream().tls()->send_in_pieces(bytes, {5, 3000}, [&] { expect_answers(other); });
    a.expect_bytes(answer(7));
    a.expect_nothing();
  }
}

TEST(Tls, a_message_of_16_MiB_goes_both_ways) {
  ServerOptions options = tls_options();
  write(authority.issue());
  options.server += "\nmax_message_bytes = 16777216\nmax_outbox_bytes = 33554432";
  start(options);
  WsClient a = connect();
  const std::string payload = '"' + std::string((16 << 20) - 100, 'x') + '"';
  a.send_text(R"(["echo:tls","echo",)" + payload + "]");
  a.expect_bytes(R"(["echo:tls","echoed",)" + payload + "]");
  a.expect_nothing();
}

TEST(Tls, the_end_is_said_in_tls_as_well) {
  start_tls();
  WsClient closing = connect();
  closing.close();
  CHECK_TRUE(closing.stream().tls()->has_peer_finished());
  WsClient breaking = connect();
  breaking.send_frame(Opcode::kText, "x", {.reserved = 1});
  breaking.expect_closed(1002);
  CHECK_TRUE(breaking.stream().tls()->has_peer_finished());
}

// No Close has come, so none is due: who has ended TLS is gone.
TEST(Tls, one_who_ends_tls_without_a_close_is_sent_nothing_more) {
  start_tls();
  WsClient a = connect();
  expect_answers(a);
  a.stream().tls()->finish();
  CHECK_FALSE(a.receive_frame_or_end().has_value());
  CHECK_TRUE(a.stream().tls()->has_peer_finished());
}

TEST_GROUP_BASE(WatchTls, TlsGroup) {
  void setup() override { write("ca.pem", authority.certificate()); }

  Finished watch(std::vector<std::string> arguments, Where where = Where::here()) {
    arguments.insert(arguments.begin(), {jackfield_executable(), "watch"});
    arguments.insert(arguments.end(),
                     {"--send", R"(["echo:w","echo",1])", "--count", "1"});
    return run_program(arguments, where);
  }
  std::string url(const std::string& host) {
    return "wss://" + host + ":" + std::to_string(server().addresses().at(0).port) + "/";
  }
  void expect_answer(const Finished& finished, Where where = Where::here()) {
    check(finished.ending.code == 0, finished.errors, where);
    check(finished.output == "[\"echo:w\",\"echoed\",1]\n", finished.output, where);
  }
  void expect_none(const Finished& finished, int code, std::string_view part,
                   Where where = Where::here()) {
    check(finished.ending.code == code, finished.ending.text() + ": " + finished.errors, where);
    check(count_lines(finished.errors, {"jackfield: ", part}) == 1, finished.errors, where);
  }
};

TEST(WatchTls, takes_a_server_that_its_authority_vouches_for) {
  start_tls();
  const std::string ca = file("ca.pem").string();
  expect_answer(watch({"--url", url("localhost"), "--ca", ca}));
  expect_answer(watch({"--url", url("127.0.0.1"), "--ca", ca}));
}

TEST(WatchTls, takes_no_other) {
  write(authority.issue({.names = {"DNS:localhost"}}));
  start_tls();
  const std::string ca = file("ca.pem").string();
  expect_none(watch({"--url", url("localhost")}), 3, "its certificate is not trusted: unable to get");
  expect_none(watch({"--url", url("127.0.0.1"), "--ca", ca}), 3,
              "its certificate is not trusted: IP address mismatch");
  expect_none(watch({"--url", url("localhost"), "--ca", "/nowhere"}), 2,
              "/nowhere cannot be used: ");
}

TEST(WatchTls, takes_any_where_it_is_to_and_says_so) {
  write(self_signed({.names = {"DNS:other"}, .begins = hours(-48), .ends = hours(-24)}));
  start_tls();
  const Finished finished = watch({"--url", url("127.0.0.1"), "--insecure"});
  expect_answer(finished);
  LONGS_EQUAL(1, count_lines(finished.errors, {"warning: --insecure"}));
}

TEST(WatchTls, says_that_there_is_no_tls) {
  start({.plugins = {"echo"}, .listen = {"unix:" + file("s").string(), "127.0.0.1:0"}});
  const std::string port = std::to_string(server().addresses().at(1).port);
  expect_none(watch({"--url", "wss://127.0.0.1:" + port + "/"}), 3, "the TLS handshake failed: ");
}

TEST(WatchTls, sends_a_token_and_headers) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof any;
  auto* const name = reinterpret_cast<sockaddr*>(&any);
  CHECK(bind(listener, name, size) == 0 && listen(listener, 1) == 0 &&
        getsockname(listener, name, &size) == 0);
  ChildProcess watcher({jackfield_executable(), "watch", "--url",
                        "ws://127.0.0.1:" + std::to_string(ntohs(any.sin_port)) + "/", "--token",
                        "abc.d", "--header", "X-Team: red", "--header", "X-Empty:", "t"});
  const int connection = accept(listener, nullptr, nullptr);
  std::string request(4096, '\0');
  std::size_t got = 0;
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t count = recv(connection, request.data() + got, request.size() - got, 0);
    CHECK(count > 0);
    got += static_cast<std::size_t>(count);
  }
  STRCMP_CONTAINS("\r\nauthorization: Bearer abc.d\r\n", request.c_str());
  STRCMP_CONTAINS("\r\nX-Team: red\r\n", request.c_str());
  STRCMP_CONTAINS("\r\nX-Empty: \r\n", request.c_str());
  close(connection);
  close(listener);
  CHECK(watcher.wait().has_value());
}

TEST(WatchTls, what_could_end_a_header_is_a_mistake) {
  for (const char* header : {"X-Team", ": red", "X Team: red", "X-Team: red\r\nHost: x"}) {
    expect_none(run_program({jackfield_executable(), "watch", "--header", header, "t"}), 2,
                "a header is written as 'Name: value'");
  }
  expect_none(run_program({jackfield_executable(), "watch", "--token", "a b", "t"}), 2,
              "the token has characters that no token has");
}

}  // namespace
