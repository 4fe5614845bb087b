#include "core/access/jwt_text.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

#include "core/wire/json_text.hpp"

namespace jackfield::access {
namespace {

// The six bits that a character stands for; negative: none.
int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return -1;
}

// What a value that is a string stands for.
std::optional<std::string> text_of(std::string_view value) {
  if (value.empty() || value.front() != '"') return std::nullopt;
  std::string text;
  wire::append_unquoted(value, text);
  return text;
}

}  // namespace

std::optional<JwtParts> split_jwt(std::string_view token) {
  if (token.size() > kMaxJwt) return std::nullopt;
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  JwtParts parts;
  parts.header = token.substr(0, first);
  parts.claims = token.substr(first + 1, second - first - 1);
  parts.signature = token.substr(second + 1);
  parts.signed_part = token.substr(0, second);
  if (parts.header.empty() || parts.claims.empty() || parts.signature.empty()) return std::nullopt;
  if (parts.signature.find('.') != std::string_view::npos) return std::nullopt;
  return parts;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string octets;
  octets.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;  // of the bits that no octet has yet
  for (const char c : text) {
    const int six = sextet(c);
    if (six < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(six);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    octets += static_cast<char>((bits >> count) & 0xff);
  }
  const std::uint32_t rest = bits & ((1u << count) - 1);
  if (count == 6 || rest != 0) return std::nullopt;
  return octets;
}

std::optional<JsonObject> JsonObject::read(std::string_view json) {
  if (!wire::is_json(json)) return std::nullopt;
  wire::JsonScanner scanner(json);
  JsonObject object;
  if (!scanner.take('{')) return std::nullopt;
  if (scanner.take('}')) return object;
  do {
    std::string_view key;
    Member member;
    if (!scanner.take_string(key) || !scanner.take(':') || !scanner.take_value(member.value)) {
      return std::nullopt;
    }
    wire::append_unquoted(key, member.key);
    if (object.members_.size() >= kMaxMembers || object.has(member.key)) return std::nullopt;
    object.members_.push_back(std::move(member));
  } while (scanner.take(','));
  return object;
}

const std::string_view* JsonObject::find(std::string_view key) const {
  for (const Member& member : members_) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::optional<std::string> JsonObject::text(std::string_view key) const {
  const std::string_view* const value = find(key);
  return value == nullptr ? std::nullopt : text_of(*value);
}

std::optional<double> JsonObject::number(std::string_view key) const {
  const std::string_view* const value = find(key);
  if (value == nullptr) return std::nullopt;
  double number = 0;
  const char* const end = value->data() + value->size();
  const auto [read_to, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc() || read_to != end) return std::nullopt;
  return number;
}

std::optional<std::vector<std::string>> JsonObject::texts(std::string_view key) const {
  const std::string_view* const value = find(key);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  if (auto one = text_of(*value)) {
    texts.push_back(std::move(*one));
    return texts;
  }
  wire::JsonScanner scanner(*value);
  if (!scanner.take('[')) return std::nullopt;
  if (scanner.take(']')) return texts;
  do {
    std::string_view item;
    if (!scanner.take_string(item)) return std::nullopt;
    wire::append_unquoted(item, texts.emplace_back());
  } while (scanner.take(','));
  return texts;
}

}  // namespace jackfield::access
