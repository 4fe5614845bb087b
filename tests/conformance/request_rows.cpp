// RFC 6455, 4.2.1, and the HTTP (RFC 9110, 9112) below it: what a request for an upgrade must be.
#include "tests/conformance/row.hpp"

namespace jackfield::conformance {
namespace {

const Reply kUpgraded{{101}};
const Reply kBad{{400}};
const Reply kUnknownMethod{{400, 403, 405, 501}};
const Reply kNoUpgrade{{400, 403, 426}};
const Deviation kUnanswered{.name = "requests that libwebsockets gives up", .reply = Reply{{0}}};

std::string with_line(const std::string& line) { return Handshake{.headers = {line}}.request(); }

void replace(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

std::string with(std::string_view what, std::string_view instead) {
  std::string request = Handshake().request();
  replace(request, what, instead);
  return request;
}

void add_request_line(Subject& subject) {
  subject.row("4.2.1", "a request that is right is upgraded")
      .on_request(Handshake().request(), kUpgraded);
  auto& method = subject.row("4.2.1", "the method is GET; another one is refused");
  for (const char* name : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"}) {
    method.on_request(Handshake{.method = name, .headers = {"Content-Length: 0"}}.request(),
                      {{400, 405, 501}});
  }
  subject.row("RFC 9110 9.1", "a method that is unknown is refused")
      .on_request(Handshake{.method = "BREW"}.request(), kUnknownMethod)
      .on_request(Handshake{.method = "GE"}.request(), kUnknownMethod);
  subject.row("RFC 9110 9.1", "the method CONNECT is refused with an answer")
      .on_request(Handshake{.method = "CONNECT"}.request(), kUnknownMethod)
      .on_request("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", kUnknownMethod);
  subject.row("RFC 9110 9.1", "a method has its case")
      .on_request(Handshake{.method = "get"}.request(), kUnknownMethod)
      .deviates({.name = "methods in lower case", .reply = kUpgraded});
  subject.row("RFC 9112 3", "a request has one request line")
      .on_request("POST / HTTP/1.1\r\n" + Handshake().request(), {{400, 405}});
  subject.row("4.2.1", "a request with the same request line twice is refused with an answer")
      .on_request("GET /other HTTP/1.1\r\n" + Handshake().request(), kBad)
      .deviates(kUnanswered);
  subject.row("RFC 9112 3", "the request line comes first")
      .on_request("Cookie: a=b\r\n" + Handshake().request(), kBad)
      .deviates({.name = "a field before the request line", .reply = kUpgraded});
  subject.row("4.2.1", "the version of HTTP is 1.1 or higher")
      .on_request(Handshake{.http = "HTTP/1.0"}.request(), {{400, 426, 505}});
  subject.row("RFC 9112 2.3", "a version of HTTP that is none is refused")
      .on_request(Handshake{.http = "HTTP/0.9"}.request(), {{400, 505}})
      .on_request(Handshake{.http = "HTTP/2.0"}.request(), {{400, 505}})
      .on_request(Handshake{.http = "http/1.1"}.request(), {{400, 505}})
      .on_request(Handshake{.http = "HTTP/1.1x"}.request(), {{400, 505}})
      .on_request(with(" HTTP/1.1", ""), {{400, 505}});
  subject.row("4.2.1", "octets that are no request are refused with an answer")
      .on_request("\x16\x03\x01\x02 this is no request\r\n\r\n", {{400, 403}})
      .on_request(std::string(300, '\0') + "\r\n\r\n", {{400, 403}});
  subject.row("RFC 9112 3.2", "a target that is malformed is refused")
      .on_request(Handshake{.path = "/%zz"}.request(), {{400, 403}})
      .on_request(Handshake{.path = "/%1"}.request(), {{400, 403}});
  subject.row("3", "any target is taken where none is configured")
      .on_request(Handshake{.path = "/ws"}.request(), kUpgraded)
      .on_request(Handshake{.path = "/a/b/c"}.request(), kUpgraded)
      .on_request(Handshake{.path = "/?query=1"}.request(), kUpgraded)
      .on_request(Handshake{.path = "/%20?a=b&c=d"}.request(), kUpgraded);
  subject.row("RFC 9112 3.2.2", "a target may be absolute")
      .on_request(Handshake{.path = "http://localhost/ws"}.request(), kUpgraded);
}

void add_fields(Subject& subject) {
  subject.row("RFC 9112 3.2", "a request without Host is refused with 400")
      .on_request(Handshake{.host = ""}.request(), kBad);
  subject.row("RFC 9112 3.2", "a request with two Hosts is refused with 400")
      .on_request(with_line("Host: localhost"), kBad)
      .on_request(with_line("Host: other.example"), kBad);
  auto& host = subject.row("RFC 9112 3.2", "a Host that is none is refused with 400");
  for (const char* value : {"a b", "a/b", "user@host", "host:port", "[::1", "ho\x01st"}) {
    host.on_request(Handshake{.host = value}.request(), kBad);
  }
  auto& hosts = subject.row("RFC 9110 7.2", "Host is a name or an address, with a port or without");
  for (const char* value :
       {"localhost:3001", "127.0.0.1", "[::1]:80", "a-b.example.", "x%41y", "h:", "a,b"}) {
    hosts.on_request(Handshake{.host = value}.request(), kUpgraded);
  }

  subject.row("4.2.1", "Upgrade holds websocket in any case")
      .on_request(Handshake{.upgrade = "WebSocket"}.request(), kUpgraded)
      .on_request(Handshake{.upgrade = "WEBSOCKET"}.request(), kUpgraded);
  subject.row("4.1", "Upgrade may name other protocols, too")
      .on_request(Handshake{.upgrade = "websocket, h2c"}.request(), kUpgraded)
      .on_request(Handshake{.upgrade = "TLS/1.0, websocket"}.request(), kUpgraded)
      .deviates({.name = "several protocols in Upgrade", .reply = Reply{{403}}});
  subject.row("4.2.1", "without websocket in Upgrade there is none")
      .on_request(Handshake{.upgrade = ""}.request(), kNoUpgrade)
      .on_request(Handshake{.upgrade = "websockets"}.request(), kNoUpgrade)
      .on_request(Handshake{.upgrade = "web"}.request(), kNoUpgrade)
      .on_request(Handshake{.upgrade = "h2c"}.request(), kNoUpgrade)
      .on_request(Handshake{.upgrade = "TLS/1.0"}.request(), kNoUpgrade);
  auto& connection = subject.row("4.2.1", "Connection is a list with Upgrade in any case");
  for (const char* value :
       {"upgrade", "UPGRADE", "keep-alive, Upgrade", "keep-alive,upgrade", "Upgrade , keep-alive",
        "Upgrade ,,", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,upgrade"}) {
    connection.on_request(Handshake{.connection = value}.request(), kUpgraded);
  }
  connection.on_request(
      Handshake{.connection = "keep-alive", .headers = {"Connection: Upgrade"}}.request(),
      kUpgraded);
  subject.row("RFC 9110 5.6.1.2", "empty elements of a list are passed over")
      .on_request(Handshake{.connection = ", Upgrade"}.request(), kUpgraded)
      .on_request(Handshake{.connection = "keep-alive,, Upgrade"}.request(), kUpgraded)
      .deviates({.name = "what libwebsockets does not find in Connection", .reply = kBad});
  subject.row("RFC 9110 5.6.1", "a list may be long, and have numbers in it")
      .on_request(Handshake{.connection = std::string(200, 'x') + ", Upgrade"}.request(), kUpgraded)
      .on_request(Handshake{.connection = "1, Upgrade"}.request(), kUpgraded)
      .deviates({.name = "what libwebsockets does not find in Connection", .reply = kBad});
  auto& no_upgrade = subject.row("4.2.1", "without Upgrade in Connection there is none");
  for (const char* value : {"", "keep-alive", "Upgraded", "Up grade", "up", "close"}) {
    no_upgrade.on_request(Handshake{.connection = value}.request(), kNoUpgrade);
  }

  auto& key = subject.row("4.2.1", "Sec-WebSocket-Key is base64 of 16 octets");
  for (const char* value :
       {"", "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZSE=", "dGhlIHNhbXBsZSBub25jZSEh", "!!!!!!!!!!!!!!!!!!!!!!==",
        "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25j ZQ==", "dGhlIHNhbXBsZSBub25jZQ==x",
        "=GhlIHNhbXBsZSBub25jZQ=="}) {
    key.on_request(Handshake{.key = value}.request(), kBad);
  }
  key.on_request(Handshake{.key = std::string(500, 'A')}.request(), kBad);
  subject.row("11.3.1", "Sec-WebSocket-Key comes once")
      .on_request(with_line("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), kBad)
      .on_request(with_line("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), kBad)
      .on_request(with_line("Sec-WebSocket-Key: "), kBad);
  const Reply other_version{{400, 426}, {{"Sec-WebSocket-Version", "13"}}};
  auto& version = subject.row("4.2.2", "another version is told which one is spoken");
  for (const char* value : {"8", "14", "0", "7", "x", "130", "013", "-13", "13.0", "13, 8", ""}) {
    version.on_request(Handshake{.version = value}.request(), other_version);
  }
  subject.row("11.3.5", "Sec-WebSocket-Version comes once")
      .on_request(with_line("Sec-WebSocket-Version: 13"), other_version)
      .on_request(with_line("Sec-WebSocket-Version: 8"), other_version);
  subject.row("4.1", "what Sec-WebSocket-Protocol lists are tokens")
      .on_request(with_line("Sec-WebSocket-Protocol: a b"), kBad)
      .on_request(with_line("Sec-WebSocket-Protocol: chat, (comment)"), kBad)
      .on_request(with_line("Sec-WebSocket-Protocol: \"chat\""), kBad)
      .on_request(with_line("Sec-WebSocket-Protocol: ch\xe4t"), kBad);
  subject.row("4.1", "Sec-WebSocket-Protocol may be long")
      .on_request(with_line("Sec-WebSocket-Protocol: " + std::string(64, 'x')), kUpgraded)
      .on_request(with_line("Sec-WebSocket-Protocol: a, " + std::string(130, 'x')), kUpgraded)
      .on_request(with_line("Sec-WebSocket-Protocol: 13"), kUpgraded)
      .deviates({.name = "long subprotocols", .reply = kBad});
  subject.row("4.1", "what Sec-WebSocket-Protocol lists twice is taken (a MUST of the client's)")
      .on_request(with_line("Sec-WebSocket-Protocol: chat, chat"), kUpgraded);
  subject.row("RFC 9110 5.1", "names of fields have no case")
      .on_request(with("Upgrade:", "uPGRADE:"), kUpgraded)
      .on_request(with("Sec-WebSocket-Key:", "SEC-WEBSOCKET-KEY:"), kUpgraded)
      .on_request(with("Sec-WebSocket-Version:", "sec-websocket-version:"), kUpgraded);
  subject.row("4.2.1", "fields that mean nothing here are passed over")
      .on_request(with_line("X-Unknown: " + std::string(1000, 'x')), kUpgraded)
      .on_request(with_line("Cookie: a=b; c=d"), kUpgraded)
      .on_request(with_line("Pragma: no-cache"), kUpgraded)
      .on_request(with_line("X-Empty:"), kUpgraded);
  auto& beginning = subject.row("4.2.1", "also one whose name is the beginning of another's");
  for (const char* name : {"X-Auth", "X-Forwarded", "X-Real", "User", "If", "A"}) {
    beginning.on_request(with("Upgrade:", std::string(name) + ": 1\r\nUpgrade:"), kUpgraded);
  }
  beginning.deviates({.name = "the beginning of a field's name", .reply = Reply{{426}}});
}

void add_syntax(Subject& subject) {
  subject.row("RFC 9112 5.1", "a space before a field's colon is refused with 400")
      .on_request(with_line("X-Other : 1"), kBad)
      .on_request(with_line("Host : other.example"), kBad)
      .deviates({.name = "names of fields that are none", .reply = kUpgraded});
  subject.row("RFC 9112 5.1", "a space before a colon is not passed over")
      .on_request(with("Upgrade:", "Upgrade :"), kNoUpgrade)
      .on_request(with("Host:", "Host :"), kBad)
      .on_request(with("Sec-WebSocket-Key:", "Sec-WebSocket-Key :"), kBad);
  subject.row("RFC 9110 5.1", "a field's name is a token")
      .on_request(with_line("X(Y): 1"), kBad)
      .on_request(with_line("X Y: 1"), kBad)
      .deviates({.name = "names of fields that are none", .reply = kUpgraded});
  subject.row("RFC 9112 2.2", "white space before the first field is refused with 400")
      .on_request(with("\r\nHost", "\r\n Host"), kBad);
  subject.row("RFC 9112 5.2", "a field that is folded is refused with 400, or read as one")
      .on_request(with("Upgrade:", "X-Folded: a\r\n b\r\nX-Other: c\r\nUpgrade:"), {{400, 101}})
      .on_request(with("Upgrade: websocket", "Upgrade:\r\n websocket"), {{400, 101, 426}})
      .on_request(with("Host: localhost", "Host: local\r\n host"), {{400, 101, 426}});
  subject.row("RFC 9112 5", "a line that is no field does not hide the next one")
      .on_request(with("\r\nUpgrade", "\r\nX-Before: 1\r\nno field\r\nUpgrade"), kNoUpgrade)
      .on_request(with("\r\nSec-WebSocket-Key", "\r\n folded\r\nSec-WebSocket-Key"), kBad);
  subject.row("RFC 9110 5.5", "a NUL in a field's value is refused, or passed over")
      .on_request(with_line(std::string("X-Nul: a") + '\0' + "b"), {{400, 101}})
      .on_request(with("Upgrade: websocket", std::string("Upgrade: web") + '\0' + "socket"),
                  kNoUpgrade);
  subject.row("RFC 9110 5.5", "a bare CR in a field's value is refused, or read as a space")
      .on_request(with("Host: localhost", "Host: local\rhost"), kBad)
      .deviates({.name = "a bare CR", .reply = kUpgraded});
  std::string bare = Handshake().request();
  replace(bare, "\r\n", "\n");
  subject.row("RFC 9112 2.2", "a line may end with LF alone").on_request(bare, {{101, 400}});
  // Of the second libwebsockets 4.1 asks about memory that it has freed.
  const std::string plain = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  subject.row("RFC 9112 9.3.2", "requests may follow each other in one write")
      .on_request(plain + with("Upgrade: websocket", "Upgrade: TLS/1.0"), {{426}})
      .on_request(plain + plain + plain, {{426}});
  subject.row("RFC 9112 2.2", "empty lines before the request are passed over, or refused")
      .on_request("\r\n" + Handshake().request(), {{101, 400}})
      .on_request("\n\n" + Handshake().request(), {{101, 400}})
      .deviates(kUnanswered);
  subject.row("RFC 9110 5.4", "fields that are too large are refused with a 4xx")
      .on_request(with_line("X-Long: " + std::string(1 << 16, 'x')), {{400, 431}})
      .on_request(with_line("Cookie: " + std::string(1 << 20, 'x')), {{400, 431}})
      .on_request(with("Upgrade:", "X-Long: " + std::string(1 << 16, 'x') + "\r\nUpgrade:"),
                  {{400, 431}})
      .deviates(kUnanswered);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "X-Many-" + std::to_string(i) + ": 1\r\n";
  subject.row("RFC 9110 5.4", "fields that are too many are refused with a 4xx")
      .on_request(with("Upgrade:", many + "Upgrade:"), {{400, 431}})
      .deviates(kUnanswered);
  subject.row("RFC 9112 3", "a target that is too long is refused with a 4xx")
      .on_request(Handshake{.path = "/" + std::string(1 << 16, 'x')}.request(), {{400, 414}})
      .deviates(kUnanswered);
}

// Requests that never end, as libwebsockets reads them: these take the time for a handshake.
void add_endless(Subject& subject) {
  subject.row("RFC 9112 5", "a last line that is no field is refused with 400")
      .on_request(with_line("no field at all"), kBad)
      .on_request(with_line("X-Folded: a\r\n b"), kBad)
      .on_request(with_line(": empty name"), kBad)
      .only(kOneWrite)
      .deviates({.name = "lines that are no field", .cuts = kOneWrite, .reply = Reply{{408}}});
}

}  // namespace

Subject request_rows() {
  Subject subject{"Requests", "The client's opening handshake"};
  add_request_line(subject);
  add_fields(subject);
  add_syntax(subject);
  return subject;
}

Subject endless_rows() {
  Subject subject{"Endless", "Requests of which libwebsockets does not see the end"};
  add_endless(subject);
  return subject;
}

}  // namespace jackfield::conformance
