#include "core/access/origins.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "core/access/settings.hpp"

namespace jackfield::access {
namespace {

constexpr std::string_view kAnySubdomain = "*.";

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_scheme(std::string_view text) {
  return !text.empty() && is_alpha(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

// A name or IPv4 address, or an IPv6 address in brackets.
bool is_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    return std::all_of(text.begin() + 1, text.end() - 1, [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
             c == '.';
    });
  }
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), is_digit) && std::stoi(std::string(text)) <= 65535;
}

// Takes ":PORT" off the end where there is one. False: malformed.
bool split_port(std::string_view& host, std::string_view& port) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return true;
  port = host.substr(colon + 1);
  host = host.substr(0, colon);
  return is_port(port);
}

bool is_schemes_own(std::string_view scheme, std::string_view port) {
  return (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
}

bool ends_with_subdomain_of(std::string_view host, std::string_view domain) {
  return host.size() > domain.size() + 1 && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

// Whether no name service says where a host is: an address, or localhost (RFC 6761 section 6.3).
// Browsers write addresses in their usual form before they send them. `host` is in lower case.
bool leads_nowhere_else(const std::string& host) {
  if (host == "localhost" || ends_with_subdomain_of(host, "localhost")) return true;
  in6_addr address{};
  if (host.starts_with('[')) {
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) == 1;
  }
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

}  // namespace

std::optional<Origin> Origin::parse(std::string_view text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos || !is_scheme(text.substr(0, end))) return std::nullopt;
  std::string_view host = text.substr(end + 3);
  std::string_view port;
  if (!split_port(host, port) || !is_host(host)) return std::nullopt;
  Origin origin{to_lower(text.substr(0, end)), to_lower(host), std::string(port)};
  if (is_schemes_own(origin.scheme, origin.port)) origin.port.clear();
  return origin;
}

OriginList::OriginList(const std::vector<std::string>& entries) {
  for (const std::string& text : entries) {
    if (text == "*") is_any_ = true;
    if (text == "null") is_null_ = true;
    std::string plain = text;
    Entry entry;
    const std::size_t wild = plain.find("://" + std::string(kAnySubdomain));
    if (wild != std::string::npos) {
      entry.has_subdomains = true;
      plain.erase(wild + 3, kAnySubdomain.size());
    }
    if (const auto origin = Origin::parse(plain)) {
      entry.origin = *origin;
      entries_.push_back(std::move(entry));
    }
  }
}

std::string_view OriginList::refusal(const PageRequest& page) const {
  if (page.origin.empty() || is_any_) return {};
  const std::optional<Origin> origin = Origin::parse(page.origin);
  if (entries_.empty() && !is_null_ && origin) return refusal_by_default(page, *origin);
  const auto matches = [&origin](const Entry& entry) {
    if (!entry.has_subdomains) return entry.origin == *origin;
    return entry.origin.scheme == origin->scheme && entry.origin.port == origin->port &&
           ends_with_subdomain_of(origin->host, entry.origin.host);
  };
  const bool is_named = origin ? std::any_of(entries_.begin(), entries_.end(), matches)
                               : page.origin == "null" && is_null_;
  return is_named ? std::string_view() : "server.origins does not name it";
}

std::string_view OriginList::refusal_by_default(const PageRequest& page,
                                                const Origin& origin) const {
  std::string_view host = page.host;
  std::string_view port;
  const bool is_same = split_port(host, port) && is_host(host) && to_lower(host) == origin.host;
  if (!is_same) return "it is of another host";
  if (page.is_tls && origin.scheme != "https") return "it came without TLS to connect with it";
  if (page.is_loopback && !leads_nowhere_else(origin.host)) {
    return "its host's name leads to a loopback address, as DNS rebinding has it; if it is meant "
           "to, name it in server.origins";
  }
  return {};
}

base::Result<std::string> read_origin(std::string_view text) {
  if (text == "*" || text == "null") return std::string(text);
  std::string plain(text);
  const std::size_t wild = plain.find("://" + std::string(kAnySubdomain));
  if (wild != std::string::npos) plain.erase(wild + 3, kAnySubdomain.size());
  const std::optional<Origin> origin = Origin::parse(plain);
  if (!origin) {
    return base::Result<std::string>::failure(
        "\"https://HOST\", \"https://HOST:PORT\", \"https://*.DOMAIN\", \"null\" or \"*\"");
  }
  std::string kept = origin->scheme + "://";
  if (wild != std::string::npos) kept += kAnySubdomain;
  kept += origin->host;
  if (!origin->port.empty()) kept += ":" + origin->port;
  return kept;
}

}  // namespace jackfield::access
