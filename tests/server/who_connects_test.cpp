// Who may open a connection, and as whom: origins, tokens in all their places, JSON web tokens, the
// user of a Unix socket; and what happens to those who are there when their token ends.
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <string>

#include "tests/support/json.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/support/own_address.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

constexpr const char* kAlice = "0123456789abcdef-alice";
constexpr const char* kBob = "0123456789abcdef-bob";
const std::string kShared = "0123456789abcdef0123456789abcdef";

std::string claims(const std::string& name, std::time_t exp, const std::string& more = "") {
  return R"({"sub":")" + name + R"(","exp":)" + std::to_string(exp) + more + "}";
}

TEST_GROUP_BASE(WhoConnects, ServerGroup) {
  const TemporaryFolder secrets;
  const SigningKey key = SigningKey::shared(kShared);

  // A file that only its owner can read.
  std::string write(const std::string& name, const std::string& text) {
    const auto path = secrets.write(name, text);
    ::chmod(path.c_str(), 0600);
    return path.string();
  }
  // Moved there whole, as an editor does.
  void replace(const std::string& name, const std::string& text) {
    write(name + ".new", text);
    std::filesystem::rename(secrets.path() / (name + ".new"), secrets.path() / name);
  }
  std::string tokens(const std::string& text) {
    return "[auth]\ntokens = \"" + write("tokens", text) + "\"\n";
  }
  std::string alice_and_bob() {
    return tokens(std::string("alice ") + kAlice + "\nbob " + kBob + " ops\n");
  }
  std::string jwt() {
    return "[[jwt.keys]]\nkid = \"k\"\nalgorithm = \"HS256\"\nfile = \"" + write("key", kShared) +
           "\"\n";
  }
  std::string token_of(const std::string& name, std::time_t exp, const std::string& more = "") {
    return key.token(R"({"alg":"HS256","kid":"k"})", claims(name, exp, more));
  }

  Response ask(const Handshake& handshake, Where where = Where::here()) {
    return http_request(server().addresses().at(0), handshake.request(), where);
  }
  void expect_status(int status, const Handshake& handshake, Where where = Where::here()) {
    const Response response = ask(handshake, where);
    check(response.status == status, "expected " + std::to_string(status) + ", got: " + response.head,
          where);
  }
  // What plugins are told of the connection.
  void expect_facts(const Handshake& handshake, const std::string& identity,
                    const std::string& query = "", Where where = Where::here()) {
    WsClient client = connect(handshake, where);
    client.send_text(R"(["facts","show",null])", where);
    const std::string facts = payload_of(client.receive(where), "facts", "facts", where);
    check(string_member(facts, "identity", where) == identity, facts, where);
    check(string_member(facts, "query", where) == query, facts, where);
  }
  void expect_never_logged(const std::string& text, Where where = Where::here()) {
    check(server().process().errors().find(text) == std::string::npos, "the log holds " + text,
          where);
  }
};

Handshake with(const std::string& header) { return {.headers = {header}}; }
Handshake bearing(const std::string& token) { return with("Authorization: Bearer " + token); }

}  // namespace

// ---- origins

TEST(WhoConnects, pages_of_the_same_host_and_who_is_no_browser) {
  start({.plugins = {"facts"}});
  expect_facts({.host = "localhost:3001", .headers = {"Origin: http://localhost"}}, "");
  expect_facts({.host = "localhost", .headers = {"Origin: https://LOCALhost:8443"}}, "");
  expect_facts({.host = "app.example"}, "");
  for (const char* origin : {"http://evil.example", "null", "http://localhost.evil", "x",
                             "http://localhost/", "file://"}) {
    expect_status(403, {.host = "localhost", .headers = {"Origin: " + std::string(origin)}});
  }
  expect_status(403, {.host = "localhost",
                      .headers = {"Origin: http://localhost", "Origin: http://evil.example"}});
  server().wait_for_log({"origin refused", "origin=http://evil.example"});
}

// DNS rebinding: a page whose name its owner has lead to a loopback address is of the same host.
TEST(WhoConnects, no_page_gets_to_a_loopback_address_by_a_name) {
  start({.plugins = {"facts"}, .listen = {"127.0.0.1:0", "[::1]:0"}});
  const auto status = [](const Address& address, const std::string& host) {
    const Handshake handshake{.host = host, .headers = {"Origin: http://" + host}};
    return http_request(address, handshake.request()).status;
  };
  const Address loopback = server().addresses().at(0);
  for (const char* host : {"localhost", "app.localhost", "127.0.0.1", "[::1]"}) {
    LONGS_EQUAL(101, status(loopback, host));
  }
  LONGS_EQUAL(403, status(loopback, "evil.example"));
  server().wait_for_log({"level=warning", "origin refused", "origin=http://evil.example",
                         "host=evil.example", "name it in server.origins"});
  LONGS_EQUAL(403, status(server().addresses().at(1), "evil.example"));
  LONGS_EQUAL(101, status(server().addresses().at(1), "localhost"));
}

TEST(WhoConnects, elsewhere_and_behind_a_proxy_on_a_unix_socket_a_page_may_have_any_name) {
  const std::string path = (secrets.path() / "s").string();
  start({.plugins = {"facts"}, .listen = {"unix:" + path, "0.0.0.0:0"}});
  const Handshake named{.host = "app.example", .headers = {"Origin: http://app.example"}};
  expect_facts(named, "");
  Address outside = server().addresses().at(1);
  outside.host = own_address();
  if (outside.host.empty()) {
    UT_PRINT("SKIPPED: this machine has no address but loopback ones");
    return;
  }
  LONGS_EQUAL(101, http_request(outside, named.request()).status);
}

TEST(WhoConnects, pages_that_the_configuration_names) {
  start({.plugins = {"facts"},
         .server = "origins = [\"https://app.example\", \"https://*.example.com\"]"});
  expect_facts(with("Origin: https://app.example"), "");
  expect_facts(with("Origin: https://a.example.com"), "");
  expect_status(403, {.host = "own.example", .headers = {"Origin: https://own.example"}});
  expect_status(403, with("Origin: http://app.example"));
}

TEST(WhoConnects, a_star_lets_every_page_in) {
  start({.plugins = {"facts"}, .server = "origins = [\"*\"]"});
  expect_facts(with("Origin: http://evil.example"), "");
  expect_facts(with("Origin: null"), "");
}

// ---- tokens, and where they stand

TEST(WhoConnects, by_a_token_in_each_of_its_places) {
  start({.plugins = {"facts"}, .tables = alice_and_bob()});
  expect_facts({}, "");
  expect_facts(bearing(kAlice), "token:alice");
  expect_facts(with(std::string("Authorization: bEARER   ") + kBob), "token:bob");
  expect_facts({.path = std::string("/?token=") + kAlice}, "token:alice");
  expect_facts({.path = std::string("/x?a=1&token=") + kAlice + "&b=2"}, "token:alice", "a=1&b=2");
  expect_facts(with(std::string("Cookie: a=b; token=") + kAlice + "; c=d"), "token:alice");
  expect_facts(with(std::string("Cookie: token=\"") + kAlice + "\""), "token:alice");
  expect_facts(with(std::string("Sec-WebSocket-Protocol: jackfield, bearer.") + kAlice),
               "token:alice");
}

TEST(WhoConnects, of_several_tokens_the_header_counts_then_the_query_then_the_cookie) {
  start({.plugins = {"facts"}, .tables = alice_and_bob()});
  expect_facts({.path = std::string("/?token=") + kBob,
                .headers = {std::string("Authorization: Bearer ") + kAlice}},
               "token:alice");
  expect_facts({.path = std::string("/?token=") + kBob,
                .headers = {std::string("Cookie: token=") + kAlice}},
               "token:bob");
  expect_facts({.headers = {std::string("Cookie: token=") + kAlice,
                            std::string("Sec-WebSocket-Protocol: x, bearer.") + kBob}},
               "token:alice");
  expect_status(401, {.path = std::string("/?token=") + kBob,
                      .headers = {"Authorization: Bearer 0123456789abcdef-nobody"}});
}

TEST(WhoConnects, a_wrong_token_is_refused_wherever_it_stands) {
  start({.plugins = {"facts"}, .tables = alice_and_bob(), .log_level = "debug"});
  const std::string wrong = "0123456789abcdef-wrong";
  const Response response = ask(bearing(wrong));
  LONGS_EQUAL(401, response.status);
  STRCMP_EQUAL("Bearer error=\"invalid_token\"", response.header("WWW-Authenticate").c_str());
  expect_status(401, {.path = "/?token=" + wrong});
  expect_status(401, {.path = "/?token"});
  expect_status(401, {.path = std::string("/?token=") + kAlice + "&token=" + kAlice});
  expect_status(401, with("Cookie: token=" + wrong));
  expect_status(401, with("Sec-WebSocket-Protocol: x, bearer." + wrong));
  expect_status(401, with("Authorization: Bearer"));
  expect_status(401, bearing(std::string(kAlice) + " x"));
  // A scheme that is for somebody else, and a header that is no cookie of this name.
  expect_facts(with("Authorization: Basic YTpi"), "");
  expect_facts(with("Cookie: tokens=x; xtoken=y"), "");
  server().wait_for_log({"token refused", "via=query", "reason=\"unknown token\""});
  expect_facts({.path = std::string("/?token=") + kAlice}, "token:alice");
  expect_never_logged(wrong);
  expect_never_logged(kAlice);
}

TEST(WhoConnects, tokens_are_not_looked_at_where_there_are_none) {
  start({.plugins = {"facts"}});
  expect_facts(bearing(kAlice), "");
  expect_facts({.path = std::string("/?token=") + kAlice}, "");
  expect_facts(with(std::string("Cookie: token=") + kAlice), "");
}

TEST(WhoConnects, the_places_have_other_names_or_none) {
  start({.plugins = {"facts"},
         .tables = alice_and_bob() + "query_parameter = \"t\"\ncookie = \"\"\n"
                                     "subprotocol_prefix = \"auth-\"\n"});
  expect_facts({.path = std::string("/?t=") + kAlice + "&token=x"}, "token:alice", "token=x");
  expect_facts(with("Cookie: token=x"), "");
  expect_facts(with(std::string("Sec-WebSocket-Protocol: x, auth-") + kBob), "token:bob");
}

TEST(WhoConnects, without_an_identity_nobody_where_one_is_required) {
  start({.plugins = {"facts"}, .tables = alice_and_bob() + "required = true\n"});
  const Response response = ask({});
  LONGS_EQUAL(401, response.status);
  STRCMP_EQUAL("Bearer", response.header("WWW-Authenticate").c_str());
  expect_status(401, with("Authorization: Basic YTpi"));
  expect_facts(bearing(kAlice), "token:alice");
}

TEST(WhoConnects, a_page_that_may_not_is_told_so_before_its_token_counts) {
  start({.plugins = {"facts"}, .tables = alice_and_bob()});
  expect_status(403, {.headers = {"Origin: http://evil.example",
                                  std::string("Cookie: token=") + kAlice}});
}

// ---- the subprotocol

TEST(WhoConnects, a_token_is_never_the_subprotocol) {
  start({.plugins = {"facts"}, .tables = alice_and_bob()});
  const auto selected = [&](const std::string& list, const std::string& origin = "") {
    Handshake handshake = with("Sec-WebSocket-Protocol: " + list);
    if (!origin.empty()) handshake.headers.push_back("Origin: " + origin);
    return connect(handshake).response().header("Sec-WebSocket-Protocol");
  };
  const std::string token = std::string("bearer.") + kAlice;
  STRCMP_EQUAL("chat", selected("chat, " + token).c_str());
  STRCMP_EQUAL("chat", selected(token + ", chat, other").c_str());
  STRCMP_EQUAL("chat", selected(token + ", chat", "http://localhost:8080").c_str());
  STRCMP_EQUAL("jackfield", selected(token + ",jackfield").c_str());
  // By RFC 6455 none need be selected; a browser would fail the connection.
  STRCMP_EQUAL("", selected(token).c_str());
  STRCMP_EQUAL("x", selected("x").c_str());
  STRCMP_EQUAL("", connect(bearing(kAlice)).response().header("Sec-WebSocket-Protocol").c_str());
  expect_status(400, {.headers = {"Sec-WebSocket-Protocol: " + token, "Origin: http://localhost"}});
  expect_status(400, with("Sec-WebSocket-Protocol: x, " + token + ", " + token));
}

TEST(WhoConnects, a_token_too_long_for_a_subprotocol_is_said) {
  const std::string longer(90, 'x');
  start({.plugins = {"facts"}, .tables = tokens("alice " + longer + "\n")});
  expect_facts(with("Sec-WebSocket-Protocol: chat, bearer." + longer), "token:alice");
  expect_status(400, with("Sec-WebSocket-Protocol: bearer." + longer + ", chat"));
  expect_status(400, with("Sec-WebSocket-Protocol: chat, bearer." + std::string(120, 'x')));
}

// ---- JSON web tokens

TEST(WhoConnects, by_a_json_web_token) {
  start({.plugins = {"facts"}, .tables = jwt()});
  const std::time_t later = std::time(nullptr) + 3600;
  expect_facts(bearing(token_of("alice", later)), "jwt:alice");
  expect_facts({.path = "/?token=" + token_of("auth0|7", later)}, "jwt:auth0|7");
  expect_facts(with("Cookie: token=" + token_of("bob", later)), "jwt:bob");
  expect_status(401, bearing(token_of("alice", std::time(nullptr) - 3600)));
  server().wait_for_log({"token refused", "reason=expired"});
  expect_status(401, bearing(token_of("alice", later) + "x"));
  expect_status(401, bearing(token_of("alice", later, R"(,"aud":"others")")));
}

TEST(WhoConnects, static_tokens_and_json_web_tokens_go_together) {
  start({.plugins = {"facts"}, .tables = alice_and_bob() + jwt()});
  expect_facts(bearing(kAlice), "token:alice");
  expect_facts(bearing(token_of("alice", std::time(nullptr) + 3600)), "jwt:alice");
  expect_status(401, bearing("0123456789abcdef-nobody"));
}

TEST(WhoConnects, a_connection_ends_with_its_token) {
  start({.plugins = {"facts"}, .tables = jwt() + "[jwt]\nleeway_s = 0\n"});
  WsClient brief = connect(bearing(token_of("brief", std::time(nullptr) + 2)));
  WsClient lasting = connect(bearing(token_of("lasting", std::time(nullptr) + 3600)));
  WsClient nobody = connect();
  brief.expect_closed(1008, "Token has expired");
  lasting.expect_nothing();
  nobody.expect_nothing();
  server().wait_for_log({"token has expired", "identity=jwt:brief"});
}

TEST(WhoConnects, a_connection_outlives_its_token_where_the_configuration_lets_it) {
  start({.plugins = {"facts"},
         .tables = jwt() + "[jwt]\nleeway_s = 0\n[auth]\nclose_expired = false\n"});
  WsClient brief = connect(bearing(token_of("brief", std::time(nullptr) + 1)));
  const std::time_t end = std::time(nullptr) + 3;
  while (std::time(nullptr) < end) expect_status(401, bearing("wrong"));
  brief.expect_nothing();
}

// ---- what changes while it runs

TEST(WhoConnects, tokens_come_and_go_with_their_file) {
  start({.plugins = {"facts"}, .tables = alice_and_bob()});
  WsClient alice = connect(bearing(kAlice));
  WsClient bob = connect(bearing(kBob));
  replace("tokens", std::string("bob ") + kBob + " ops\ncarol 0123456789abcdef-carol\n");
  alice.expect_closed(1008, "Token was revoked");
  server().wait_for_log({"tokens and keys changed"});
  expect_status(401, bearing(kAlice));
  expect_facts(bearing("0123456789abcdef-carol"), "token:carol");
  bob.expect_nothing();
}

TEST(WhoConnects, a_group_that_a_token_loses_is_not_kept_by_who_is_connected) {
  start({.plugins = {"facts"}, .tables = alice_and_bob()});
  WsClient alice = connect(bearing(kAlice));
  WsClient bob = connect(bearing(kBob));
  replace("tokens", std::string("alice ") + kAlice + "\nbob " + kBob + "\n");
  bob.expect_closed(1008, "Token was revoked");
  server().wait_for_log({"token was revoked", "identity=token:bob"});
  alice.expect_nothing();
  expect_facts(bearing(kBob), "token:bob");
}

TEST(WhoConnects, tokens_are_read_again_on_sighup) {
  start({.plugins = {"facts"}, .tables = alice_and_bob() + "[configuration]\nwatch = false\n"});
  WsClient alice = connect(bearing(kAlice));
  write("tokens", std::string("bob ") + kBob + "\n");
  server().process().signal(SIGHUP);
  alice.expect_closed(1008, "Token was revoked");
  expect_facts(bearing(kBob), "token:bob");
}

// A change that cannot be taken does not keep a token in force that was taken away.
TEST(WhoConnects, tokens_in_force_are_read_again_on_sighup_while_others_are_wanted_in_vain) {
  ServerOptions options{.plugins = {"facts"},
                        .tables = alice_and_bob() + "[configuration]\nwatch = false\n"};
  start(options);
  WsClient alice = connect(bearing(kAlice));
  WsClient bob = connect(bearing(kBob));
  options.tables.replace(options.tables.find("/tokens\""), 8, "/missing\"");
  server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
  server().process().signal(SIGHUP);
  server().wait_for_log({"level=error", "who may connect is not changed", "/missing"});
  alice.expect_nothing();
  write("tokens", std::string("bob ") + kBob + " ops\n");
  server().process().signal(SIGHUP);
  alice.expect_closed(1008, "Token was revoked");
  expect_status(401, bearing(kAlice));
  bob.expect_nothing();
  write("missing", std::string("alice ") + kAlice + "\n");
  server().folder().write("jackfield.toml", "mistake");
  server().process().signal(SIGHUP);
  server().wait_for_log({"level=info", "who may connect is changed now"});
  bob.expect_closed(1008, "Token was revoked");
  expect_facts(bearing(kAlice), "token:alice");
}

TEST(WhoConnects, a_file_with_a_mistake_changes_nothing) {
  start({.plugins = {"facts"}, .tables = alice_and_bob()});
  WsClient alice = connect(bearing(kAlice));
  replace("tokens", "alice\n");
  server().wait_for_log({"level=error", "tokens and keys not changed", ":1: must be NAME TOKEN"});
  alice.expect_nothing();
  expect_facts(bearing(kBob), "token:bob");
  replace("tokens", std::string("bob ") + kBob + "\n");
  alice.expect_closed(1008, "Token was revoked");
}

TEST(WhoConnects, a_key_that_is_taken_away_takes_its_tokens_along) {
  start({.plugins = {"facts"}, .tables = jwt()});
  WsClient alice = connect(bearing(token_of("alice", std::time(nullptr) + 3600)));
  replace("key", "another-key-of-at-least-32-octets");
  alice.expect_closed(1008, "Token was revoked");
  expect_status(401, bearing(token_of("alice", std::time(nullptr) + 3600)));
}

TEST(WhoConnects, who_is_nobody_goes_when_an_identity_is_required) {
  ServerOptions options{.plugins = {"facts"}, .tables = alice_and_bob()};
  start(options);
  WsClient nobody = connect();
  WsClient alice = connect(bearing(kAlice));
  options.tables += "required = true\n";
  server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
  nobody.expect_closed(1008, "An identity is needed");
  server().wait_for_log({"connection closed: an identity is needed now", "peer=127.0.0.1"});
  alice.expect_nothing();
  expect_status(401, {});
}

TEST(WhoConnects, what_json_web_tokens_are_held_to_counts_for_who_is_connected) {
  ServerOptions options{.plugins = {"facts"}, .tables = jwt()};
  start(options);
  const std::string token = token_of("alice", std::time(nullptr) + 3600, R"(,"iss":"a")");
  WsClient alice = connect(bearing(token));
  options.tables += "[jwt]\nissuer = \"b\"\n";
  server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
  alice.expect_closed(1008, "Token was revoked");
  expect_status(401, bearing(token));
}

TEST(WhoConnects, files_that_will_not_do_keep_it_from_starting) {
  const std::string path = write("tokens", std::string("alice ") + kAlice + "\n");
  ::chmod(path.c_str(), 0644);
  const TemporaryFolder folder;
  const auto file = folder.write("j.toml", "[server]\nlisten = [\"127.0.0.1:0\"]\n[auth]\ntokens = \"" +
                                               path + "\"\n[plugins]\ndirectory = \"" +
                                               folder.path().string() + "\"\n");
  const Finished finished = run_program({jackfield_executable(), "--config", file.string()});
  LONGS_EQUAL(3, finished.ending.code);
  STRCMP_CONTAINS("tokens (", finished.errors.c_str());
  STRCMP_CONTAINS("mode 0644) is readable by all; \"chmod o-rwx ", finished.errors.c_str());
}

// ---- Unix sockets

TEST(WhoConnects, the_user_of_a_unix_socket_where_the_configuration_says_so) {
  const std::string socket = "unix:" + (secrets.path() / "s").string();
  const passwd* const user = ::getpwuid(::getuid());
  const std::string name =
      user == nullptr ? std::to_string(::getuid()) : std::string(user->pw_name);
  start({.plugins = {"facts"},
         .tables = alice_and_bob() + "unix_peers = true\nrequired = true\n",
         .listen = {socket}});
  expect_facts({}, "unix:" + name);
  expect_facts(bearing(kAlice), "token:alice");
  expect_status(401, bearing("0123456789abcdef-nobody"));
  server().stop();
  start({.plugins = {"facts"}, .tables = alice_and_bob() + "required = true\n", .listen = {socket}});
  expect_status(401, {});
}

TEST(WhoConnects, the_user_of_a_unix_socket_goes_when_that_is_no_identity_any_more) {
  ServerOptions options{.plugins = {"facts"},
                        .tables = "[auth]\nunix_peers = true\n",
                        .listen = {"unix:" + (secrets.path() / "s").string(), "127.0.0.1:0"}};
  start(options);
  WsClient user = connect();
  WsClient nobody(server().addresses().at(1));
  options.tables = "";
  server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
  user.expect_closed(1008, "Identity was revoked");
  nobody.expect_nothing();
  expect_facts({}, "");
}

// ---- rules

TEST_GROUP_BASE(WhoMayDoWhat, ServerGroup) {
  const TemporaryFolder secrets;

  std::string tables(const std::string& rules) {
    const auto path = secrets.write("tokens", std::string("alice ") + kAlice + "\nbob " + kBob +
                                                  " ops\n");
    ::chmod(path.c_str(), 0600);
    return "[auth]\ntokens = \"" + path.string() + "\"\n" + rules;
  }
  void expect_forbidden(WsClient& client, const std::string& topic, const std::string& event,
                        Where where = Where::here()) {
    client.send_text("[\"" + topic + "\",\"" + event + "\",1]", where);
    const std::string error = payload_of(client.receive(where), topic, "error", where);
    check(string_member(error, "code", where) == "FORBIDDEN", error, where);
  }
  void expect_echo(WsClient& client, const std::string& topic, Where where = Where::here()) {
    client.send_text("[\"" + topic + "\",\"echo\",1]", where);
    client.expect("[\"" + topic + "\",\"echoed\",1]", where);
  }
};

TEST(WhoMayDoWhat, a_rule_allows_and_what_none_allows_is_forbidden) {
  start({.plugins = {"echo"}, .tables = tables(R"(
[[access]]
topics = ["echo:open"]
who = ["anyone"]
may = ["send"]
[[access]]
topics = ["echo:<identity>"]
who = ["known"]
may = ["send", "subscribe"]
[[access]]
topics = ["*"]
who = ["group:ops"]
may = ["subscribe", "send"]
)")});
  WsClient nobody = connect();
  WsClient alice = connect(bearing(kAlice));
  WsClient bob = connect(bearing(kBob));
  expect_echo(nobody, "echo:open");
  expect_forbidden(nobody, "echo:open", "subscribe");
  expect_forbidden(nobody, "echo:alice", "echo");
  expect_forbidden(nobody, "nowhere", "echo");
  expect_echo(alice, "echo:alice");
  expect_forbidden(alice, "echo:bob", "echo");
  expect_echo(bob, "echo:whatever");
  expect_echo(bob, "echo:alice");
}

TEST(WhoMayDoWhat, rules_change_while_it_runs) {
  const std::string rule = R"(
[[access]]
topics = ["echo:*"]
who = ["anyone"]
may = ["subscribe", "send"]
)";
  ServerOptions options{.plugins = {"echo"}, .tables = tables(rule)};
  start(options);
  WsClient nobody = connect();
  WsClient alice = connect(bearing(kAlice));
  for (WsClient* client : {&nobody, &alice}) {
    client->send_text(R"(["echo:x","subscribe",null])");
    client->expect(R"(["echo:x","subscribed",{}])");
    client->receive();
  }
  options.tables.replace(options.tables.find("anyone"), 6, "known");
  server().folder().write("jackfield.toml", configuration_text(server().folder(), options));
  const std::string error = payload_of(nobody.receive(), "echo:x", "error");
  STRCMP_EQUAL("FORBIDDEN", string_member(error, "code").c_str());
  expect_forbidden(nobody, "echo:x", "echo");
  expect_echo(alice, "echo:x");
}
