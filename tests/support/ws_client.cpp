#include "tests/support/ws_client.hpp"

#include <strings.h>

#include <utility>

#include "tests/support/json.hpp"

namespace jackfield::test {
namespace {

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> shift & 0xff);
  }
  return text;
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// A short form for failure messages.
std::string shortened(std::string_view text) {
  if (text.size() <= 300) return std::string(text);
  return std::string(text.substr(0, 300)) + "... (" + std::to_string(text.size()) + " octets)";
}

bool is_control(Opcode opcode) { return static_cast<unsigned>(opcode) >= 8; }

std::string describe(const Frame& frame) {
  std::string text = "a frame with opcode " + std::to_string(static_cast<int>(frame.opcode));
  if (frame.opcode != Opcode::kClose || frame.payload.size() < 2) {
    return text + " and payload " + shortened(frame.payload);
  }
  return text + ", code " + std::to_string(read_big_endian(frame.payload.substr(0, 2))) +
         " and reason '" + frame.payload.substr(2) + "'";
}

}  // namespace

std::string frame_bytes(Opcode opcode, std::string_view payload, const FrameShape& shape) {
  std::string bytes;
  const unsigned first = (shape.final ? 0x80u : 0u) | static_cast<unsigned>(shape.reserved) << 4 |
                         static_cast<unsigned>(opcode);
  bytes += static_cast<char>(first);
  const std::uint64_t length = shape.length.value_or(payload.size());
  const unsigned masked = shape.masked ? 0x80u : 0u;
  if (shape.length_bytes == 8 || (shape.length_bytes == 0 && length > 0xffff)) {
    bytes += static_cast<char>(masked | 127u);
    bytes += big_endian(length, 8);
  } else if (shape.length_bytes == 2 || length > 125) {
    bytes += static_cast<char>(masked | 126u);
    bytes += big_endian(length, 2);
  } else {
    bytes += static_cast<char>(masked | length);
  }
  if (!shape.masked) return bytes.append(payload);
  const std::string mask = big_endian(shape.mask, 4);
  bytes += mask;
  const std::size_t begin = bytes.size();
  bytes.append(payload);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    bytes[begin + i] = static_cast<char>(bytes[begin + i] ^ mask[i % 4]);
  }
  return bytes;
}

std::string close_payload(unsigned code, std::string_view reason) {
  return big_endian(code, 2).append(reason);
}

std::string Response::header(std::string_view name) const {
  std::size_t from = head.find("\r\n");
  while (from != std::string::npos && from + 2 < head.size()) {
    from += 2;
    const std::size_t end = head.find("\r\n", from);
    const std::string line = head.substr(from, end - from);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.c_str(), name.data(), name.size()) == 0) {
      const std::size_t value = line.find_first_not_of(" \t", name.size() + 1);
      return value == std::string::npos ? "" : line.substr(value);
    }
    from = end;
  }
  return "";
}

std::string Handshake::request() const {
  std::string text = method + " " + path + " " + http + "\r\n";
  const auto add = [&text](std::string_view name, const std::string& value) {
    if (!value.empty()) text.append(name).append(": ").append(value).append("\r\n");
  };
  add("Host", host);
  add("Upgrade", upgrade);
  add("Connection", connection);
  add("Sec-WebSocket-Key", key);
  add("Sec-WebSocket-Version", version);
  for (const std::string& line : headers) text += line + "\r\n";
  return text + "\r\n" + behind;
}

Response http_request(Stream& stream, std::string_view request, std::string& rest, Where where) {
  Response response;
  stream.send(request);
  std::string bytes;
  while (bytes.find("\r\n\r\n") == std::string::npos) {
    if (!stream.receive(bytes, where)) return response;
  }
  const std::size_t end = bytes.find("\r\n\r\n");
  response.head = bytes.substr(0, end + 2);
  rest = bytes.substr(end + 4);
  check(response.head.starts_with("HTTP/1."), "no HTTP answer: " + shortened(bytes), where);
  response.status = std::stoi(response.head.substr(9, 3));
  return response;
}

Response http_request(const Address& address, std::string_view request, Where where) {
  Stream stream(address, 0, {}, where);
  std::string rest;
  return http_request(stream, request, rest, where);
}

WsClient::WsClient(const Address& address, const Handshake& handshake, Where where)
    : stream_(address, handshake.receive_buffer, handshake.tls, where) {
  response_ = http_request(stream_, handshake.request(), received_, where);
  check(response_.status == 101, "no upgrade: " + shortened(response_.head), where);
  if (handshake.key == Handshake().key) {
    check(response_.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
          "wrong Sec-WebSocket-Accept: " + response_.head, where);
  }
}

void WsClient::send_text(std::string_view message, Where where) {
  send_frame(Opcode::kText, message, {}, where);
}

void WsClient::send_binary(std::string_view message, Where where) {
  send_frame(Opcode::kBinary, message, {}, where);
}

void WsClient::send_frame(Opcode opcode, std::string_view payload, const FrameShape& shape,
                          Where where) {
  send_bytes(frame_bytes(opcode, payload, shape), where);
}

void WsClient::send_bytes(std::string_view bytes, Where where) {
  check(stream_.send(bytes), "the server is gone while the client sends", where);
}

Frame WsClient::receive_frame(Where where) {
  std::optional<Frame> frame = receive_frame_or_end(where);
  check(frame.has_value(), "the connection ended where a frame was expected", where);
  return *std::move(frame);
}

std::optional<Frame> WsClient::receive_frame_or_end(Where where) {
  const Deadline deadline;
  while (true) {
    if (std::optional<Frame> frame = take_frame(where)) return frame;
    if (!stream_.receive(received_, where, deadline)) return std::nullopt;
  }
}

std::string WsClient::receive(Where where) {
  std::string message;
  while (true) {
    Frame frame = receive_frame(where);
    if (frame.opcode == Opcode::kPing) {
      send_frame(Opcode::kPong, frame.payload, {}, where);
    } else if (!is_control(frame.opcode)) {
      check(frame.opcode != Opcode::kBinary, "a binary message", where);
      message += frame.payload;
      if (frame.final) return message;
    } else if (frame.opcode == Opcode::kClose) {
      fail("a message was expected, not " + describe(frame), where);
    }
  }
}

std::optional<std::string> WsClient::receive_within(std::chrono::milliseconds time, Where where) {
  const Deadline deadline(time);
  while (true) {
    if (std::optional<Frame> frame = take_frame(where)) {
      if (is_control(frame->opcode)) continue;
      return frame->payload;
    }
    if (!stream_.receive_within(received_, deadline)) return std::nullopt;
  }
}

std::string WsClient::request(std::string_view message, Where where) {
  send_text(message, where);
  return receive(where);
}

void WsClient::expect(std::string_view json, Where where) {
  const std::string message = receive(where);
  check(same_json(message, json),
        "expected " + shortened(json) + "\n\tbut got  " + shortened(message), where);
}

void WsClient::expect_bytes(std::string_view message, Where where) {
  const std::string got = receive(where);
  check(got == message, "expected " + shortened(message) + "\n\tbut got  " + shortened(got), where);
}

void WsClient::expect_nothing(Where where) {
  send_text(R"(["the:end:of:what:was:expected","unsubscribe",null])", where);
  expect(R"(["the:end:of:what:was:expected","unsubscribed",{}])", where);
}

void WsClient::expect_closed(unsigned code, std::optional<std::string_view> reason, bool answer,
                             Where where) {
  Frame frame = receive_frame(where);
  while (frame.opcode == Opcode::kPing || frame.opcode == Opcode::kPong) {
    frame = receive_frame(where);
  }
  check(frame.opcode == Opcode::kClose && frame.payload.starts_with(big_endian(code, 2)) &&
            (!reason || frame.payload.substr(2) == *reason),
        "expected a Close with code " + std::to_string(code) +
            (reason ? " and reason '" + std::string(*reason) + "'" : "") + "\n\tbut got  " +
            describe(frame),
        where);
  if (answer) stream_.send(frame_bytes(Opcode::kClose, frame.payload.substr(0, 2)));
  const std::optional<Frame> more = receive_frame_or_end(where);
  check(!more.has_value(), more ? "after the Close came " + describe(*more) : "", where);
}

void WsClient::expect_gone(Where where) {
  std::optional<Frame> frame = receive_frame_or_end(where);
  if (frame && frame->opcode == Opcode::kClose) frame = receive_frame_or_end(where);
  check(!frame.has_value(), frame ? "the end was expected, not " + describe(*frame) : "", where);
}

void WsClient::close(unsigned code, std::string_view reason, Where where) {
  send_frame(Opcode::kClose, close_payload(code, reason), {}, where);
  expect_closed(code, std::nullopt, false, where);
}

std::optional<Frame> WsClient::take_frame(Where where) {
  const std::string_view bytes = std::string_view(received_).substr(used_);
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  check((second & 0x80) == 0, "the server masked a frame", where);
  std::size_t head = 2;
  std::uint64_t length = second & 0x7f;
  if (length >= 126) {
    const std::size_t extra = length == 126 ? 2 : 8;
    if (bytes.size() < head + extra) return std::nullopt;
    length = read_big_endian(bytes.substr(head, extra));
    check(length > (extra == 2 ? 125u : 0xffffu), "a length longer than it need be", where);
    head += extra;
  }
  if (bytes.size() - head < length) return std::nullopt;

  Frame frame;
  frame.final = (first & 0x80) != 0;
  frame.opcode = static_cast<Opcode>(first & 0x0f);
  frame.payload = bytes.substr(head, length);
  used_ += head + length;
  if (used_ == received_.size() || used_ > 1 << 20) {
    received_.erase(0, used_);
    used_ = 0;
  }

  check((first & 0x70) == 0, "a reserved bit is set in " + describe(frame), where);
  if (is_control(frame.opcode)) {
    check(frame.final && length <= 125, "an illegal control frame: " + describe(frame), where);
    return frame;
  }
  check((frame.opcode == Opcode::kContinuation) == in_message_,
        "an illegal fragment: " + describe(frame), where);
  in_message_ = !frame.final;
  return frame;
}

}  // namespace jackfield::test
