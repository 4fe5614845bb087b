// Reads what a client sent behind its handshake, slowly, and says what the server must answer as
// long as the client breaks no rule (RFC 6455 section 5).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::fuzz {

struct ClientFrames {
  // How it ends.
  enum class End {
    kOpen,      // within a frame or behind one: the connection is open
    kClosed,    // by a Close frame
    kUnsure,    // a rule is broken, or it is not known here what is right: from here on anything
  };

  std::vector<std::string> messages;  // whole ones, text and binary alike, before the end
  std::vector<std::string> pings;
  End end = End::kOpen;
};

ClientFrames read_client(std::string_view octets, std::size_t max_message);

}  // namespace jackfield::fuzz
