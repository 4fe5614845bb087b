// A WebSocket client for tests, written straight on a socket so that a test decides about every
// octet: handshake, masks, fragments, reserved bits, halves of frames. What the server sends is
// held to RFC 6455 with every frame (no mask, no reserved bit, shortest length, legal fragments).
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/stream.hpp"

namespace jackfield::test {

// RFC 6455, 5.2.
enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA,
};

struct Frame {
  bool final = true;
  Opcode opcode = Opcode::kText;
  std::string payload;
};

// What of a frame to send may be other than usual.
struct FrameShape {
  bool final = true;
  std::uint8_t reserved = 0;  // RSV1 to RSV3 as 4, 2, 1
  bool masked = true;
  std::uint32_t mask = 0x37fa213d;
  int length_bytes = 0;  // 2 or 8: this long a length even where a shorter one would do
  std::optional<std::uint64_t> length{};  // to claim another length than the payload's
};

// The octets of a frame as a client sends it.
std::string frame_bytes(Opcode opcode, std::string_view payload, const FrameShape& shape = {});

// The payload of a Close frame.
std::string close_payload(unsigned code, std::string_view reason = {});

// The answer to an HTTP request.
struct Response {
  int status = 0;
  std::string head;  // status line and headers as they came
  // A header's value by its name, without regard to case; empty where there is none.
  std::string header(std::string_view name) const;
};

struct Handshake {
  std::string method = "GET";
  std::string path = "/";
  std::string http = "HTTP/1.1";
  std::string host = "localhost";
  std::string upgrade = "websocket";
  std::string connection = "Upgrade";
  std::string key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455, 1.3
  std::string version = "13";
  std::vector<std::string> headers{};  // whole lines, in addition
  std::string behind{};                // octets that are sent in one write with the request
  int receive_buffer = 0;              // SO_RCVBUF, 0 for the system's
  TlsOptions tls{};                    // where the address has it

  // The request's octets; an empty field's header is left out.
  std::string request() const;
};

class WsClient {
 public:
  // Connects and upgrades, or fails the test.
  explicit WsClient(const Address& address, const Handshake& handshake = {},
                    Where where = Where::here());
  WsClient(WsClient&&) = default;
  WsClient& operator=(WsClient&&) = default;

  // The server's 101.
  const Response& response() const { return response_; }
  Stream& stream() { return stream_; }

  // Sending. None of these waits for an answer.
  void send_text(std::string_view message, Where where = Where::here());
  void send_binary(std::string_view message, Where where = Where::here());
  void send_frame(Opcode opcode, std::string_view payload, const FrameShape& shape = {},
                  Where where = Where::here());
  void send_bytes(std::string_view bytes, Where where = Where::here());

  // The next frame of whatever kind; fails the test when none comes.
  Frame receive_frame(Where where = Where::here());
  // The next frame, or nothing where the connection has ended.
  std::optional<Frame> receive_frame_or_end(Where where = Where::here());
  // The next text message. Pings on the way are answered; a Close fails the test.
  std::string receive(Where where = Where::here());
  // As `receive`, but nothing when none comes within the time.
  std::optional<std::string> receive_within(std::chrono::milliseconds time,
                                            Where where = Where::here());

  // Sends a text message and gives the next one that comes.
  std::string request(std::string_view message, Where where = Where::here());

  // The next message is this one: the same JSON, or the same octets.
  void expect(std::string_view json, Where where = Where::here());
  void expect_bytes(std::string_view message, Where where = Where::here());

  // Nothing is on its way to this client: the answer to a request sent now is the next message.
  // (Uses `unsubscribe` on a topic that nobody has; works with any plugins.)
  void expect_nothing(Where where = Where::here());

  // The next frame (but for pings and pongs) is a Close with this code and, where `reason` is
  // given, this reason. Answers it where `answer` says so, then nothing but the end may follow.
  void expect_closed(unsigned code, std::optional<std::string_view> reason = std::nullopt,
                     bool answer = true, Where where = Where::here());
  // The connection ends without any frame; a Close before the end is accepted.
  void expect_gone(Where where = Where::here());

  // The closing handshake from our side: the server must answer with the same code.
  void close(unsigned code = 1000, std::string_view reason = {}, Where where = Where::here());

 private:
  std::optional<Frame> take_frame(Where where);

  Stream stream_;
  std::string received_;  // octets that no frame has used yet
  std::size_t used_ = 0;  // of received_
  Response response_;
  bool in_message_ = false;  // a fragmented message has begun
};

// Sends a request and reads the answer's head; `rest` gets what came behind it.
Response http_request(Stream& stream, std::string_view request, std::string& rest,
                      Where where = Where::here());
// The same on a connection of its own. Status 0: the server closed without an answer.
Response http_request(const Address& address, std::string_view request,
                      Where where = Where::here());

}  // namespace jackfield::test
