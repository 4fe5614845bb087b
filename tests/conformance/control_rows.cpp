// RFC 6455, 5.5: pings, pongs, and what holds for all control frames.
#include "tests/conformance/row.hpp"

namespace jackfield::conformance {

Subject control_rows() {
  Subject subject{"Control", "Control frames: pings and pongs"};
  const FrameShape not_final{.final = false};
  const std::string octets("\0\xff\x80 any octets", 14);

  subject.row("5.5.2", "a ping is answered with its payload")
      .on({ping("")}, pongs({""}))
      .on({ping("x")}, pongs({"x"}))
      .on({ping("Hello, world!")}, pongs({"Hello, world!"}))
      .on({ping(std::string(124, 'p'))}, pongs({std::string(124, 'p')}))
      .on({ping(std::string(125, 'p'))}, pongs({std::string(125, 'p')}));
  subject.row("5.5.2", "a ping's payload is any octets")
      .on({ping(octets)}, pongs({octets}))
      .on({ping(std::string(125, '\xfe'))}, pongs({std::string(125, '\xfe')}))
      .on({ping("\xc3")}, pongs({"\xc3"}));
  subject.row("5.5.2", "a ping goes with messages")
      .on({text(ask("1")), ping("x"), text(ask("2"))},
          {.messages = {answer("1"), answer("2")}, .pongs = {"x"}})
      .on({ping("x"), text(ask())}, {.messages = {answer()}, .pongs = {"x"}});
  std::vector<std::string> ten;
  std::vector<std::string> ten_payloads;
  for (int i = 0; i < 10; ++i) {
    ten_payloads.push_back("ping " + std::to_string(i));
    ten.push_back(ping(ten_payloads.back()));
  }
  subject.row("5.5.2", "each of several pings is answered")
      .on(ten, pongs(ten_payloads))
      .only(kEachFrame | kEachOctet);
  subject.row("5.5.3", "of several pings in one read each is answered, or the last")
      .on(ten, pongs(ten_payloads))
      .only(kOneWrite | kOverTls)
      .deviates({.name = "several pings in one read",
                 .cuts = kOneWrite | kOverTls,
                 .outcome = pongs({ten_payloads.front()})});
  subject.row("5.5.3", "a pong that nobody asked for means nothing")
      .on({pong("")}, nothing())
      .on({pong("x"), text(ask())}, answers({answer()}))
      .on({pong("\xff\xfe"), pong(std::string(125, 'p')), text(ask())}, answers({answer()}))
      .on({pong("x"), ping("y")}, pongs({"y"}));

  subject.row("5.5", "a control frame of more than 125 octets fails the connection")
      .on({ping(std::string(126, 'x'))}, closes(1002))
      .on({pong(std::string(126, 'x'))}, closes(1002))
      .on({close(close_payload(1000, std::string(124, 'x')))}, closes(1002))
      .on({ping(std::string(65536, 'x'))}, closes(1002));
  subject.row("5.5", "a control frame's length has only seven bits")
      .on({ping("x", {.length_bytes = 2})}, closes(1002))
      .on({pong("x", {.length_bytes = 8})}, closes(1002))
      .on({close(close_payload(1000), {.length_bytes = 2})}, closes(1002));
  subject.row("5.5", "a control frame in fragments fails the connection")
      .on({ping("x", not_final)}, closes(1002))
      .on({ping("x", not_final), continuation("y")}, closes(1002))
      .on({pong("", not_final)}, closes(1002))
      .on({pong("x", not_final), continuation("y")}, closes(1002))
      .on({close(close_payload(1000), not_final)}, closes(1002));
  return subject;
}

}  // namespace jackfield::conformance
