#include "tests/bench/load/frames.hpp"

namespace jackfield::bench {

void append_frame(Opcode opcode, std::string_view payload, std::string& to) {
  constexpr unsigned kMasked = 0x80;
  to += static_cast<char>(0x80u | static_cast<unsigned>(opcode));
  if (payload.size() < 126) {
    to += static_cast<char>(kMasked | payload.size());
  } else {
    const int octets = payload.size() <= 0xffff ? 2 : 8;
    to += static_cast<char>(kMasked | (octets == 2 ? 126u : 127u));
    for (int i = octets - 1; i >= 0; --i) to += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  }
  to.append(4, '\0');
  to += payload;
}

}  // namespace jackfield::bench
