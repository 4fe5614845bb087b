// A row of the conformance table: one rule of RFC 6455 (or of the HTTP that it builds on), what a
// client sends to see whether it holds, and what the server must answer. Rows are data: how they
// are played is Player's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/where.hpp"
#include "tests/support/ws_client.hpp"

namespace jackfield::conformance {

using test::close_payload;
using test::frame_bytes;
using test::FrameShape;
using test::Handshake;
using test::Opcode;
using test::Where;

// How the octets of a row reach the server. With the first three the server has read each piece
// before the next one is sent.
enum Cut : unsigned {
  kEachFrame = 1,   // each frame, or the request, in a read of its own
  kEachOctet = 2,   // each octet; of a long frame those at its ends
  kOddPieces = 4,   // pieces of 1, 3, 2, 7, ... octets, across frames
  kOneWrite = 8,    // all frames, or the request, in one write
  kWithFrame = 16,  // a request in one write with a message behind it, which must not be handled:
                    // the client has to wait for the answer (RFC 6455, 4.1)
  kOverTls = 32,    // as kOneWrite, over TLS
};
inline constexpr Cut kCuts[] = {kEachFrame, kEachOctet, kOddPieces,
                                kOneWrite,  kWithFrame, kOverTls};
inline constexpr unsigned kAllCuts = 63;
const char* name_of(Cut cut);

// For Outcome::close: a Close without a code.
inline constexpr unsigned kNoCode = 0;

// What a WebSocket's client gets.
struct Outcome {
  std::vector<std::string> messages{};  // text, in this order
  std::vector<std::string> pongs{};     // in this order, anywhere among the messages
  // The server sends Close with one of these codes, then the connection ends and nothing else
  // comes; empty: it goes on.
  std::vector<unsigned> close{};
};

// What a request for an upgrade gets.
struct Reply {
  std::vector<int> statuses;  // one of them; 0: the connection ends without an answer
  // Of the answer: name and value, without regard to case; an empty value: there is none.
  std::vector<std::pair<std::string, std::string>> headers{};
};

struct Exchange {
  std::vector<std::string> sends;  // a frame each, as octets
  Outcome outcome;
};

struct Request {
  std::string octets;
  Reply reply;
};

// Where the server does something else than its row wants, what it does, so that a change of that
// shows, too.
struct Deviation {
  std::string name;  // of the README's list
  unsigned cuts = kAllCuts;
  Outcome outcome{};
  std::optional<Reply> reply{};
};

struct Row {
  std::string section;  // of RFC 6455, "5.1", or of another, "RFC 9112 5.1"
  std::string must;
  Where where;
  std::vector<Exchange> exchanges{};
  std::vector<Request> requests{};
  unsigned cuts = kAllCuts;
  std::optional<Deviation> deviation{};

  Row& on(std::vector<std::string> sends, Outcome outcome) {
    exchanges.push_back({std::move(sends), std::move(outcome)});
    cuts &= ~static_cast<unsigned>(kWithFrame);
    return *this;
  }
  Row& on_request(std::string octets, Reply reply) {
    requests.push_back({std::move(octets), std::move(reply)});
    return *this;
  }
  Row& only(unsigned of_cuts) {
    cuts = of_cuts;
    return *this;
  }
  Row& deviates(Deviation how) {
    deviation = std::move(how);
    return *this;
  }
};

struct Subject {
  std::string name;  // of the test group
  std::string about;
  std::vector<Row> rows{};

  // Where: of the failures of this row.
  Row& row(std::string section, std::string must, Where where = Where::here()) {
    rows.push_back({std::move(section), std::move(must), where});
    return rows.back();
  }
};

// The table, in the README's order. Each is made by a file of its own.
Subject framing_rows();
Subject fragmentation_rows();
Subject control_rows();
Subject closing_rows();
Subject text_rows();
Subject size_rows();
Subject request_rows();
Subject endless_rows();
Subject answer_rows();
std::vector<Subject> all_subjects();

// With the RFC's number.
std::string place_of(const Row& row);

// ---- what rows are made of

// A message of channel `echo`, with this JSON as its payload, and what it is answered with.
std::string ask(std::string_view json = "1");
std::string answer(std::string_view json = "1");
// A message that nobody may get to hear: Player's witness subscribes to its topic.
std::string unheard();
// The answer to a message that is no JSON.
std::string no_json();

std::string text(std::string_view payload, const FrameShape& shape = {});
std::string binary(std::string_view payload, const FrameShape& shape = {});
std::string continuation(std::string_view payload, const FrameShape& shape = {});
std::string ping(std::string_view payload, const FrameShape& shape = {});
std::string pong(std::string_view payload, const FrameShape& shape = {});
std::string close(std::string_view payload, const FrameShape& shape = {});

// The frames of one message, of so many octets of it each (the last has the rest).
std::vector<std::string> fragments(std::string_view message, std::size_t octets,
                                   Opcode opcode = Opcode::kText);

Outcome answers(std::vector<std::string> messages);
Outcome pongs(std::vector<std::string> payloads);
Outcome nothing();
Outcome closes(unsigned code);

}  // namespace jackfield::conformance
