#include "core/access/identity.hpp"

#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace jackfield::access {
namespace {

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

std::string user_name(uid_t user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const bool is_found =
      ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  if (is_found && is_name(found->pw_name)) return found->pw_name;
  return std::to_string(user);
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= Identity::kMaxName &&
         std::all_of(text.begin(), text.end(), is_visible);
}

bool is_group(std::string_view text) {
  return is_name(text) && text.find(',') == std::string_view::npos;
}

std::string_view name_of(std::string_view identity) {
  const std::size_t colon = identity.find(':');
  return colon == std::string_view::npos ? std::string_view() : identity.substr(colon + 1);
}

std::optional<Identity> certificate_identity(std::string_view common_name) {
  if (!is_name(common_name)) return std::nullopt;
  return Identity{.text = "cert:" + std::string(common_name), .groups = {}};
}

std::optional<Identity> unix_identity(int descriptor) {
  int family = 0;
  socklen_t size = sizeof family;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family != AF_UNIX) {
    return std::nullopt;
  }
  ucred peer{};
  size = sizeof peer;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return Identity{.text = std::string(kUnixKind) + user_name(peer.uid), .groups = {}};
}

}  // namespace jackfield::access
