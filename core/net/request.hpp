// What a request for an upgrade says, read from libwebsockets once, so that whoever judges it needs
// none. Loop thread, while the request's headers are there: within the callbacks from
// LWS_CALLBACK_HTTP_CONFIRM_UPGRADE to LWS_CALLBACK_ESTABLISHED. A value then.
#pragma once

#include <libwebsockets.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hub/connection_facts.hpp"

namespace jackfield::net {

struct Request {
  bool is_get = false;       // and names no other method
  std::string http_version;  // "HTTP/1.1"
  bool has_several_hosts = false;
  std::string path;
  std::vector<std::string> arguments;  // of the query, percent-decoded, as "name=value"
  // Headers; those of one name are joined by commas. Empty: not there.
  std::string host;
  std::string upgrade;
  std::string connection;
  std::string websocket_version;
  // Both as libwebsockets has them, with the white space behind them: it makes something of all.
  std::string websocket_key;
  std::string subprotocols;
  std::string origin;
  std::string authorization;
  std::string cookies;
  hub::ConnectionFacts::Headers forwarded;  // those that plugins may see
};

// `forward_headers`: names in lower case.
Request read_request(lws* wsi, const std::vector<std::string>& forward_headers);

// The query, percent-encoded: one that reads the same.
std::string query_of(const Request& request);

// Takes the arguments of that name out of the query. Gives the value; nothing where there is none,
// and an empty one where there are several.
std::optional<std::string> take_argument(Request& request, std::string_view name);

// The value of the first cookie of that name (RFC 6265 section 4.2.1), without its quotes.
std::optional<std::string_view> find_cookie(std::string_view cookies, std::string_view name);

}  // namespace jackfield::net
