// What is known of a connection's peer and of its request; never changes. There is one for each
// connection, and most have little to say: the texts stand behind each other in one string.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jackfield::hub {

class ConnectionFacts {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  struct Parts {
    std::string peer;      // numeric address, or "unix"
    std::string identity;  // "KIND:NAME", core/access/identity.hpp; empty: nobody known
    std::string groups{};  // "ops,staff"; empty: none
    std::string path;
    std::string query;
    Headers headers;        // those that may be forwarded
    bool is_local = false;  // loopback address or Unix socket
  };

  // REQUIRES: its texts together have less than 64 KiB. A request that is taken has 16 KiB at most,
  // of which an octet may stand as three.
  explicit ConnectionFacts(Parts parts);

  std::string_view peer() const { return part(0, peer_end_); }
  std::string_view identity() const { return part(peer_end_, identity_end_); }
  std::string_view path() const { return part(identity_end_, path_end_); }
  std::string_view query() const { return part(path_end_, texts_.size()); }
  // Of the identity, separated by commas.
  std::string_view groups() const { return rare_ == nullptr ? std::string_view() : rare_->groups; }
  // Empty where it was not sent, or may not be forwarded.
  std::string_view header(std::string_view name) const;
  bool is_local() const { return is_local_; }

 private:
  // What most connections have nothing of.
  struct Rare {
    Headers headers;
    std::string groups;
  };

  std::string_view part(std::size_t begin, std::size_t end) const {
    return std::string_view(texts_).substr(begin, end - begin);
  }

  std::string texts_;
  std::unique_ptr<const Rare> rare_;  // null: nothing of it
  std::uint16_t peer_end_;
  std::uint16_t identity_end_;
  std::uint16_t path_end_;
  bool is_local_;
};

}  // namespace jackfield::hub
