#include "core/net/request.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace jackfield::net {
namespace {

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

// Each line may name a method, as far as libwebsockets is concerned.
bool is_get_alone(lws* wsi) {
  for (const auto method :
       {WSI_TOKEN_POST_URI, WSI_TOKEN_OPTIONS_URI, WSI_TOKEN_PUT_URI, WSI_TOKEN_PATCH_URI,
        WSI_TOKEN_DELETE_URI, WSI_TOKEN_CONNECT, WSI_TOKEN_HEAD_URI}) {
    if (lws_hdr_total_length(wsi, method) > 0) return false;
  }
  return lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
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
std::vector<std::string> read_arguments(lws* wsi) {
  std::vector<std::string> parts;
  for (int i = 0;; ++i) {
    const int size = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
    if (size <= 0) return parts;
    std::string part(static_cast<std::size_t>(size) + 1, '\0');
    if (lws_hdr_copy_fragment(wsi, part.data(), static_cast<int>(part.size()),
                              WSI_TOKEN_HTTP_URI_ARGS, i) < 0) {
      return parts;
    }
    part.resize(static_cast<std::size_t>(size));
    parts.push_back(std::move(part));
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

Request read_request(lws* wsi, const std::vector<std::string>& forward_headers) {
  Request request;
  request.is_get = is_get_alone(wsi);
  request.http_version = header(wsi, WSI_TOKEN_HTTP);
  request.has_several_hosts = lws_hdr_fragment_length(wsi, WSI_TOKEN_HOST, 1) > 0;
  request.path = header(wsi, WSI_TOKEN_GET_URI);
  request.arguments = read_arguments(wsi);
  request.host = header(wsi, WSI_TOKEN_HOST);
  request.upgrade = header(wsi, WSI_TOKEN_UPGRADE);
  request.connection = header(wsi, WSI_TOKEN_CONNECTION);
  request.websocket_version = header(wsi, WSI_TOKEN_VERSION);
  request.websocket_key = raw_header(wsi, WSI_TOKEN_KEY);
  request.subprotocols = raw_header(wsi, WSI_TOKEN_PROTOCOL);
  request.origin = header(wsi, WSI_TOKEN_ORIGIN);
  request.authorization = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
  request.cookies = header(wsi, WSI_TOKEN_HTTP_COOKIE);
  for (const std::string& name : forward_headers) {
    std::string value = header_by_name(wsi, name);
    if (!value.empty()) request.forwarded.emplace_back(name, std::move(value));
  }
  return request;
}

std::string query_of(const Request& request) {
  std::string query;
  for (std::size_t i = 0; i < request.arguments.size(); ++i) {
    if (i > 0) query += '&';
    append_encoded(request.arguments[i], query);
  }
  return query;
}

std::optional<std::string> take_argument(Request& request, std::string_view name) {
  std::optional<std::string> value;
  const auto is_it = [&](const std::string& argument) {
    const std::size_t equal = argument.find('=');
    if (std::string_view(argument).substr(0, equal) != name) return false;
    const bool has_value = !value && equal != std::string::npos;
    value = has_value ? argument.substr(equal + 1) : std::string();
    return true;
  };
  std::vector<std::string> others;
  for (std::string& argument : request.arguments) {
    if (!is_it(argument)) others.push_back(std::move(argument));
  }
  request.arguments = std::move(others);
  return value;
}

std::optional<std::string_view> find_cookie(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const std::size_t end = cookies.find(';');
    std::string_view pair = cookies.substr(0, end);
    pair.remove_prefix(std::min(pair.find_first_not_of(" \t"), pair.size()));
    const std::size_t equal = pair.find('=');
    if (equal != std::string_view::npos && pair.substr(0, equal) == name) {
      std::string_view value = pair.substr(equal + 1);
      while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
      const bool is_quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
      return is_quoted ? value.substr(1, value.size() - 2) : value;
    }
    if (end == std::string_view::npos) break;
    cookies.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace jackfield::net
