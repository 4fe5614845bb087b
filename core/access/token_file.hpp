// Static tokens: a file with one a line,
//
//     NAME TOKEN [GROUP,GROUP]
//     NAME sha256:HEX [GROUP,GROUP]      so that the file does not hold the secret
//
// Empty lines, and those that begin with '#', are passed over. In memory there are digests only.
// Any thread; values.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/access/crypto.hpp"
#include "core/access/identity.hpp"
#include "core/base/result.hpp"

namespace jackfield::access {

class TokenTable {
 public:
  static constexpr std::size_t kLeastToken = 16;  // visible ASCII characters
  static constexpr std::size_t kMostToken = 512;
  static constexpr std::size_t kMostEntries = 10000;

  struct Entry {
    Digest digest;  // of the token
    Identity identity;
  };

  TokenTable() = default;
  // Reads a file, which others must not be able to read or write; `user` is whom the server will be.
  // Fails with one sentence that names the file and, of its first mistake, the line; it quotes no
  // token.
  static base::Result<TokenTable> read(const std::filesystem::path& path,
                                       uid_t user = ::geteuid());
  // The same for text that was read already; `name` names it.
  static base::Result<TokenTable> parse(std::string_view text, const std::string& name);

  // Null where nobody has this token. Looks at every entry, and takes the same time for each.
  const Entry* find(std::string_view token) const;
  // Whether it holds this one still, for the same identity with the same groups.
  bool has(const Digest& digest, std::string_view identity, std::string_view groups) const;
  std::size_t size() const { return entries_.size(); }

 private:
  std::vector<Entry> entries_;
};

}  // namespace jackfield::access
