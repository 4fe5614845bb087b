#include "core/net/handshake.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace jackfield::net {
namespace {

// libwebsockets looks at so many octets of Sec-WebSocket-Protocol.
constexpr int kMaxSubprotocolList = 126;
// And at so many of Connection.
constexpr std::size_t kMaxConnection = 126;

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// As libwebsockets has it: with the white space behind it.
std::string raw_header(lws* wsi, lws_token_indexes token) {
  const int size = lws_hdr_total_length(wsi, token);
  if (size <= 0) return {};
  // lws_hdr_copy ends the text with a NUL and joins the fields of one name with commas, for which
  // there is room.
  std::string value(static_cast<std::size_t>(size) + 64, '\0');
  const int copied = lws_hdr_copy(wsi, value.data(), static_cast<int>(value.size()), token);
  value.resize(copied < 0 ? 0 : std::strlen(value.c_str()));
  return value;
}

std::string header(lws* wsi, lws_token_indexes token) {
  return std::string(trim(raw_header(wsi, token)));
}

// What libwebsockets percent-decoded is encoded again, but for the '=' and what needs none (RFC
// 3986 section 2.3): a query that reads the same.
void append_encoded(std::string_view text, std::string& query) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool is_bare = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                         (c >= '0' && c <= '9') ||
                         std::string_view("-._~=").find(c) != std::string_view::npos;
    if (is_bare) {
      query += c;
    } else {
      query += '%';
      query += kHex[octet >> 4];
      query += kHex[octet & 0xf];
    }
  }
}

// The query's parts are kept one by one; the '&' between them is gone.
std::string query(lws* wsi) {
  std::string joined;
  for (int i = 0;; ++i) {
    const int size = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
    if (size <= 0) return joined;
    std::string part(static_cast<std::size_t>(size) + 1, '\0');
    if (lws_hdr_copy_fragment(wsi, part.data(), static_cast<int>(part.size()),
                              WSI_TOKEN_HTTP_URI_ARGS, i) < 0) {
      return joined;
    }
    part.resize(static_cast<std::size_t>(size));
    if (i > 0) joined += '&';
    append_encoded(part, joined);
  }
}

// Base64 of 16 octets (RFC 6455 section 4.1): 22 letters, of which the last has four bits unused,
// and two '='.
bool is_key(std::string_view key) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + 22, is_letter);
}

// A token of RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  const auto is_tchar = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_tchar);
}

// libwebsockets takes it for a number, and so for no token.
bool is_number(std::string_view token) {
  return token.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Without regard to case.
bool is_same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// Whether a list names Upgrade, in any case (RFC 9110 section 5.6.1). What libwebsockets would then
// stop reading at is refused here, with an answer: empty elements before it, and numbers.
bool names_upgrade(std::string_view list) {
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    if (is_same(element, "upgrade")) return true;
    if (!is_token(element) || is_number(element)) return false;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

// A host, and a port where there is one (RFC 9112 section 3.2, RFC 3986 section 3.2).
bool is_host(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_bracketed = text.starts_with('[');
  const std::size_t end = is_bracketed ? text.find(']') : text.find(':');
  if (is_bracketed && end == std::string_view::npos) return false;
  const std::string_view host = text.substr(is_bracketed ? 1 : 0, is_bracketed ? end - 1 : end);
  std::string_view port = end == std::string_view::npos ? "" : text.substr(end);
  if (is_bracketed) port.remove_prefix(1);
  if (!port.empty() && port.front() != ':') return false;
  if (!port.empty()) port.remove_prefix(1);
  const auto is_of_host = [&](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) ||
           std::string_view("-._~!$&'()*+,;=%").find(c) != std::string_view::npos ||
           (is_bracketed && c == ':');
  };
  return !host.empty() && std::all_of(host.begin(), host.end(), is_of_host) &&
         std::all_of(port.begin(), port.end(), is_digit);
}

// What holds for every request (RFC 9112 sections 2.3 and 3.2), whatever it asks for.
Refusal check_request(lws* wsi) {
  // Each line may name a method, as far as libwebsockets is concerned.
  for (const auto method :
       {WSI_TOKEN_POST_URI, WSI_TOKEN_OPTIONS_URI, WSI_TOKEN_PUT_URI, WSI_TOKEN_PATCH_URI,
        WSI_TOKEN_DELETE_URI, WSI_TOKEN_CONNECT, WSI_TOKEN_HEAD_URI}) {
    if (lws_hdr_total_length(wsi, method) > 0) return {405, "A WebSocket is opened with GET\n"};
  }
  if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0) {
    return {405, "A WebSocket is opened with GET\n"};
  }
  const std::string version = header(wsi, WSI_TOKEN_HTTP);
  const bool is_later = version.size() == 8 && version.starts_with("HTTP/1.") && version[7] > '0' &&
                        version[7] <= '9';
  if (!is_later) return {400, "HTTP/1.1 is needed\n"};
  const bool has_two_hosts = lws_hdr_fragment_length(wsi, WSI_TOKEN_HOST, 1) > 0;
  if (has_two_hosts || !is_host(header(wsi, WSI_TOKEN_HOST))) {
    return {400, "Missing or malformed Host\n"};
  }
  return {};
}

Refusal check_subprotocols(lws* wsi, std::string& first) {
  const int size = lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL);
  if (size <= 0) return {};
  if (size >= kMaxSubprotocolList) return {400, "Sec-WebSocket-Protocol is too long\n"};
  const std::string list = header(wsi, WSI_TOKEN_PROTOCOL);
  std::string_view rest = list;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view offered = trim(rest.substr(0, comma));
    if (!is_token(offered)) return {400, "Malformed Sec-WebSocket-Protocol\n"};
    if (first.empty()) first = std::string(offered);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (first.size() > kMaxSubprotocol) return {400, "Subprotocol is too long\n"};
  if (is_number(first)) return {400, "Subprotocol is a number\n"};
  return {};
}

void read_peer(int descriptor, hub::ConnectionFacts::Parts& facts) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return;
  if (storage.ss_family == AF_UNIX) {
    facts.peer = "unix";
    facts.is_local = true;
  } else if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    facts.peer = inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    facts.is_local = (ntohl(in.sin_addr.s_addr) >> 24) == 127;
  } else if (storage.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
    facts.peer = inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    facts.is_local = IN6_IS_ADDR_LOOPBACK(&in.sin6_addr);
  }
}

// A header by its name: one of those that libwebsockets knows, or another.
std::string header_by_name(lws* wsi, const std::string& name) {
  const std::string with_colon = name + ":";
  for (int i = 0; i < WSI_TOKEN_COUNT; ++i) {
    const auto token = static_cast<lws_token_indexes>(i);
    const auto* known = reinterpret_cast<const char*>(lws_token_to_string(token));
    if (known != nullptr && with_colon == known) return header(wsi, token);
  }
  const int name_size = static_cast<int>(with_colon.size());
  const int size = lws_hdr_custom_length(wsi, with_colon.c_str(), name_size);
  if (size <= 0) return {};
  std::string value(static_cast<std::size_t>(size) + 1, '\0');
  if (lws_hdr_custom_copy(wsi, value.data(), size + 1, with_colon.c_str(), name_size) < 0) {
    return {};
  }
  value.resize(static_cast<std::size_t>(size));
  return value;
}

}  // namespace

Refusal check_upgrade(lws* wsi, std::string_view path, std::string& subprotocol) {
  const bool is_websocket = is_same(header(wsi, WSI_TOKEN_UPGRADE), "websocket");
  if (!is_websocket) return {426, "This is a WebSocket server\n"};
  if (const Refusal refusal = check_request(wsi); refusal.status != 0) return refusal;
  const std::string connection = header(wsi, WSI_TOKEN_CONNECTION);
  if (connection.size() > kMaxConnection || !names_upgrade(connection)) {
    return {400, "Connection must name Upgrade\n"};
  }
  if (!path.empty() && header(wsi, WSI_TOKEN_GET_URI) != path) return {404, "Not here\n"};
  if (header(wsi, WSI_TOKEN_VERSION) != "13") {
    return {426, "Sec-WebSocket-Version must be 13\n"};
  }
  // libwebsockets makes its answer of all of it, white space included.
  if (!is_key(raw_header(wsi, WSI_TOKEN_KEY)))
    return {400, "Missing or malformed Sec-WebSocket-Key\n"};
  return check_subprotocols(wsi, subprotocol);
}

bool write_refusal(lws* wsi, const Refusal& refusal) {
  std::array<unsigned char, LWS_PRE + 1024> buffer{};
  unsigned char* const begin = buffer.data() + LWS_PRE;
  unsigned char* const end = buffer.data() + buffer.size();
  unsigned char* cursor = begin;
  const auto add = [&](const char* name, std::string_view value) {
    return lws_add_http_header_by_name(wsi, reinterpret_cast<const unsigned char*>(name),
                                       reinterpret_cast<const unsigned char*>(value.data()),
                                       static_cast<int>(value.size()), &cursor, end) == 0;
  };
  if (lws_add_http_common_headers(wsi, refusal.status, "text/plain", refusal.sentence.size(),
                                  &cursor, end) != 0) {
    return false;
  }
  if (refusal.status == 426) {  // RFC 9110 section 15.5.22, RFC 6455 section 4.2.2
    if (!add("upgrade:", "websocket") || !add("sec-websocket-version:", "13")) return false;
  }
  if (refusal.status == 405 && !add("allow:", "GET")) return false;
  if (lws_finalize_write_http_header(wsi, begin, &cursor, end) != 0) return false;
  std::array<unsigned char, LWS_PRE + 256> body{};
  const std::size_t size = std::min(refusal.sentence.size(), body.size() - LWS_PRE);
  std::memcpy(body.data() + LWS_PRE, refusal.sentence.data(), size);
  return lws_write(wsi, body.data() + LWS_PRE, size, LWS_WRITE_HTTP_FINAL) >= 0;
}

void write_connect_refusal(lws* wsi) {
  constexpr std::string_view kAnswer =
      "HTTP/1.1 405 Method Not Allowed\r\nallow: GET\r\ncontent-length: 0\r\n"
      "connection: close\r\n\r\n";
  std::array<unsigned char, LWS_PRE + kAnswer.size()> buffer{};
  std::copy(kAnswer.begin(), kAnswer.end(), buffer.begin() + LWS_PRE);
  lws_write(wsi, buffer.data() + LWS_PRE, kAnswer.size(), LWS_WRITE_RAW);
}

hub::ConnectionFacts read_facts(lws* wsi, const std::vector<std::string>& forward_headers) {
  hub::ConnectionFacts::Parts facts;
  read_peer(lws_get_socket_fd(wsi), facts);
  facts.path = header(wsi, WSI_TOKEN_GET_URI);
  facts.query = query(wsi);
  for (const std::string& name : forward_headers) {
    std::string value = header_by_name(wsi, name);
    if (!value.empty()) facts.headers.emplace_back(name, std::move(value));
  }
  return hub::ConnectionFacts(std::move(facts));
}

}  // namespace jackfield::net
