// RFC 6455, 5.5.1, 7.1 and 7.4: the closing handshake and its codes.
#include "tests/conformance/row.hpp"

namespace jackfield::conformance {

Subject closing_rows() {
  Subject subject{"Closing", "The closing handshake and its codes"};

  auto& own = subject.row("5.5.1", "a Close is answered with a Close, of the same code");
  for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u}) {
    own.on({close(close_payload(code))}, closes(code));
  }
  auto& private_use = subject.row("7.4.2", "codes from 3000 to 4999 may be sent");
  for (const unsigned code : {3000u, 3001u, 3999u, 4000u, 4001u, 4999u}) {
    private_use.on({close(close_payload(code))}, closes(code));
  }
  auto& registered = subject.row(
      "7.4.2", "1012 to 1014, registered since, are answered with 1002 or with themselves");
  for (const unsigned code : {1012u, 1013u, 1014u}) {
    registered.on({close(close_payload(code))}, {.close = {code, 1002}});
  }
  subject.row("5.5.1", "a Close without a code is answered")
      .on({close("")}, {.close = {kNoCode, 1000}});
  subject.row("5.5.1", "a Close may have a reason")
      .on({close(close_payload(1000, "going away now"))}, closes(1000))
      .on({close(close_payload(4001, "ü 😀"))}, closes(4001))
      .on({close(close_payload(1000, std::string(123, 'x')))}, closes(1000));
  subject.row("5.5.1", "a Close with a payload of one octet is a protocol error")
      .on({close("\x03")}, closes(1002))
      .on({close("x")}, closes(1002));
  auto& reserved = subject.row("7.4.1", "the codes 1004, 1005, 1006 and 1015 are never sent");
  for (const unsigned code : {1004u, 1005u, 1006u, 1015u}) {
    reserved.on({close(close_payload(code))}, closes(1002));
  }
  auto& unused = subject.row("7.4.2", "codes from 0 to 999 are not used");
  for (const unsigned code : {0u, 1u, 999u}) {
    unused.on({close(close_payload(code))}, closes(1002));
  }
  auto& undefined = subject.row("7.4.2", "codes from 1016 to 2999 are not defined");
  for (const unsigned code : {1016u, 1100u, 2000u, 2999u}) {
    undefined.on({close(close_payload(code))}, closes(1002));
  }
  auto& beyond = subject.row("7.4", "codes from 5000 on are none");
  for (const unsigned code : {5000u, 5001u, 65535u}) {
    beyond.on({close(close_payload(code))}, closes(1002));
  }
  subject.row("5.5.1", "a reason that is not UTF-8 is answered with 1007")
      .on({close(close_payload(1000, "\xff"))}, closes(1007))
      .on({close(close_payload(1000, "abc\xc3"))}, closes(1007))
      .on({close(close_payload(1000, "\xed\xa0\x80"))}, closes(1007))
      .on({close(close_payload(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"))},
          closes(1007));

  subject.row("5.5.1", "what comes behind a Close is not handled")
      .on({close(close_payload(1000)), text(unheard())}, closes(1000))
      .on({close(close_payload(1000)), text(unheard()), text(unheard()), ping("x")}, closes(1000))
      .on({close(""), binary(unheard())}, {.close = {kNoCode, 1000}});
  subject.row("5.5.2", "a ping behind a Close is not answered")
      .on({close(close_payload(1000)), ping("late")}, closes(1000));
  subject.row("5.5.1", "a second Close is not answered")
      .on({close(close_payload(1000)), close(close_payload(1001))}, closes(1000));
  subject.row("5.5.1", "rubbish behind a Close changes nothing")
      .on({close(close_payload(1000)), frame_bytes(static_cast<Opcode>(3), "")}, closes(1000))
      .on({close(close_payload(1000)), std::string(500, '\xff')}, closes(1000));
  std::vector<std::string> asked;
  std::vector<std::string> answered;
  for (int i = 0; i < 50; ++i) {
    asked.push_back(text(ask(std::to_string(i))));
    answered.push_back(answer(std::to_string(i)));
  }
  asked.push_back(close(close_payload(1000)));
  subject.row("5.5.1", "what was asked before a Close is answered before it")
      .on(asked, {.messages = answered, .close = {1000}});
  subject.row("5.5.2", "a ping before a Close is answered, or the Close is")
      .on({ping("x"), close(close_payload(1000))}, {.pongs = {"x"}, .close = {1000}})
      .only(kEachFrame | kEachOctet);

  subject.row("7.1.7", "behind the server's own Close the client's messages are not handled")
      .on({text("\xff"), text(unheard()), text(unheard())}, closes(1007))
      .on({text("\xff"), ping("late"), text(unheard())}, closes(1007));
  subject.row("7.1.1", "the server ends the connection when both have sent Close")
      .on({text("\xff"), close(close_payload(1007))}, closes(1007))
      .on({frame_bytes(static_cast<Opcode>(3), ""), close(close_payload(1002))}, closes(1002));
  return subject;
}

}  // namespace jackfield::conformance
