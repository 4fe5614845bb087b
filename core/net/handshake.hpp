// The upgrade request (RFC 6455 section 4.2.1). libwebsockets 4.1 answers 101 also to a POST, to
// any Host, to a missing or malformed key and to any version, so what it leaves out is checked
// here. Loop thread.
#pragma once

#include <libwebsockets.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/hub/connection_facts.hpp"
#include "core/net/request.hpp"

namespace jackfield::net {

// An HTTP answer to a request that is not upgraded.
struct Refusal {
  unsigned status = 0;           // 0: not refused
  std::string_view sentence{};   // the body
  std::string_view challenge{};  // of 401: WWW-Authenticate
};

// Longest subprotocol that libwebsockets selects.
inline constexpr std::size_t kMaxSubprotocol = 63;

// `path` is the only one to upgrade; empty: any.
Refusal check_upgrade(const Request& request, std::string_view path);

// What a client offers by Sec-WebSocket-Protocol. The entry that begins with `token_prefix` is a
// token, for browsers can set no other header, and is never selected. Of the others the first is,
// whatever it is, as the reference does: a browser fails the connection where it offered any and
// none is selected. So a browser that offers its token only is refused, with a sentence that says
// what is missing; whoever else does is answered without a subprotocol (RFC 6455 section 4.2.2).
struct Offer {
  Refusal refusal{};
  std::string entry{};       // what libwebsockets is to find in the list; empty: there is none
  bool is_selected = false;  // and to answer
  std::optional<std::string> token{};
};
Offer read_offer(const Request& request, std::string_view token_prefix);

// Writes the answer, with the header fields that its status asks for. False: the connection is to
// be closed.
bool write_refusal(lws* wsi, const Refusal& refusal);

// To the method CONNECT, for which libwebsockets has turned the connection into one without HTTP,
// and so adds no header of its own. `hsts`: what Strict-Transport-Security says; empty: no such
// header.
void write_connect_refusal(lws* wsi, std::string_view hsts);

// Fills in `peer` and `is_local`.
void read_peer(int descriptor, hub::ConnectionFacts::Parts& facts);

// Whether the socket's own end has a loopback address: 127.0.0.0/8, also as IPv6 maps it (RFC 4291
// section 2.5.5.2), or ::1. Not a Unix socket. True where that cannot be found out.
bool is_loopback_end(int descriptor);

}  // namespace jackfield::net
