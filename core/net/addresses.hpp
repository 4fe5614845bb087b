// How many sockets each address has open here, upgraded or not. Of an IPv6 address its /64 counts:
// whoever has one address has all of those. Loopback addresses and Unix sockets are not counted:
// proxies come from there. Loop thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace jackfield::net {

class Addresses {
 public:
  using Key = std::array<std::uint8_t, 16>;

  // Of the peer of a socket, or of its text; nothing where it is not counted.
  static std::optional<Key> key_of(int descriptor);
  static std::optional<Key> key_of(std::string_view peer);

  // One more; gives how many there are then.
  std::size_t enter(const Key& key) { return ++counts_[key]; }
  // One less. REQUIRES: it has entered.
  void leave(const Key& key);
  std::size_t count(const Key& key) const;
  // How many addresses have any.
  std::size_t size() const { return counts_.size(); }

 private:
  std::map<Key, std::uint32_t> counts_;
};

}  // namespace jackfield::net
