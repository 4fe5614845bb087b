#include "tests/conformance/row.hpp"

namespace jackfield::conformance {

const char* name_of(Cut cut) {
  switch (cut) {
    case kEachFrame: return "frames";
    case kEachOctet: return "octets";
    case kOddPieces: return "odd pieces";
    case kOneWrite: return "one write";
    case kWithFrame: return "with a frame";
    case kOverTls: return "over TLS";
  }
  return "";
}

std::vector<Subject> all_subjects() {
  return {framing_rows(), fragmentation_rows(), control_rows(), closing_rows(), text_rows(),
          size_rows(),    request_rows(),       endless_rows(), answer_rows()};
}

std::string place_of(const Row& row) {
  return row.section.starts_with("RFC ") ? row.section : "RFC 6455 " + row.section;
}

std::string ask(std::string_view json) {
  return R"(["echo:row","echo",)" + std::string(json) + "]";
}

std::string answer(std::string_view json) {
  return R"(["echo:row","echoed",)" + std::string(json) + "]";
}

std::string unheard() { return R"(["echo:unheard","say",{"text":"late"}])"; }

std::string no_json() {
  return R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])";
}

std::string text(std::string_view payload, const FrameShape& shape) {
  return frame_bytes(Opcode::kText, payload, shape);
}

std::string binary(std::string_view payload, const FrameShape& shape) {
  return frame_bytes(Opcode::kBinary, payload, shape);
}

std::string continuation(std::string_view payload, const FrameShape& shape) {
  return frame_bytes(Opcode::kContinuation, payload, shape);
}

std::string ping(std::string_view payload, const FrameShape& shape) {
  return frame_bytes(Opcode::kPing, payload, shape);
}

std::string pong(std::string_view payload, const FrameShape& shape) {
  return frame_bytes(Opcode::kPong, payload, shape);
}

std::string close(std::string_view payload, const FrameShape& shape) {
  return frame_bytes(Opcode::kClose, payload, shape);
}

std::vector<std::string> fragments(std::string_view message, std::size_t octets, Opcode opcode) {
  std::vector<std::string> frames;
  for (std::size_t at = 0; at < message.size(); at += octets) {
    frames.push_back(frame_bytes(at == 0 ? opcode : Opcode::kContinuation,
                                 message.substr(at, octets),
                                 {.final = at + octets >= message.size()}));
  }
  return frames;
}

Outcome answers(std::vector<std::string> messages) { return {.messages = std::move(messages)}; }

Outcome pongs(std::vector<std::string> payloads) { return {.pongs = std::move(payloads)}; }

Outcome nothing() { return {}; }

Outcome closes(unsigned code) { return {.close = {code}}; }

}  // namespace jackfield::conformance
