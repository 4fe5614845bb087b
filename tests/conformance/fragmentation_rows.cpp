// RFC 6455, 5.4: messages in fragments.
#include "tests/conformance/row.hpp"

namespace jackfield::conformance {
namespace {

const FrameShape kNotFinal{.final = false};

std::string start(std::string_view payload) { return text(payload, kNotFinal); }

}  // namespace

Subject fragmentation_rows() {
  Subject subject{"Fragmentation", "Messages in fragments"};
  const std::string message = ask();
  const std::string head = message.substr(0, 9);
  const std::string tail = message.substr(9);

  auto& one = subject.row("5.4", "a message in fragments is one message");
  for (const std::size_t octets : {1u, 2u, 3u, 5u, 11u, 20u}) {
    one.on(fragments(message, octets), answers({answer()}));
    one.on(fragments(message, octets, Opcode::kBinary), answers({answer()}));
  }
  std::vector<std::string> three = fragments(ask("1"), 4);
  for (const auto& more : {fragments(ask("2"), 7), fragments(ask("3"), 100)}) {
    three.insert(three.end(), more.begin(), more.end());
  }
  subject.row("5.4", "messages in fragments follow each other")
      .on(three, answers({answer("1"), answer("2"), answer("3")}));
  subject.row("5.4", "fragments may be empty")
      .on({start(""), continuation(message)}, answers({answer()}))
      .on({start(message), continuation("")}, answers({answer()}))
      .on({start(""), continuation("", kNotFinal), continuation(message, kNotFinal),
           continuation("", kNotFinal), continuation("")},
          answers({answer()}));
  subject.row("5.4", "a message of empty fragments is empty")
      .on({start(""), continuation("")}, answers({no_json()}))
      .on({start(""), continuation("", kNotFinal), continuation("")}, answers({no_json()}))
      .on({binary("", kNotFinal), continuation(""), text(message)}, answers({no_json(), answer()}));
  std::vector<std::string> many = {start("")};
  for (int i = 0; i < 1000; ++i) many.push_back(continuation("", kNotFinal));
  many.push_back(continuation(message));
  subject.row("5.4", "a message may have a thousand fragments")
      .on(many, answers({answer()}))
      .only(kEachFrame | kOddPieces | kOneWrite | kOverTls);
  subject.row("5.4", "fragments may have any lengths")
      .on(fragments(ask("\"" + std::string(70000, 'x') + "\""), 66000),
          answers({answer("\"" + std::string(70000, 'x') + "\"")}))
      .on(fragments(ask("\"" + std::string(2000, 'x') + "\""), 126),
          answers({answer("\"" + std::string(2000, 'x') + "\"")}));

  subject.row("5.4", "control frames may come between fragments")
      .on({start(head), ping("between"), continuation(tail)},
          {.messages = {answer()}, .pongs = {"between"}})
      .on({start(head), pong("unasked"), continuation(tail)}, answers({answer()}))
      .on({start(""), pong(""), continuation(message, kNotFinal), pong("x"), continuation("")},
          answers({answer()}))
      .on({binary(head, kNotFinal), ping(std::string(125, 'p')), continuation(tail)},
          {.messages = {answer()}, .pongs = {std::string(125, 'p')}});
  subject.row("5.4", "a ping is answered while its message is not whole yet")
      .on({start(head), ping("now"), close(close_payload(1000))},
          {.pongs = {"now"}, .close = {1000}})
      .only(kEachFrame | kEachOctet);
  subject.row("5.5.2", "pings between all the fragments are answered")
      .on({start(head), ping("1"), continuation("", kNotFinal), ping("2"), continuation(tail)},
          {.messages = {answer()}, .pongs = {"1", "2"}})
      .only(kEachFrame | kEachOctet);
  subject.row("5.5.1", "a Close may come between fragments, and ends the message")
      .on({start(head), close(close_payload(1000))}, closes(1000))
      .on({start(R"(["echo:unheard","say",)"), close(close_payload(1001)),
           continuation(R"({"text":"late"}])")},
          closes(1001));

  subject.row("5.4", "a continuation of nothing fails the connection")
      .on({continuation(message)}, closes(1002))
      .on({continuation("")}, closes(1002))
      .on({continuation(message, kNotFinal)}, closes(1002))
      .on({continuation("", kNotFinal), continuation("")}, closes(1002));
  subject.row("5.4", "a continuation behind a message that has ended fails the connection")
      .on({text(message), continuation(unheard())}, {.messages = {answer()}, .close = {1002}})
      .on({start(head), continuation(tail), continuation(unheard())},
          {.messages = {answer()}, .close = {1002}})
      .on({start(head), continuation(tail), continuation(unheard(), kNotFinal)},
          {.messages = {answer()}, .close = {1002}});
  subject.row("5.4", "a new message within another fails the connection")
      .on({start(head), text(unheard())}, closes(1002))
      .on({start(head), binary(unheard())}, closes(1002))
      .on({binary(head, kNotFinal), text(tail)}, closes(1002))
      .on({start(head), start(tail)}, closes(1002))
      .on({start(""), text("")}, closes(1002))
      .on({start(head), continuation(tail, kNotFinal), text(unheard())}, closes(1002))
      .on({start(head), pong("between"), text(unheard())}, closes(1002));
  return subject;
}

}  // namespace jackfield::conformance
