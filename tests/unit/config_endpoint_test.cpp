#include "core/config/endpoint.hpp"

#include <string>
#include <string_view>

#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using jackfield::config::parse_endpoint;
using jackfield::net::Endpoint;
using jackfield::test::check;

struct GoodRow {
  std::string_view text;
  Endpoint::Kind kind;
  std::string_view host;
  unsigned port;
  std::string_view path;
  std::string_view written;  // by to_text
};

struct BadRow {
  std::string_view text;
  std::string_view message;
};

}  // namespace

TEST_GROUP(ConfigEndpoint){};

TEST(ConfigEndpoint, reads_every_form_and_writes_it_back) {
  const GoodRow rows[] = {
      {"127.0.0.1:3001", Endpoint::Kind::kTcp4, "127.0.0.1", 3001, "", "127.0.0.1:3001"},
      {"0.0.0.0:0", Endpoint::Kind::kTcp4, "0.0.0.0", 0, "", "0.0.0.0:0"},
      {"localhost:80", Endpoint::Kind::kTcp4, "127.0.0.1", 80, "", "127.0.0.1:80"},
      {"192.0.2.1:65535", Endpoint::Kind::kTcp4, "192.0.2.1", 65535, "", "192.0.2.1:65535"},
      {"[::1]:3001", Endpoint::Kind::kTcp6, "::1", 3001, "", "[::1]:3001"},
      {"[::]:3001", Endpoint::Kind::kTcp6, "::", 3001, "", "[::]:3001"},
      {"[2001:DB8:0:0::1]:1", Endpoint::Kind::kTcp6, "2001:db8::1", 1, "", "[2001:db8::1]:1"},
      {"tls:127.0.0.1:3443", Endpoint::Kind::kTcp4, "127.0.0.1", 3443, "", "tls:127.0.0.1:3443"},
      {"tls:[::]:3443", Endpoint::Kind::kTcp6, "::", 3443, "", "tls:[::]:3443"},
      {"unix:/run/j.sock", Endpoint::Kind::kUnix, "", 0, "/run/j.sock", "unix:/run/j.sock"},
      {"unix:/a b:1", Endpoint::Kind::kUnix, "", 0, "/a b:1", "unix:/a b:1"},
  };
  for (const GoodRow& row : rows) {
    const auto result = parse_endpoint(row.text);
    check(result.is_ok(), std::string(row.text) + ": " + (result.is_ok() ? "" : result.message()));
    const Endpoint& endpoint = result.value();
    check(endpoint.kind == row.kind && endpoint.host == row.host && endpoint.port == row.port &&
              endpoint.path == row.path && endpoint.is_tls == row.text.starts_with("tls:"),
          std::string(row.text) + ": read as " + jackfield::net::to_text(endpoint));
    STRCMP_EQUAL(std::string(row.written).c_str(), jackfield::net::to_text(endpoint).c_str());
  }
}

TEST(ConfigEndpoint, says_the_right_form_of_a_bad_one) {
  const BadRow rows[] = {
      {"", R"(must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "")"},
      {"3001", R"(must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "3001")"},
      {":3001", R"(must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is ":3001")"},
      {"::3001", R"(must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "::3001")"},
      {"[::1]", R"(must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "[::1]")"},
      {"[::1:3001", R"(must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "[::1:3001")"},
      {"[:3001", R"(must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "[:3001")"},
      {"[]:3001", R"(must be [ADDRESS]:PORT with an IPv6 address, is "[]:3001")"},
      {"[127.0.0.1]:1", R"(must be [ADDRESS]:PORT with an IPv6 address, is "[127.0.0.1]:1")"},
      {"2001:db8::1:80", R"(must be [ADDRESS]:PORT, an IPv6 address in brackets, is )"
                         R"("2001:db8::1:80")"},
      {"example.org:80", R"(must be ADDRESS:PORT with a numeric address (0.0.0.0 for all) or )"
                         R"(localhost, is "example.org:80")"},
      {"*:80",
       R"(must be ADDRESS:PORT with a numeric address (0.0.0.0 for all) or localhost, is "*:80")"},
      {"127.1:80",
       R"(must be ADDRESS:PORT with a numeric address (0.0.0.0 for all) or localhost, is )"
       R"("127.1:80")"},
      {"127.0.0.1:", R"(must be an address and a port from 0 to 65535, is "127.0.0.1:")"},
      {"127.0.0.1:65536", R"(must be an address and a port from 0 to 65535, is "127.0.0.1:65536")"},
      {"127.0.0.1:-1", R"(must be an address and a port from 0 to 65535, is "127.0.0.1:-1")"},
      {"127.0.0.1:80 ", R"(must be an address and a port from 0 to 65535, is "127.0.0.1:80 ")"},
      {"[::1]:http", R"(must be an address and a port from 0 to 65535, is "[::1]:http")"},
      {"unix:", R"(must be unix: and an absolute path, is "unix:")"},
      {"unix:/", R"(must be unix: and an absolute path, is "unix:/")"},
      {"unix:run/j.sock", R"(must be unix: and an absolute path, is "unix:run/j.sock")"},
  };
  for (const BadRow& row : rows) {
    const auto result = parse_endpoint(row.text);
    check(!result.is_ok(), std::string(row.text) + ": is taken");
    STRCMP_EQUAL(std::string(row.message).c_str(), result.message().c_str());
  }
}

TEST(ConfigEndpoint, a_unix_path_has_the_length_that_the_system_takes) {
  const std::string longest = "/" + std::string(106, 'x');
  CHECK(parse_endpoint("unix:" + longest).is_ok());
  const auto refused = parse_endpoint("unix:" + longest + "x");
  CHECK(!refused.is_ok());
  STRCMP_EQUAL("must have a path of at most 107 octets, has 108", refused.message().c_str());
}

TEST(ConfigEndpoint, a_nul_hides_nothing) {
  CHECK(!parse_endpoint(std::string_view("127.0.0.1\0:80", 13)).is_ok());
  CHECK(!parse_endpoint(std::string_view("unix:/a\0b", 9)).is_ok());
}
