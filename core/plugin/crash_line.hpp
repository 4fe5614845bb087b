// A line of the log, made where nothing may be allocated: in a signal handler. As core/base/log.hpp
// writes it, into a buffer of its own. Async-signal-safe throughout (signal-safety(7)); one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/log.hpp"

namespace jackfield::plugin {

class CrashLine {
 public:
  static constexpr std::size_t kMaxOctets = base::Log::kMaxLineOctets;  // its end included

  // Empties it and writes the time, in UTC. `seconds` since 1970, `milliseconds` below 1000.
  void begin(std::int64_t seconds, int milliseconds) noexcept;

  // Each adds ` key=value`, or nothing where there is no room for all of it. A text may hold any
  // octets; one longer than `limit` octets is cut there.
  void add(std::string_view key, std::string_view value, std::size_t limit) noexcept;
  void add(std::string_view key, std::uint64_t number) noexcept;
  void add_address(std::string_view key, std::uintptr_t address) noexcept;  // 0x...
  // ` key=file.so+0xOFFSET`; what would need quotes in the file's name is '?'.
  void add_place(std::string_view key, std::string_view file, std::uintptr_t offset) noexcept;

  // The whole fields so far, ended by '\n'. Should a field's text prove unreadable, a handler that
  // interrupts its `add` gets those before it.
  std::string_view end() noexcept;

 private:
  void put(char c) noexcept;
  void put(std::string_view text) noexcept;
  void put_number(std::uint64_t number, int base, std::size_t width = 1) noexcept;
  void begin_field(std::string_view key) noexcept;
  void end_field() noexcept;

  std::array<char, kMaxOctets> text_{};
  std::size_t size_ = 0;                // may go beyond the buffer's end: then it did not fit
  std::atomic<std::size_t> whole_ = 0;  // where the last whole field ends
};

}  // namespace jackfield::plugin
