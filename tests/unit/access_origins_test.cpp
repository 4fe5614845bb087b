// Which pages may connect.
#include "core/access/origins.hpp"

#include <string>
#include <vector>

#include "core/access/settings.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using jackfield::access::OriginList;
using jackfield::access::read_origin;
using jackfield::test::check;

OriginList list(const std::vector<std::string>& texts) {
  std::vector<std::string> kept;
  for (const std::string& text : texts) {
    const auto read = read_origin(text);
    check(read.is_ok(), text);
    kept.push_back(read.value());
  }
  return OriginList(kept);
}

bool allows(const OriginList& origins, std::string_view origin, std::string_view host) {
  return origins.refusal({.origin = origin, .host = host}).empty();
}

}  // namespace

TEST_GROUP(AccessOrigins){};

TEST(AccessOrigins, who_is_no_browser_passes) {
  CHECK(allows(OriginList(), "", "x"));
  CHECK(allows(list({"https://app.example"}), "", "x"));
}

TEST(AccessOrigins, by_default_the_page_is_of_the_same_host_whatever_the_port) {
  const OriginList same;
  CHECK(allows(same, "http://app.example", "app.example"));
  CHECK(allows(same, "https://app.example", "app.example:8443"));
  CHECK(allows(same, "http://app.example:5173", "app.example:3001"));
  CHECK(allows(same, "HTTP://App.Example", "aPP.eXAMPLE:80"));
  CHECK(allows(same, "http://[::1]:8080", "[::1]:3001"));
  CHECK(allows(same, "http://127.0.0.1:8080", "127.0.0.1:3001"));
}

TEST(AccessOrigins, by_default_no_other_page_is_allowed) {
  const OriginList same;
  for (const char* origin :
       {"http://evil.example", "http://app.example.evil.example", "http://evil-app.example",
        "http://sub.app.example", "null", "app.example", "http://", "http:///", "//app.example",
        "http://app.example/", "http://app.example/path", "http://user@app.example",
        "http://app.example:0", "http://app.example:99999", "http://app.example:x", "http:app.example",
        "http://app.example evil", "http://app.example, http://evil.example", "file://",
        "http://localhost", "javascript:alert(1)", " http://app.example"}) {
    check(!allows(same, origin, "app.example"), origin);
  }
  for (const char* host : {"", ":80", "app.example:x", "app.example,evil", "[app.example"}) {
    check(!allows(same, "http://app.example", host), host);
  }
  CHECK_FALSE(allows(same, "http://localhost:8080", "127.0.0.1:3001"));
}

TEST(AccessOrigins, by_default_a_page_that_came_without_tls_may_not_connect_with_it) {
  const auto over_tls = [](const OriginList& origins, std::string_view origin) {
    return std::string(origins.refusal({.origin = origin, .host = "app.example", .is_tls = true}));
  };
  const OriginList same;
  STRCMP_EQUAL("", over_tls(same, "https://app.example").c_str());
  STRCMP_EQUAL("", over_tls(same, "https://app.example:8443").c_str());
  STRCMP_EQUAL("", over_tls(same, "").c_str());
  STRCMP_EQUAL("it came without TLS to connect with it",
               over_tls(same, "http://app.example").c_str());
  STRCMP_EQUAL("it is of another host", over_tls(same, "https://evil.example").c_str());
  // A proxy that ends TLS in front of the server.
  CHECK(allows(same, "https://app.example", "app.example"));
  STRCMP_EQUAL("", over_tls(list({"http://app.example"}), "http://app.example").c_str());
}

TEST(AccessOrigins, by_default_no_name_leads_a_page_to_a_loopback_address_but_localhost) {
  const auto to_loopback = [](const OriginList& origins, const std::string& host) {
    const std::string origin = "http://" + host;
    return std::string(origins.refusal({.origin = origin, .host = host, .is_loopback = true}));
  };
  const OriginList same;
  for (const char* host : {"localhost", "LocalHost", "app.localhost", "a.b.localhost", "127.0.0.1",
                           "127.1.2.3", "0.0.0.0", "192.168.1.5", "[::1]", "[::ffff:127.0.0.1]"}) {
    check(to_loopback(same, host).empty(), host);
    check(to_loopback(same, host + std::string(":3001")).empty(), host);
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "evillocalhost", ".localhost",
                           "127.0.0.1.evil.example", "1.2.3", "256.0.0.1", "lamp", "127.1",
                           "localhost.", "[::1]]", "[1.2.3.4]"}) {
    check(!to_loopback(same, host).empty(), host);
  }
  STRCMP_CONTAINS("name it in server.origins", to_loopback(same, "evil.example").c_str());
  STRCMP_EQUAL("", to_loopback(list({"http://app.example"}), "app.example").c_str());
  STRCMP_EQUAL("", to_loopback(list({"*"}), "app.example").c_str());
  // Who is no browser has not been led here by a page.
  STRCMP_EQUAL("", std::string(same.refusal({.origin = "", .host = "app.example", .is_loopback = true})).c_str());
  CHECK(allows(same, "http://app.example", "app.example"));
}

TEST(AccessOrigins, entries_are_scheme_host_and_port) {
  const OriginList some = list({"https://App.example", "http://dev.example:8080"});
  CHECK(allows(some, "https://app.example", "other"));
  CHECK(allows(some, "https://app.example:443", "other"));
  CHECK(allows(some, "http://dev.example:8080", "other"));
  for (const char* origin : {"http://app.example", "https://app.example:8443", "http://dev.example",
                             "https://dev.example:8080", "https://x.app.example", "null"}) {
    check(!allows(some, origin, "app.example"), origin);
  }
  // The own host is one of many then.
  CHECK_FALSE(allows(some, "https://own.example", "own.example"));
}

TEST(AccessOrigins, a_ports_name_may_be_the_schemes_own) {
  const OriginList some = list({"https://app.example:443", "http://app.example:80"});
  CHECK(allows(some, "https://app.example", "x"));
  CHECK(allows(some, "http://app.example", "x"));
  CHECK_FALSE(allows(some, "https://app.example:80", "x"));
}

TEST(AccessOrigins, subdomains_are_those_behind_a_dot) {
  const OriginList some = list({"https://*.example.com"});
  CHECK(allows(some, "https://a.example.com", "x"));
  CHECK(allows(some, "https://a.b.Example.com", "x"));
  for (const char* origin : {"https://example.com", "https://.example.com", "https://evilexample.com",
                             "http://a.example.com", "https://a.example.com:8443",
                             "https://a.example.com.evil"}) {
    check(!allows(some, origin, "x"), origin);
  }
}

TEST(AccessOrigins, a_star_opens_and_null_is_listed_or_not) {
  CHECK(allows(list({"*"}), "null", "x"));
  CHECK(allows(list({"*"}), "whatever", "x"));
  CHECK(allows(list({"null"}), "null", "x"));
  CHECK_FALSE(allows(list({"null"}), "http://x", "x"));
}

TEST(AccessOrigins, what_is_no_origin_is_no_entry) {
  for (const char* text : {"", "app.example", "https://", "https://app.example/", "https://*",
                           "https://*app.example", "https://a.*.example", "https://app.example:0",
                           "https://app.example:70000", "*.example.com", "https://app example"}) {
    check(!read_origin(text).is_ok(), text);
  }
  STRCMP_EQUAL("https://*.example.com", read_origin("HTTPS://*.Example.com:443").value().c_str());
  STRCMP_EQUAL("http://[::1]:8080", read_origin("http://[::1]:8080").value().c_str());
}
