#include "core/plugin/crash_line.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "core/base/log_value.hpp"

namespace jackfield::plugin {
namespace {

constexpr std::size_t kMaxFileOctets = 64;

}  // namespace

void CrashLine::begin(std::int64_t seconds, int milliseconds) noexcept {
  size_ = 0;
  whole_ = 0;
  // gmtime_r(3) is not async-signal-safe (it reads the time zone's rules); <chrono>'s calendar is
  // arithmetic only.
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto number = [this](auto value, std::size_t width) {
    put_number(static_cast<std::uint64_t>(value), 10, width);
  };
  number(std::max(0, static_cast<int>(date.year())), 4);
  put('-');
  number(static_cast<unsigned>(date.month()), 2);
  put('-');
  number(static_cast<unsigned>(date.day()), 2);
  put('T');
  number(clock.hours().count(), 2);
  put(':');
  number(clock.minutes().count(), 2);
  put(':');
  number(clock.seconds().count(), 2);
  put('.');
  number(milliseconds, 3);
  put('Z');
  end_field();
}

void CrashLine::add(std::string_view key, std::string_view value, std::size_t limit) noexcept {
  begin_field(key);
  base::put_log_value(value, limit, [this](std::string_view piece) { put(piece); });
  end_field();
}

void CrashLine::add(std::string_view key, std::uint64_t number) noexcept {
  begin_field(key);
  put_number(number, 10);
  end_field();
}

void CrashLine::add_address(std::string_view key, std::uintptr_t address) noexcept {
  begin_field(key);
  put("0x");
  put_number(address, 16);
  end_field();
}

void CrashLine::add_place(std::string_view key, std::string_view file,
                          std::uintptr_t offset) noexcept {
  begin_field(key);
  for (const char c : file.substr(0, kMaxFileOctets)) {
    const auto octet = static_cast<unsigned char>(c);
    put(octet <= ' ' || octet >= 0x7f || c == '"' || c == '=' || c == '\\' ? '?' : c);
  }
  put(".so+0x");
  put_number(offset, 16);
  end_field();
}

std::string_view CrashLine::end() noexcept {
  const std::size_t whole = whole_;
  text_[whole] = '\n';
  return {text_.data(), whole + 1};
}

void CrashLine::put(char c) noexcept {
  if (size_ < text_.size() - 1) text_[size_] = c;
  ++size_;
}

void CrashLine::put(std::string_view text) noexcept {
  for (const char c : text) put(c);
}

void CrashLine::put_number(std::uint64_t number, int base, std::size_t width) noexcept {
  std::array<char, 24> digits;
  // Arithmetic only, for integers ([charconv.to.chars]: no locale, no allocation).
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  for (std::size_t i = size; i < width; ++i) put('0');
  put(std::string_view(digits.data(), size));
}

void CrashLine::begin_field(std::string_view key) noexcept {
  size_ = whole_;
  if (size_ > 0) put(' ');
  put(key);
  put('=');
}

void CrashLine::end_field() noexcept {
  if (size_ > text_.size() - 1) return;
  // For a handler that interrupts this one: the octets first, then that they count.
  std::atomic_signal_fence(std::memory_order_release);
  whole_.store(size_, std::memory_order_relaxed);
}

}  // namespace jackfield::plugin
