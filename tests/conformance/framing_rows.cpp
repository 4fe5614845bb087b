// RFC 6455, 5.1 to 5.3: masks, reserved bits, opcodes, lengths.
#include "tests/conformance/row.hpp"

namespace jackfield::conformance {
namespace {

const FrameShape kUnmasked{.masked = false};

// A message of exactly so many octets, and its answer.
std::string message_of(std::size_t octets) {
  return ask("\"" + std::string(octets - ask("\"\"").size(), 'x') + "\"");
}

std::string answer_to_message_of(std::size_t octets) {
  return answer("\"" + std::string(octets - ask("\"\"").size(), 'x') + "\"");
}

void add_masks(Subject& subject) {
  const std::string deviation = "frames without a mask";
  subject.row("5.1", "a message without a mask closes the connection")
      .on({text(ask(), kUnmasked)}, closes(1002))
      .on({binary(ask(), kUnmasked)}, closes(1002))
      .on({text(ask().substr(0, 7), {.final = false}), continuation(ask().substr(7), kUnmasked)},
          closes(1002))
      .deviates({.name = deviation, .outcome = answers({answer()})});
  subject.row("5.1", "an empty message without a mask closes the connection")
      .on({text("", kUnmasked)}, closes(1002))
      .deviates({.name = deviation, .outcome = answers({no_json()})});
  subject.row("5.1", "a ping without a mask closes the connection")
      .on({ping("x", kUnmasked)}, closes(1002))
      .deviates({.name = deviation, .outcome = pongs({"x"})});
  subject.row("5.1", "a pong without a mask closes the connection")
      .on({pong("x", kUnmasked)}, closes(1002))
      .on({pong("", kUnmasked)}, closes(1002))
      .deviates({.name = deviation, .outcome = nothing()});
  subject.row("5.1", "a Close without a mask is answered with a Close")
      .on({close(close_payload(1000), kUnmasked)}, {.close = {1000, 1002}})
      .on({close("", kUnmasked)}, {.close = {kNoCode, 1002}});
  subject.row("5.1", "the server's frames have no mask").on({text(ask())}, answers({answer()}));
  auto& any = subject.row("5.3", "any masking key is taken off");
  for (const std::uint32_t mask : {0u, 1u, 0x01020304u, 0x80000000u, 0x00ff00ffu, 0xffffffffu}) {
    any.on({text(ask(), {.mask = mask})}, answers({answer()}));
  }
  subject.row("5.3", "each frame has a masking key of its own")
      .on({text(ask("1"), {.mask = 0x01020304}), text(ask("2"), {.mask = 0xa0b0c0d0}),
           text(ask("3"), {.mask = 0})},
          answers({answer("1"), answer("2"), answer("3")}))
      .on({text(ask().substr(0, 7), {.final = false, .mask = 0x01020304}),
           ping("p", {.mask = 0x11223344}), continuation(ask().substr(7), {.mask = 0xa0b0c0d0})},
          {.messages = {answer()}, .pongs = {"p"}});
}

void add_reserved(Subject& subject) {
  for (const int bit : {1, 2, 3}) {
    const auto reserved = static_cast<std::uint8_t>(8 >> bit);
    const std::string name = "RSV" + std::to_string(bit);
    subject.row("5.2", name + " without an extension fails the connection")
        .on({text(ask(), {.reserved = reserved})}, closes(1002))
        .on({text("", {.reserved = reserved})}, closes(1002))
        .on({binary(ask(), {.reserved = reserved})}, closes(1002))
        .on({text(ask().substr(0, 5), {.final = false}),
             continuation(ask().substr(5), {.reserved = reserved})},
            closes(1002));
    subject.row("5.2", name + " on a control frame fails the connection")
        .on({ping("x", {.reserved = reserved})}, closes(1002))
        .on({pong("", {.reserved = reserved})}, closes(1002))
        .on({close(close_payload(1000), {.reserved = reserved})}, closes(1002));
  }
  subject.row("5.2", "all reserved bits together fail the connection")
      .on({text(ask(), {.reserved = 7})}, closes(1002))
      .on({ping("", {.reserved = 7})}, closes(1002));
  subject.row("5.2", "a frame with a reserved bit behind a message fails the connection")
      .on({text(ask()), text(ask(), {.reserved = 4})}, {.messages = {answer()}, .close = {1002}});

  const auto with = [](int opcode, std::string_view payload) {
    return frame_bytes(static_cast<Opcode>(opcode), payload);
  };
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    const char* kind = opcode < 8 ? "data" : "control";
    subject.row("5.2", "the reserved " + std::string(kind) + " opcode " + std::to_string(opcode) +
                           " fails the connection")
        .on({with(opcode, "")}, closes(1002))
        .on({with(opcode, "x")}, closes(1002))
        .on({text(ask()), with(opcode, ask()), ping("x")},
            {.messages = {answer()}, .close = {1002}})
        .on({text("[", {.final = false}), with(opcode, "x")}, closes(1002));
  }
  subject.row("7.1.7", "what comes behind an error is not handled")
      .on({with(3, ""), text(unheard())}, closes(1002))
      .on({text(ask(), {.reserved = 4}), text(unheard())}, closes(1002))
      .on({continuation("x"), text(unheard()), text(unheard())}, closes(1002));
}

void add_lengths(Subject& subject) {
  for (const std::size_t octets : {30u, 125u, 126u, 127u, 128u, 1024u, 4095u, 4096u, 65535u,
                                   65536u, 65537u}) {
    const std::string row = "a message of " + std::to_string(octets) + " octets is read";
    subject.row("5.2", row + ", and the answer's length has the shortest form")
        .on({text(message_of(octets))}, answers({answer_to_message_of(octets)}))
        .on({binary(message_of(octets))}, answers({answer_to_message_of(octets)}));
  }
  subject.row("5.2", "an empty message is a message")
      .on({text("")}, answers({no_json()}))
      .on({binary("")}, answers({no_json()}))
      .on({text(""), text(ask()), text("")}, answers({no_json(), answer(), no_json()}));
  const std::string short_message = ask();
  subject.row("5.2", "a length in 16 bits that needs only 7 is taken (a MUST of the client's)")
      .on({text(short_message, {.length_bytes = 2})}, answers({answer()}))
      .on({text("", {.length_bytes = 2}), text(ask())}, answers({no_json(), answer()}));
  subject.row("5.2", "a length in 64 bits that needs fewer is taken (a MUST of the client's)")
      .on({text(short_message, {.length_bytes = 8})}, answers({answer()}))
      .on({text("", {.length_bytes = 8}), text(ask())}, answers({no_json(), answer()}))
      .on({text(message_of(300), {.length_bytes = 8})}, answers({answer_to_message_of(300)}));
  subject.row("5.2", "a length of 64 bits with the most significant one set fails the connection")
      .on({text("x", {.length_bytes = 8, .length = std::uint64_t{1} << 63})}, closes(1002))
      .on({text("x", {.length_bytes = 8, .length = std::uint64_t{1} << 63 | 1})}, closes(1002))
      .on({binary("x", {.length_bytes = 8, .length = ~std::uint64_t{0}})}, closes(1002));
  subject.row("7.4.1", "a message that is too large closes with 1009 when its length is known")
      .on({text("[", {.length_bytes = 8, .length = std::uint64_t{1} << 40})}, closes(1009))
      .on({text("[", {.length_bytes = 8, .length = ~std::uint64_t{0} >> 1})}, closes(1009));
}

}  // namespace

Subject framing_rows() {
  Subject subject{"Framing", "Frames: masks, reserved bits, opcodes, lengths"};
  add_masks(subject);
  add_reserved(subject);
  add_lengths(subject);
  return subject;
}

}  // namespace jackfield::conformance
