// Messages of all sizes and in all pieces, as far as the server's limit for messages lets them in.
#include "tests/conformance/row.hpp"

namespace jackfield::conformance {
namespace {

// JSON of exactly so many octets, no two near each other alike.
std::string json_of(std::size_t octets) {
  std::string json = "\"";
  for (std::size_t i = 0; json.size() + 1 < octets; ++i) {
    json += static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  }
  return json + "\"";
}

std::vector<std::string> with_pings(const std::vector<std::string>& frames) {
  std::vector<std::string> all;
  for (const std::string& frame : frames) {
    all.push_back(frame);
    all.push_back(ping("between"));
  }
  all.pop_back();
  return all;
}

}  // namespace

Subject size_rows() {
  Subject subject{"Sizes", "Messages of all sizes, in all pieces"};
  for (const std::size_t kib : {16u, 64u, 256u, 1024u}) {
    const std::string json = json_of(kib * 1024);
    const std::string name = std::to_string(kib) + " KiB";
    subject.row("5.2", "a message of " + name + " in one frame")
        .on({text(ask(json))}, answers({answer(json)}))
        .on({binary(ask(json))}, answers({answer(json)}));
    for (const std::size_t octets : {64u, 1300u, 4096u, 65536u}) {
      if (octets >= kib * 1024 || kib * 1024 / octets > 1024) continue;
      subject.row("5.4", "a message of " + name + " in fragments of " + std::to_string(octets))
          .on(fragments(ask(json), octets), answers({answer(json)}))
          .only(kEachFrame | kOddPieces | kOneWrite | kOverTls);
    }
  }
  const std::string json = json_of(65536);
  subject.row("5.4", "pings between fragments of 4096 octets are answered, each frame in a read")
      .on(with_pings(fragments(ask(json), 4096)),
          {.messages = {answer(json)}, .pongs = std::vector<std::string>(16, "between")})
      .only(kEachFrame);
  for (const std::size_t octets : {2u, 16u, 64u, 256u}) {
    std::vector<std::string> asked;
    std::vector<std::string> answered;
    for (int i = 0; i < 60; ++i) {
      asked.push_back(text(ask(json_of(octets))));
      answered.push_back(answer(json_of(octets)));
    }
    subject.row("5.6", "60 messages with payloads of " + std::to_string(octets) + " octets")
        .on(asked, answers(answered))
        .only(kEachFrame | kOddPieces | kOneWrite | kOverTls);
  }
  return subject;
}

}  // namespace jackfield::conformance
