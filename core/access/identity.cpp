#include "core/access/identity.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <fstream>

#include "core/base/account_names.hpp"

namespace jackfield::access {
namespace {

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

// proc(5), read once; the kernel's default where that cannot be read.
uid_t overflow_user() {
  static const uid_t user = [] {
    constexpr uid_t kDefault = 65534;
    uid_t read = kDefault;
    std::ifstream file("/proc/sys/kernel/overflowuid");
    return file >> read ? read : kDefault;
  }();
  return user;
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
  const auto account = base::find_account(peer.uid);
  return user_identity(peer.uid, account ? account->name : "", overflow_user());
}

std::optional<Identity> user_identity(uid_t user, std::string_view name, uid_t overflow) {
  if (user == overflow) return std::nullopt;
  const bool is_number = name.find_first_not_of("0123456789") == std::string_view::npos;
  const std::string shown = is_name(name) && !is_number ? std::string(name) : std::to_string(user);
  return Identity{.text = std::string(kUnixKind) + shown, .groups = {}};
}

}  // namespace jackfield::access
