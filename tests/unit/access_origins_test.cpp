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

}  // namespace

TEST_GROUP(AccessOrigins){};

TEST(AccessOrigins, who_is_no_browser_passes) {
  CHECK(OriginList().allows("", "x"));
  CHECK(list({"https://app.example"}).allows("", "x"));
}

TEST(AccessOrigins, by_default_the_page_is_of_the_same_host_whatever_the_port) {
  const OriginList same;
  CHECK(same.allows("http://app.example", "app.example"));
  CHECK(same.allows("https://app.example", "app.example:8443"));
  CHECK(same.allows("http://app.example:5173", "app.example:3001"));
  CHECK(same.allows("HTTP://App.Example", "aPP.eXAMPLE:80"));
  CHECK(same.allows("http://[::1]:8080", "[::1]:3001"));
  CHECK(same.allows("http://127.0.0.1:8080", "127.0.0.1:3001"));
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
    check(!same.allows(origin, "app.example"), origin);
  }
  for (const char* host : {"", ":80", "app.example:x", "app.example,evil", "[app.example"}) {
    check(!same.allows("http://app.example", host), host);
  }
  CHECK_FALSE(same.allows("http://localhost:8080", "127.0.0.1:3001"));
}

TEST(AccessOrigins, entries_are_scheme_host_and_port) {
  const OriginList some = list({"https://App.example", "http://dev.example:8080"});
  CHECK(some.allows("https://app.example", "other"));
  CHECK(some.allows("https://app.example:443", "other"));
  CHECK(some.allows("http://dev.example:8080", "other"));
  for (const char* origin : {"http://app.example", "https://app.example:8443", "http://dev.example",
                             "https://dev.example:8080", "https://x.app.example", "null"}) {
    check(!some.allows(origin, "app.example"), origin);
  }
  // The own host is one of many then.
  CHECK_FALSE(some.allows("https://own.example", "own.example"));
}

TEST(AccessOrigins, a_ports_name_may_be_the_schemes_own) {
  const OriginList some = list({"https://app.example:443", "http://app.example:80"});
  CHECK(some.allows("https://app.example", "x"));
  CHECK(some.allows("http://app.example", "x"));
  CHECK_FALSE(some.allows("https://app.example:80", "x"));
}

TEST(AccessOrigins, subdomains_are_those_behind_a_dot) {
  const OriginList some = list({"https://*.example.com"});
  CHECK(some.allows("https://a.example.com", "x"));
  CHECK(some.allows("https://a.b.Example.com", "x"));
  for (const char* origin : {"https://example.com", "https://.example.com", "https://evilexample.com",
                             "http://a.example.com", "https://a.example.com:8443",
                             "https://a.example.com.evil"}) {
    check(!some.allows(origin, "x"), origin);
  }
}

TEST(AccessOrigins, a_star_opens_and_null_is_listed_or_not) {
  CHECK(list({"*"}).allows("null", "x"));
  CHECK(list({"*"}).allows("whatever", "x"));
  CHECK(list({"null"}).allows("null", "x"));
  CHECK_FALSE(list({"null"}).allows("http://x", "x"));
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
