// RFC 6455, 5.6 and 8.1: text is UTF-8 (RFC 3629).
#include "tests/conformance/row.hpp"
#include "tests/unit/wire_json_table.hpp"

namespace jackfield::conformance {
namespace {

using namespace std::string_view_literals;

std::string quoted(std::string_view characters) {
  return "\"" + std::string(characters) + "\"";
}

// Text of these octets: in one frame, cut in two fragments at each place, each octet a fragment.
void add_valid(Row& row, std::string_view octets) {
  const std::string message = ask(quoted(octets));
  const Outcome outcome = answers({answer(quoted(octets))});
  row.on({text(message)}, outcome);
  const std::size_t begin = message.find(octets);
  for (std::size_t at = begin; at <= begin + octets.size(); ++at) {
    row.on({text(message.substr(0, at), {.final = false}), continuation(message.substr(at))},
           outcome);
  }
  row.on(fragments(message, 1), outcome);
}

void add_invalid(Row& row, std::string_view octets) {
  const std::string message = ask(quoted(octets));
  const std::size_t begin = message.find(octets);
  row.on({text(message)}, closes(1007));
  row.on({text(message.substr(0, begin + 1), {.final = false}),
          continuation(message.substr(begin + 1))},
         closes(1007));
  row.on({text(octets)}, closes(1007));
  row.on({text(octets, {.final = false}), continuation("")}, closes(1007));
}

void add_well_formed(Subject& subject) {
  add_valid(subject.row("8.1", "characters of one to four octets are taken, cut anywhere"),
            "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80");
  add_valid(subject.row("8.1", "a Greek word, as others test with it"),
            "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5");
  add_valid(subject.row("RFC 3629 3", "the first character of each length is taken"),
            "\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80");
  add_valid(subject.row("RFC 3629 3", "the last character of each length is taken"),
            "\x7f\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf");
  add_valid(subject.row("RFC 3629 3", "the characters beside the surrogates are taken"),
            "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd");
  auto& none = subject.row("RFC 3629 3", "noncharacters are characters of UTF-8");
  add_valid(none, "\xef\xb7\x90\xef\xbf\xbe\xef\xbf\xbf");
  for (int plane = 1; plane <= 16; ++plane) {
    const unsigned code = static_cast<unsigned>(plane) << 16 | 0xfffe;
    std::string both;
    for (const unsigned each : {code, code | 1}) {
      both += static_cast<char>(0xf0 | each >> 18);
      both += static_cast<char>(0x80 | (each >> 12 & 0x3f));
      both += static_cast<char>(0x80 | (each >> 6 & 0x3f));
      both += static_cast<char>(0x80 | (each & 0x3f));
    }
    none.on({text(ask(quoted(both)))}, answers({answer(quoted(both))}));
  }
  subject.row("5.6", "control characters are UTF-8, though no JSON")
      .on({text("\0"sv)}, answers({no_json()}))
      .on({text("\x7f")}, answers({no_json()}));
  subject.row("5.6", "a binary message is any octets")
      .on({binary("\xff\xfe")}, answers({no_json()}))
      .on({binary("\xe2\x82"), text(ask())}, answers({no_json(), answer()}))
      .on({binary("\xe2", {.final = false}), continuation("\x28")}, answers({no_json()}));
}

void add_ill_formed(Subject& subject) {
  auto& alone = subject.row("8.1", "an octet that continues no character fails with 1007");
  for (const auto octets : {"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80\xbf\x80\xbf"}) {
    add_invalid(alone, octets);
  }
  auto& start = subject.row("8.1", "an octet that begins a character without its rest: 1007");
  for (int octet = 0xc0; octet <= 0xff; ++octet) {
    const std::string lone(1, static_cast<char>(octet));
    start.on({text(lone + " ")}, closes(1007));
    start.on({text(ask(quoted(lone)))}, closes(1007));
  }
  auto& cut = subject.row("8.1", "a character that is cut off by another one: 1007");
  for (const auto octets : {"\xc3(", "\xe2\x82(", "\xe2(", "\xf0\x9f\x98(", "\xf0\x9f(", "\xf0(",
                            "\xe2\x82\xc3\xbc", "\xf0\x9f\xf0\x9f\x98\x80"}) {
    add_invalid(cut, octets);
  }
  auto& end = subject.row("8.1", "a message that ends within a character: 1007");
  for (const auto octets : {"\xc3", "abc\xe2\x82", "abc\xe2", "\xf0\x9f\x98", "\xf0\x9f", "\xf0"}) {
    end.on({text(octets)}, closes(1007));
    end.on({text(octets, {.final = false}), continuation("")}, closes(1007));
    end.on({text("", {.final = false}), continuation(octets)}, closes(1007));
    end.on({text(octets, {.final = false}), pong("between"), continuation("")}, closes(1007));
  }
  auto& overlong = subject.row("RFC 3629 3", "overlong forms fail with 1007");
  for (const auto octets :
       {"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf",
        "\xfc\x80\x80\x80\x80\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
        "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf", "\xc0\x80", "\xe0\x80\x80",
        "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"}) {
    add_invalid(overlong, octets);
  }
  auto& surrogates = subject.row("RFC 3629 3", "surrogates fail with 1007, alone and in pairs");
  for (const auto octets :
       {"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80",
        "\xed\xbe\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf",
        "\xed\xad\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf"}) {
    add_invalid(surrogates, octets);
  }
  auto& beyond = subject.row("RFC 3629 3", "what is beyond U+10FFFF fails with 1007");
  for (const auto octets : {"\xf4\x90\x80\x80", "\xf7\xbf\xbf\xbf", "\xf8\x88\x80\x80\x80",
                            "\xfb\xbf\xbf\xbf\xbf", "\xfc\x84\x80\x80\x80\x80",
                            "\xfd\xbf\xbf\xbf\xbf\xbf", "\xfe", "\xff", "\xfe\xfe\xff\xff"}) {
    add_invalid(beyond, octets);
  }
  subject.row("8.1", "text that is invalid only across its fragments fails with 1007")
      .on({text("abc\xe2\x82", {.final = false}), continuation("\xe2\xac")}, closes(1007))
      .on({text("\xf0\x9f", {.final = false}), continuation("\x98", {.final = false}),
           continuation("x")},
          closes(1007))
      .on({text("\xed", {.final = false}), continuation("\xa0\x80")}, closes(1007))
      .on({text("\xf4", {.final = false}), continuation("\x90\x80\x80")}, closes(1007));
  subject.row("8.1", "invalid text may close the connection before its message is whole")
      .on({text("abc\xff", {.final = false})}, closes(1007));
  subject.row("8.1", "a fragment of text within a binary message is not looked at")
      .on({binary("[", {.final = false}), continuation("\xff"), text(ask())},
          answers({no_json(), answer()}));
  auto& json = subject.row("8.1", "text that is not UTF-8 within JSON fails with 1007");
  for (const auto& each : test::not_utf8_rows()) json.on({text(ask(each.text))}, closes(1007));
}

}  // namespace

Subject text_rows() {
  Subject subject{"Text", "Text messages are UTF-8"};
  add_well_formed(subject);
  add_ill_formed(subject);
  return subject;
}

}  // namespace jackfield::conformance
