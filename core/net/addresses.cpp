#include "core/net/addresses.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace jackfield::net {
namespace {

using Key = Addresses::Key;

constexpr std::size_t kPrefixOctets = 8;  // of an IPv6 address

// As an IPv4-mapped address (RFC 4291 section 2.5.5.2).
std::optional<Key> key_of4(const in_addr& address) {
  if ((ntohl(address.s_addr) >> 24) == 127) return std::nullopt;
  Key key{};
  key[10] = key[11] = 0xff;
  std::memcpy(key.data() + 12, &address, sizeof address);
  return key;
}

std::optional<Key> key_of6(const in6_addr& address) {
  if (IN6_IS_ADDR_LOOPBACK(&address)) return std::nullopt;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr inner{};
    std::memcpy(&inner, address.s6_addr + 12, sizeof inner);
    return key_of4(inner);
  }
  Key key{};
  std::copy_n(address.s6_addr, kPrefixOctets, key.begin());
  return key;
}

}  // namespace

std::optional<Key> Addresses::key_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return std::nullopt;
  }
  if (storage.ss_family == AF_INET) {
    return key_of4(reinterpret_cast<const sockaddr_in&>(storage).sin_addr);
  }
  if (storage.ss_family == AF_INET6) {
    return key_of6(reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr);
  }
  return std::nullopt;
}

std::optional<Key> Addresses::key_of(std::string_view peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.size() >= text.size()) return std::nullopt;
  std::copy(peer.begin(), peer.end(), text.begin());
  in_addr v4{};
  if (inet_pton(AF_INET, text.data(), &v4) == 1) return key_of4(v4);
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.data(), &v6) == 1) return key_of6(v6);
  return std::nullopt;
}

void Addresses::leave(const Key& key) {
  const auto found = counts_.find(key);
  assert(found != counts_.end() && "leave() of who has not entered");
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

std::size_t Addresses::count(const Key& key) const {
  const auto found = counts_.find(key);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace jackfield::net
