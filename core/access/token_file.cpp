#include "core/access/token_file.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/access/secret_file.hpp"

namespace jackfield::access {
namespace {

using Table = base::Result<TokenTable>;

constexpr std::string_view kDigestPrefix = "sha256:";

// Takes the next word of the line; empty: there is none.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view kBlank = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  return word;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<Digest> read_digest(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = nibble(hex[2 * i]);
    const int low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return digest;
}

bool are_groups(std::string_view list) {
  std::size_t count = 0;
  while (true) {
    const std::size_t comma = list.find(',');
    if (!is_group(list.substr(0, comma)) || ++count > Identity::kMaxGroups) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

// What is wrong with an entry; empty: nothing.
std::string read_entry(std::string_view line, TokenTable::Entry& entry) {
  const std::string_view name = take_word(line);
  const std::string_view token = take_word(line);
  const std::string_view groups = take_word(line);
  if (!is_name(name)) return "must begin with a name of 1 to 128 visible characters";
  if (token.empty()) return "must be NAME TOKEN [GROUP,GROUP]";
  if (token.starts_with(kDigestPrefix)) {
    const auto digest = read_digest(token.substr(kDigestPrefix.size()));
    if (!digest) return "must have 64 hexadecimal digits behind sha256:";
    entry.digest = *digest;
  } else {
    const bool is_visible =
        std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
    const bool is_long =
        token.size() >= TokenTable::kLeastToken && token.size() <= TokenTable::kMostToken;
    if (!is_visible || !is_long) return "must have a token of 16 to 512 visible ASCII characters";
    entry.digest = sha256(token);
  }
  if (!groups.empty() && !are_groups(groups)) {
    return "must have groups as GROUP,GROUP, visible characters, at most 32";
  }
  if (!take_word(line).empty()) return "has more than a name, a token and groups";
  entry.identity.text = "token:" + std::string(name);
  entry.identity.groups = std::string(groups);
  return {};
}

}  // namespace

Table TokenTable::read(const std::filesystem::path& path, uid_t user) {
  const auto text = read_secret_file(path, Secrecy::kSecret, user);
  if (!text.is_ok()) return Table::failure(text.message());
  return parse(text.value(), path.string());
}

Table TokenTable::parse(std::string_view text, const std::string& name) {
  TokenTable table;
  for (unsigned number = 1; !text.empty(); ++number) {
    const auto refuse = [&](const std::string& why) {
      return Table::failure(name + ":" + std::to_string(number) + ": " + why);
    };
    const std::string_view line = take_line(text);
    std::string_view rest = line;
    const std::string_view first = take_word(rest);
    if (first.empty() || first.front() == '#') continue;
    Entry entry;
    if (const std::string why = read_entry(line, entry); !why.empty()) return refuse(why);
    const bool is_twice =
        std::any_of(table.entries_.begin(), table.entries_.end(),
                    [&](const Entry& other) { return other.digest == entry.digest; });
    if (is_twice) return refuse("has the token of another line");
    if (table.entries_.size() >= kMostEntries) return refuse("more than 10000 tokens");
    table.entries_.push_back(std::move(entry));
  }
  return table;
}

const TokenTable::Entry* TokenTable::find(std::string_view token) const {
  const Digest digest = sha256(token);
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (are_same(entry.digest, digest)) found = &entry;
  }
  return found;
}

bool TokenTable::has(const Digest& digest, std::string_view identity,
                     std::string_view groups) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return are_same(entry.digest, digest) && entry.identity.text == identity &&
           entry.identity.groups == groups;
  });
}

}  // namespace jackfield::access
