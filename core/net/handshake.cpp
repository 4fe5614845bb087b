#include "core/net/handshake.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace jackfield::net {
namespace {

// libwebsockets looks at so many octets of Sec-WebSocket-Protocol, and at so many of an entry
// before the one that it finds.
constexpr std::size_t kMaxSubprotocolList = 125;
// And at so many of Connection.
constexpr std::size_t kMaxConnection = 126;

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

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
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
Refusal check_request(const Request& request) {
  if (!request.is_get) return {405, "A WebSocket is opened with GET\n"};
  const std::string_view version = request.http_version;
  const bool is_later = version.size() == 8 && version.starts_with("HTTP/1.") && version[7] > '0' &&
                        version[7] <= '9';
  if (!is_later) return {400, "HTTP/1.1 is needed\n"};
  if (request.has_several_hosts || !is_host(request.host)) {
    return {400, "Missing or malformed Host\n"};
  }
  return {};
}

}  // namespace

Refusal check_upgrade(const Request& request, std::string_view path) {
  if (!is_same(request.upgrade, "websocket")) return {426, "This is a WebSocket server\n"};
  if (const Refusal refusal = check_request(request); refusal.status != 0) return refusal;
  if (request.connection.size() > kMaxConnection || !names_upgrade(request.connection)) {
    return {400, "Connection must name Upgrade\n"};
  }
  if (!path.empty() && request.path != path) return {404, "Not here\n"};
  if (request.websocket_version != "13") return {426, "Sec-WebSocket-Version must be 13\n"};
  if (!is_key(request.websocket_key)) return {400, "Missing or malformed Sec-WebSocket-Key\n"};
  return {};
}

Offer read_offer(const Request& request, std::string_view token_prefix) {
  Offer offer;
  const auto refuse = [&](std::string_view sentence) {
    offer.refusal = {400, sentence};
    return offer;
  };
  if (request.subprotocols.empty()) return offer;
  if (request.subprotocols.size() > kMaxSubprotocolList) {
    return refuse("Sec-WebSocket-Protocol is longer than 125 octets\n");
  }
  std::string_view rest = request.subprotocols;
  std::string token_entry;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view entry = trim(rest.substr(0, comma));
    if (!is_token(entry)) return refuse("Malformed Sec-WebSocket-Protocol\n");
    const bool is_bearer = !token_prefix.empty() && entry.starts_with(token_prefix);
    if (is_bearer && offer.token) return refuse("Sec-WebSocket-Protocol has more than one token\n");
    if (is_bearer) {
      token_entry = std::string(entry);
      offer.token = std::string(entry.substr(token_prefix.size()));
    } else if (!offer.is_selected) {
      offer.entry = std::string(entry);
      offer.is_selected = true;
    }
    if (!offer.is_selected && entry.size() > kMaxSubprotocol) {
      return refuse("A token of more than 63 octets must stand behind a subprotocol\n");
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (offer.entry.size() > kMaxSubprotocol) return refuse("Subprotocol is too long\n");
  if (is_number(offer.entry) && offer.is_selected) return refuse("Subprotocol is a number\n");
  if (offer.is_selected) return offer;
  if (!request.origin.empty()) return refuse("Offer a subprotocol besides the token\n");
  offer.entry = std::move(token_entry);
  return offer;
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
  if (!refusal.challenge.empty() && !add("www-authenticate:", refusal.challenge)) return false;
  if (refusal.status == 405 && !add("allow:", "GET")) return false;
  if (lws_finalize_write_http_header(wsi, begin, &cursor, end) != 0) return false;
  std::array<unsigned char, LWS_PRE + 256> body{};
  const std::size_t size = std::min(refusal.sentence.size(), body.size() - LWS_PRE);
  std::memcpy(body.data() + LWS_PRE, refusal.sentence.data(), size);
  return lws_write(wsi, body.data() + LWS_PRE, size, LWS_WRITE_HTTP_FINAL) >= 0;
}

void write_connect_refusal(lws* wsi, std::string_view hsts) {
  std::string answer =
      "HTTP/1.1 405 Method Not Allowed\r\nallow: GET\r\ncontent-length: 0\r\n"
      "connection: close\r\n";
  if (!hsts.empty()) answer += "strict-transport-security: " + std::string(hsts) + "\r\n";
  answer += "\r\n";
  std::vector<unsigned char> buffer(LWS_PRE + answer.size());
  std::copy(answer.begin(), answer.end(), buffer.begin() + LWS_PRE);
  lws_write(wsi, buffer.data() + LWS_PRE, answer.size(), LWS_WRITE_RAW);
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

bool is_loopback_end(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return true;
  if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    return (ntohl(in.sin_addr.s_addr) >> 24) == 127;
  }
  if (storage.ss_family != AF_INET6) return false;
  const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
  const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&in.sin6_addr);
  return IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) || (is_mapped && in.sin6_addr.s6_addr[12] == 127);
}

}  // namespace jackfield::net
