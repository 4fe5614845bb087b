#include "core/config/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <optional>

#include "core/config/value.hpp"

namespace jackfield::config {
namespace {

using net::Endpoint;
using EndpointResult = base::Result<Endpoint>;

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kTlsPrefix = "tls:";
constexpr std::size_t kMaxUnixPathOctets = sizeof(sockaddr_un{}.sun_path) - 1;

EndpointResult refuse(std::string_view right_form, std::string_view text) {
  return EndpointResult::failure("must be " + std::string(right_form) + ", is " + describe(text));
}

// The address in its canonical form, or nothing where it is none of the family.
std::optional<std::string> canonical_address(int family, std::string_view address) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.find('\0') != std::string_view::npos) return std::nullopt;
  if (inet_pton(family, std::string(address).c_str(), octets.data()) != 1) return std::nullopt;
  if (inet_ntop(family, octets.data(), text.data(), text.size()) == nullptr) return std::nullopt;
  return text.data();
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole ? std::optional(port) : std::nullopt;
}

EndpointResult parse_unix(std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  if (path.size() < 2 || path.front() != '/' || path.find('\0') != std::string_view::npos) {
    return refuse("unix: and an absolute path", text);
  }
  if (path.size() > kMaxUnixPathOctets) {
    return EndpointResult::failure("must have a path of at most " +
                                   std::to_string(kMaxUnixPathOctets) + " octets, has " +
                                   std::to_string(path.size()));
  }
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::kUnix;
  endpoint.path = std::string(path);
  return endpoint;
}

// Whole: what the text was given as.
EndpointResult parse_tcp(std::string_view text, std::string_view whole) {
  static constexpr std::string_view kForms = "ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return refuse(kForms, whole);
  const std::string_view host = text.substr(0, colon);
  if (host.back() == ':') return refuse(kForms, whole);

  Endpoint endpoint;
  std::optional<std::string> address;
  if (host.front() == '[') {
    if (host.back() != ']') return refuse(kForms, whole);
    endpoint.kind = Endpoint::Kind::kTcp6;
    address = canonical_address(AF_INET6, host.substr(1, host.size() - 2));
    if (!address) return refuse("[ADDRESS]:PORT with an IPv6 address", whole);
  } else if (host.find(':') != std::string_view::npos) {
    return refuse("[ADDRESS]:PORT, an IPv6 address in brackets", whole);
  } else {
    address = canonical_address(AF_INET, host == "localhost" ? "127.0.0.1" : host);
    if (!address) {
      return refuse("ADDRESS:PORT with a numeric address (0.0.0.0 for all) or localhost", whole);
    }
  }
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return refuse("an address and a port from 0 to 65535", whole);
  endpoint.host = std::move(*address);
  endpoint.port = *port;
  return endpoint;
}

}  // namespace

EndpointResult parse_endpoint(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix(text);
  if (!text.starts_with(kTlsPrefix)) return parse_tcp(text, text);
  const std::string_view address = text.substr(kTlsPrefix.size());
  if (address.starts_with(kUnixPrefix)) {
    return refuse("tls: and ADDRESS:PORT or [ADDRESS]:PORT; a Unix socket has no TLS", text);
  }
  EndpointResult endpoint = parse_tcp(address, text);
  if (endpoint.is_ok()) endpoint.value().is_tls = true;
  return endpoint;
}

}  // namespace jackfield::config
