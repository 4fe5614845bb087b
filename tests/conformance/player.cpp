#include "tests/conformance/player.hpp"

#include <algorithm>
#include <cstdlib>

#include "tests/support/deadline.hpp"
#include "tests/support/stream.hpp"

namespace jackfield::conformance {
namespace {

using test::check;
using test::Deadline;
using test::Frame;
using test::Response;
using test::ServerProcess;
using test::Stream;
using test::WsClient;

// So many connections may wait for their end at the same time.
constexpr std::size_t kMostEndings = 200;
// Of a long frame so many octets at either end come one by one.
constexpr std::size_t kSingleOctets = 24;
constexpr std::size_t kLongFrame = 300;

constexpr std::size_t kOddSizes[] = {1, 3, 2, 7, 5, 13, 11, 29, 61, 127, 257, 521, 1031, 4099};

void append_octets(std::string_view octets, std::vector<std::string>& pieces) {
  for (const char octet : octets) pieces.emplace_back(1, octet);
}

std::vector<std::string> cut_to_octets(const std::vector<std::string>& frames) {
  std::vector<std::string> pieces;
  for (const std::string_view frame : frames) {
    if (frame.size() <= kLongFrame) {
      append_octets(frame, pieces);
      continue;
    }
    append_octets(frame.substr(0, kSingleOctets), pieces);
    pieces.emplace_back(frame.substr(kSingleOctets, frame.size() - 2 * kSingleOctets));
    append_octets(frame.substr(frame.size() - kSingleOctets), pieces);
  }
  return pieces;
}

std::vector<std::string> cut_oddly(std::string_view octets) {
  std::vector<std::string> pieces;
  for (std::size_t i = 0; !octets.empty(); ++i) {
    const std::size_t size = std::min(octets.size(), kOddSizes[i % std::size(kOddSizes)]);
    pieces.emplace_back(octets.substr(0, size));
    octets.remove_prefix(size);
  }
  return pieces;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

std::vector<std::string> pieces_of(const std::vector<std::string>& frames, Cut cut) {
  switch (cut) {
    case kEachFrame: return frames;
    case kEachOctet: return cut_to_octets(frames);
    case kOddPieces: return cut_oddly(joined(frames));
    case kOneWrite:
    case kOverTls: return {joined(frames)};
    case kWithFrame: return {joined(frames) + text(unheard())};
  }
  return {};
}

bool is_read_by_read(Cut cut) { return (cut & (kOneWrite | kWithFrame | kOverTls)) == 0; }

// The server may be gone before all is sent.
void send(Stream& stream, const std::vector<std::string>& pieces, Cut cut, Where where) {
  for (const std::string& piece : pieces) {
    if (!stream.send(piece)) return;
    if (is_read_by_read(cut)) stream.wait_until_read(where);
  }
}

std::string shown(std::string_view octets) {
  constexpr std::size_t kMost = 60;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  for (const char c : octets.substr(0, kMost)) {
    const auto octet = static_cast<unsigned char>(c);
    hex += kHex[octet >> 4];
    hex += kHex[octet & 0xf];
  }
  return hex + (octets.size() > kMost ? "..." : "");
}

std::string shown(const Frame& frame) {
  std::string sentence = "opcode " + std::to_string(static_cast<int>(frame.opcode));
  if (frame.opcode == Opcode::kClose && frame.payload.size() >= 2) {
    const unsigned code = static_cast<unsigned>(static_cast<unsigned char>(frame.payload[0]) << 8 |
                                                static_cast<unsigned char>(frame.payload[1]));
    return sentence + ", code " + std::to_string(code) + " '" + frame.payload.substr(2) + "'";
  }
  return sentence + ", '" + frame.payload.substr(0, 200) + "'";
}

bool is_one_of(const std::string& close_payload, const std::vector<unsigned>& codes) {
  return std::any_of(codes.begin(), codes.end(), [&](unsigned code) {
    return code == kNoCode ? close_payload.empty()
                           : close_payload.starts_with(test::close_payload(code));
  });
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

}  // namespace

Player::Player(ServerProcess& server, Verdicts& verdicts) : server_(server), verdicts_(verdicts) {
  witness_ = std::make_unique<WsClient>(server.addresses().at(0));
  witness_->send_text(R"(["echo:unheard","subscribe",null])");
  witness_->receive();
  witness_->receive();
}

void Player::play(const Subject& subject) {
  for (std::size_t i = 0; i < subject.rows.size(); ++i) {
    const Row& row = subject.rows[i];
    for (const Cut cut : kCuts) {
      if ((row.cuts & cut) == 0) continue;
      const bool deviates = row.deviation && (row.deviation->cuts & cut) != 0;
      const auto wanted = deviates ? Verdict::kDeviates : Verdict::kHolds;
      play(row, cut, verdicts_[subject.name][i].try_emplace(cut, wanted).first->second);
    }
    if (endings_.size() >= kMostEndings) expect_ends();
  }
  expect_ends();
  witness_->expect_nothing();
}

void Player::play(const Row& row, Cut cut, Verdict& verdict) {
  for (const Exchange& exchange : row.exchanges) {
    try {
      play_exchange(row, exchange, cut, verdict);
    } catch (...) {  // CppUTest has counted it, and says where
      verdict = Verdict::kFails;
    }
  }
  for (const Request& request : row.requests) {
    try {
      play_request(row, request, cut);
    } catch (...) {
      verdict = Verdict::kFails;
    }
  }
}

const test::Address& Player::address(Cut cut) const {
  if (cut == kOverTls) return server_.addresses().at(2);
  return server_.addresses().at(is_read_by_read(cut) ? 1 : 0);
}

// ---- a WebSocket's frames

void Player::play_exchange(const Row& row, const Exchange& exchange, Cut cut, Verdict& verdict) {
  const std::string octets = joined(exchange.sends);
  const std::string about = place_of(row) + ": " + row.must + "\n\t(" + name_of(cut) +
                            ", sent: " + shown(octets) + ")\n\t";
  WsClient client(address(cut), {}, row.where);
  send(client.stream(), pieces_of(exchange.sends, cut), cut, row.where);
  const bool deviates = row.deviation && (row.deviation->cuts & cut) != 0;
  const Outcome& outcome = deviates ? row.deviation->outcome : exchange.outcome;
  expect(client, outcome, about, row.where);
  if (!outcome.close.empty()) {
    endings_.push_back({row.where, about, &verdict, std::move(client)});
  }
}

void Player::expect(WsClient& client, const Outcome& outcome, const std::string& about,
                    Where where) {
  std::size_t messages = 0;
  std::size_t pongs = 0;
  std::string message;
  const auto take = [&](const Frame& frame) {
    if (frame.opcode == Opcode::kPong) {
      check(pongs < outcome.pongs.size() && frame.payload == outcome.pongs[pongs],
            about + "another pong than was due: " + shown(frame), where);
      ++pongs;
      return;
    }
    check(frame.opcode == Opcode::kText || frame.opcode == Opcode::kContinuation,
          about + "not due: " + shown(frame), where);
    message += frame.payload;
    if (!frame.final) return;
    check(messages < outcome.messages.size() && message == outcome.messages[messages],
          about + "another message than was due: " + message.substr(0, 200), where);
    message.clear();
    ++messages;
  };
  while (messages < outcome.messages.size() || pongs < outcome.pongs.size()) {
    const std::optional<Frame> frame = client.receive_frame_or_end(where);
    check(frame.has_value(), about + "the connection ended before all was answered", where);
    take(*frame);
  }
  if (!outcome.close.empty()) {
    const std::optional<Frame> frame = client.receive_frame_or_end(where);
    check(frame.has_value(), about + "the connection ended without a Close", where);
    check(frame->opcode == Opcode::kClose && is_one_of(frame->payload, outcome.close),
          about + "another frame than the Close that was due: " + shown(*frame), where);
    client.stream().send(close(std::string_view(frame->payload).substr(0, 2)));
    return;
  }
  // Twice: a pong may come behind what was answered in the same turn of the loop.
  for (const char* mark : {"the first mark", "the second mark"}) {
    const std::string payload = "\"" + std::string(mark) + "\"";
    check(client.stream().send(text(ask(payload))), about + "the connection ended", where);
    while (true) {
      const std::optional<Frame> frame = client.receive_frame_or_end(where);
      check(frame.has_value(), about + "the connection ended", where);
      if (frame->opcode == Opcode::kText && frame->payload == answer(payload)) break;
      take(*frame);
    }
  }
}

void Player::expect_ends() {
  for (Ending& each : endings_) {
    try {
      std::optional<Frame> frame = each.client.receive_frame_or_end(each.where);
      // Pings may still be answered (RFC 6455, 5.5.2).
      while (frame && frame->opcode == Opcode::kPong) {
        frame = each.client.receive_frame_or_end(each.where);
      }
      check(!frame.has_value(),
            each.about + "behind the Close came " + (frame ? shown(*frame) : ""), each.where);
    } catch (...) {
      *each.verdict = Verdict::kFails;
    }
  }
  endings_.clear();
}

// ---- a request

void Player::play_request(const Row& row, const Request& request, Cut cut) {
  const std::string about = place_of(row) + ": " + row.must + "\n\t(" + name_of(cut) +
                            ", sent: " + request.octets.substr(0, 400) + ")\n\t";
  const bool deviates = row.deviation && (row.deviation->cuts & cut) != 0;
  const Reply& wanted = deviates ? *row.deviation->reply : request.reply;
  Stream stream(address(cut), 0, {}, row.where);
  send(stream, pieces_of({request.octets}, cut), cut, row.where);
  std::string rest;
  const Response response = test::http_request(stream, "", rest, row.where);
  check(std::find(wanted.statuses.begin(), wanted.statuses.end(), response.status) !=
            wanted.statuses.end(),
        about + "answered with " + std::to_string(response.status) + ": " + response.head,
        row.where);
  for (const auto& [name, value] : wanted.headers) {
    check(lower(response.header(name)) == lower(value),
          about + name + " is '" + response.header(name) + "'", row.where);
  }
  if (response.status == 0) return;
  if (response.status != 101) {
    stream.finish();
    while (stream.receive(rest, row.where)) {
    }
    check(rest.find("HTTP/1.1 101") == std::string::npos, about + "then answered: " + rest,
          row.where);
  } else if (cut == kWithFrame) {
    stream.send(close(close_payload(1002)));
    while (stream.receive(rest, row.where)) {
    }
    check(rest.starts_with('\x88') && rest.substr(2, 2) == close_payload(1002) &&
              rest.size() == 2 + static_cast<std::size_t>(rest[1]),
          about + "the frame was not refused: " + rest, row.where);
  } else {
    const std::string due = frame_bytes(Opcode::kText, answer(), {.masked = false});
    stream.send(text(ask()));
    while (rest.size() < due.size()) {
      check(stream.receive(rest, row.where), about + "the connection ended", row.where);
    }
    check(rest == due, about + "not the answer: " + rest, row.where);
  }
}

}  // namespace jackfield::conformance
