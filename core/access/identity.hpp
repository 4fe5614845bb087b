// Who somebody is, for whoever let them in: a name, which way it is known by, and the groups that
// they belong to. Any thread; values.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::access {

// What the identity of a Unix socket's peer begins with.
inline constexpr std::string_view kUnixKind = "unix:";

// 1 to kMaxName visible ASCII characters.
bool is_name(std::string_view text);
// The same, but for the comma.
bool is_group(std::string_view text);

struct Identity {
  static constexpr std::size_t kMaxName = 128;  // octets
  static constexpr std::size_t kMaxGroups = 32;

  // "token:alice", "jwt:alice", "cert:device-7", "unix:alice", "unix:1000". Empty: nobody known.
  std::string text;
  std::string groups;  // "ops,staff"; empty: none

  bool is_known() const { return !text.empty(); }
};

// "alice" of "token:alice"; empty where nobody is known.
std::string_view name_of(std::string_view identity);

// The one of a client's certificate that was verified, by its subject's common name. Nothing where
// that is no name.
std::optional<Identity> certificate_identity(std::string_view common_name);

// The one of the process at the other end of a Unix socket (SO_PEERCRED, unix(7)): its user's name,
// or the number where that has none. Nothing for who may be of another user namespace (see below),
// and where `descriptor` is no such socket. Asks the system's user database, and is as fast as
// that.
std::optional<Identity> unix_identity(int descriptor);

// That of a user by his number and his name, which may be empty. A name that could be read as a
// number is not taken. Nothing for `overflow`: whoever has no number here, being of another user
// namespace, is shown with that one (user_namespaces(7)).
std::optional<Identity> user_identity(uid_t user, std::string_view name, uid_t overflow);

}  // namespace jackfield::access
