#include "tests/bench/servers/limit/upgrade.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace jackfield::bench::limit {
namespace {

using Digest = std::array<std::uint8_t, 20>;

// One block of 64 octets (FIPS 180-4, 6.1.2).
void add_block(const std::uint8_t* block, std::array<std::uint32_t, 5>& state) {
  std::array<std::uint32_t, 80> words;
  for (std::size_t i = 0; i < 16; ++i) {
    words[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
               std::uint32_t{block[4 * i + 2]} << 8 | std::uint32_t{block[4 * i + 3]};
  }
  for (std::size_t i = 16; i < words.size(); ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint32_t mixed = 0;
    if (i < 20) {
      mixed = ((b & c) | (~b & d)) + 0x5a827999;
    } else if (i < 40) {
      mixed = (b ^ c ^ d) + 0x6ed9eba1;
    } else if (i < 60) {
      mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    } else {
      mixed = (b ^ c ^ d) + 0xca62c1d6;
    }
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

Digest sha1(std::string_view text) {
  std::string padded(text);
  padded += '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  for (int shift = 56; shift >= 0; shift -= 8) padded += static_cast<char>(bits >> shift & 0xff);

  std::array<std::uint32_t, 5> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (std::size_t i = 0; i < padded.size(); i += 64) {
    add_block(reinterpret_cast<const std::uint8_t*>(padded.data()) + i, state);
  }
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
  }
  return digest;
}

// RFC 4648, 4.
std::string base64(const Digest& octets) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      group = group << 8 | (j < octets.size() ? octets[j] : 0u);
    }
    for (int shift = 18; shift >= 0; shift -= 6) text += kAlphabet[group >> shift & 0x3f];
  }
  text.back() = '=';  // 20 octets are one short of seven groups
  return text;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The value of a header, without the spaces around it.
std::optional<std::string_view> header(std::string_view request, std::string_view name) {
  for (std::size_t end = request.find("\r\n"); end + 2 < request.size();) {
    const std::size_t start = end + 2;
    end = request.find("\r\n", start);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = request.substr(start, end - start);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    bool is_it = true;
    for (std::size_t i = 0; i < name.size(); ++i) is_it = is_it && lower(line[i]) == name[i];
    if (!is_it) continue;
    line.remove_prefix(name.size() + 1);
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
    return line;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> accept_upgrade(std::string_view request) {
  constexpr std::size_t kKeySize = 24;  // base64 of 16 octets
  const auto key = header(request, "sec-websocket-key");
  if (!request.starts_with("GET ") || !key || key->size() != kKeySize) return std::nullopt;
  constexpr const char* kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         base64(sha1(std::string(*key) + kMagic)) + "\r\n\r\n";
}

}  // namespace jackfield::bench::limit
