// RFC 6455, 4.2.2: the server's opening handshake.
#include "tests/conformance/row.hpp"

namespace jackfield::conformance {
namespace {

std::string with_line(const std::string& line) { return Handshake{.headers = {line}}.request(); }

}  // namespace

Subject answer_rows() {
  Subject subject{"Answers", "The server's opening handshake"};
  subject.row("4.2.2", "the answer is 101, with Upgrade and Connection")
      .on_request(Handshake().request(),
                  {{101}, {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}});
  auto& accept = subject.row("4.2.2", "Sec-WebSocket-Accept is made of the key");
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
           {"x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="},
           {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},
           {"/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="}}) {
    accept.on_request(Handshake{.key = key}.request(), {{101}, {{"Sec-WebSocket-Accept", value}}});
  }
  subject.row("RFC 9112 5.1", "white space before a value is none of it")
      .on_request(Handshake{.key = "   dGhlIHNhbXBsZSBub25jZQ=="}.request(),
                  {{101}, {{"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}}})
      .on_request(Handshake{.version = "   13"}.request(), {{101}});
  subject.row("RFC 9112 5.1", "white space behind a value is none of it")
      .on_request(Handshake{.version = "13 \t "}.request(), {{101}})
      .on_request(Handshake{.host = "localhost  "}.request(), {{101}})
      .on_request(Handshake{.connection = "Upgrade\t"}.request(), {{101}});
  subject.row("RFC 9112 5.1", "white space behind the key is none of it")
      .on_request(Handshake{.key = "dGhlIHNhbXBsZSBub25jZQ== "}.request(),
                  {{101}, {{"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}}})
      .deviates({.name = "white space behind the key", .reply = Reply{{400}}});
  subject.row("4.2.2", "no subprotocol is chosen where none was offered")
      .on_request(Handshake().request(), {{101}, {{"Sec-WebSocket-Protocol", ""}}});
  subject.row("4.2.2", "the subprotocol that is chosen is one of those that were offered")
      .on_request(with_line("Sec-WebSocket-Protocol: chat"),
                  {{101}, {{"Sec-WebSocket-Protocol", "chat"}}})
      .on_request(with_line("Sec-WebSocket-Protocol: chat.v9, other"),
                  {{101}, {{"Sec-WebSocket-Protocol", "chat.v9"}}})
      .on_request(with_line("Sec-WebSocket-Protocol: jackfield.v99"),
                  {{101}, {{"Sec-WebSocket-Protocol", "jackfield.v99"}}});
  subject.row("11.3.4", "Sec-WebSocket-Protocol may come in several fields")
      .on_request(Handshake{.headers = {"Sec-WebSocket-Protocol: one",
                                        "Sec-WebSocket-Protocol: two"}}
                      .request(),
                  {{101}, {{"Sec-WebSocket-Protocol", "one"}}});
  subject.row("9.1", "an extension that the server does not know is not accepted")
      .on_request(with_line("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
                  {{101}, {{"Sec-WebSocket-Extensions", ""}}})
      .on_request(with_line("Sec-WebSocket-Extensions: foo, bar; baz=2"),
                  {{101}, {{"Sec-WebSocket-Extensions", ""}}})
      .on_request(Handshake{.headers = {"Sec-WebSocket-Extensions: foo",
                                        "Sec-WebSocket-Extensions: permessage-deflate"}}
                      .request(),
                  {{101}, {{"Sec-WebSocket-Extensions", ""}}});
  subject.row("4.1", "what is sent before the answer is refused")
      .on_request(Handshake().request(), {{101}})
      .only(kWithFrame);
  subject.row("4.2.2", "a request without any of this is told to upgrade")
      .on_request(
          Handshake{.upgrade = "", .connection = "", .key = "", .version = ""}.request(),
          {{426}, {{"Upgrade", "websocket"}}});
  subject.row("RFC 9110 15.5.22", "426 names the protocol that is wanted")
      .on_request(Handshake{.version = "8"}.request(),
                  {{426}, {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}}});
  subject.row("RFC 9110 15.5.6", "405 names the methods that are allowed")
      .on_request(Handshake{.method = "POST", .headers = {"Content-Length: 0"}}.request(),
                  {{405}, {{"Allow", "GET"}}});
  return subject;
}

}  // namespace jackfield::conformance
