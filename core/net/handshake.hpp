// The upgrade request (RFC 6455 section 4.2.1). libwebsockets 4.1 answers 101 also to a POST, to
// any Host, to a missing or malformed key and to any version, so what it leaves out is checked
// here. Loop thread, while the request's headers are there: until LWS_CALLBACK_ESTABLISHED has
// returned.
#pragma once

#include <libwebsockets.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/hub/link.hpp"

namespace jackfield::net {

// An HTTP answer to a request that is not upgraded.
struct Refusal {
  unsigned status = 0;        // 0: not refused
  std::string_view sentence;  // the body
};

// `path` is the only one to upgrade; empty: any. Where the client offers subprotocols,
// `subprotocol` gets the first: a browser fails the connection where none is selected, so version 1
// selects that one whatever it is, as the reference does.
Refusal check_upgrade(lws* wsi, std::string_view path, std::string& subprotocol);

// Writes the answer, with the header fields that its status asks for. False: the connection is to
// be closed.
bool write_refusal(lws* wsi, const Refusal& refusal);

// To the method CONNECT, for which libwebsockets has turned the connection into one without HTTP.
void write_connect_refusal(lws* wsi);

// `forward_headers`: names in lower case.
hub::ConnectionFacts read_facts(lws* wsi, const std::vector<std::string>& forward_headers);

// Longest subprotocol that libwebsockets selects.
inline constexpr std::size_t kMaxSubprotocol = 63;

}  // namespace jackfield::net
