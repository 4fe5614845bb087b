// Where to listen, as text: "127.0.0.1:3001", "[::1]:3001", "localhost:3001" (127.0.0.1), port 0
// for any free one, "unix:/run/jackfield.sock"; "tls:" before an address asks for TLS there. Names
// are not resolved. Any thread, no state.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/net/settings.hpp"

namespace jackfield::config {

// A failure's message is the right form and what was given, such as
// `must be ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, is "3001"`. An address comes out in its
// canonical form, so equal endpoints have equal fields; net::to_text gives text that reads the
// same.
base::Result<net::Endpoint> parse_endpoint(std::string_view text);

}  // namespace jackfield::config
