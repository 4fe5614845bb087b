// The opening handshake of a WebSocket (RFC 6455, 4.2), the least of it. No state; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jackfield::bench::limit {

// The answer to a request, which ends with an empty line: 101 with its Sec-WebSocket-Accept.
// Nothing where it is not the GET of a WebSocket.
std::optional<std::string> accept_upgrade(std::string_view request);

}  // namespace jackfield::bench::limit
