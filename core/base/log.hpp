// The log: one line an event, logfmt (`key=value`), to a sink that the daemon sets (stderr). A line
// that repeats (same level and message) is written kBurst times within kWindow and then held down;
// the next one that is let through says how many were held. A line for which there is no memory is
// lost; nothing throws. Any thread; a Log must outlive its
// users. Levels are ordered: a line is written where its level is at most the log's.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace jackfield::base {

enum class LogLevel : std::uint8_t { kError = 1, kWarning = 2, kInfo = 3, kDebug = 4 };

std::string_view log_level_name(LogLevel level);
std::optional<LogLevel> log_level_from_name(std::string_view name);

// One `key=value` of a line. Views into its arguments: it lives for one call.
class LogField {
 public:
  LogField(std::string_view key, std::string_view value) : key_(key), text_(value) {}
  LogField(std::string_view key, const char* value) : key_(key), text_(value) {}
  LogField(std::string_view key, const std::string& value) : key_(key), text_(value) {}
  LogField(std::string_view key, std::integral auto value)
      : key_(key), number_(std::to_string(value)) {}

  std::string_view key() const { return key_; }
  std::string_view value() const { return number_.empty() ? text_ : std::string_view(number_); }

 private:
  std::string_view key_;
  std::string_view text_;
  std::string number_;
};

class Log {
 public:
  // Takes one line, ended by '\n'. Called with the log's lock held: must not log.
  using Sink = std::function<void(std::string_view line)>;

  static constexpr std::size_t kMaxLineOctets = 4096;  // its end included; longer ones are cut
  static constexpr int kBurst = 10;
  static constexpr std::chrono::seconds kWindow{10};

  Log(LogLevel level, Sink sink);
  // Says how many lines are still held down.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool is_on(LogLevel level) const { return level <= level_.load(std::memory_order_relaxed); }
  LogLevel level() const { return level_.load(std::memory_order_relaxed); }
  // For what is written from now on. Any thread.
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }

  // `message` is a short constant text: it is what repeats are counted by.
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
  // The same with fields whose number is known at run time only.
  void write(LogLevel level, std::string_view message, const LogField* fields, std::size_t count);
  // The same, never held down: for the answer to what an operator did. Who calls it bounds it.
  void write_each(LogLevel level, std::string_view message,
                  std::initializer_list<LogField> fields = {});

  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kError, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kWarning, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kInfo, message, fields);
  }
  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (is_on(LogLevel::kDebug)) write(LogLevel::kDebug, message, fields);
  }

 private:
  struct Repeats {
    std::chrono::steady_clock::time_point window_start;
    int written = 0;
    std::uint64_t held = 0;
  };

  // How many were held before this one, or nothing where this one is held too.
  std::optional<std::uint64_t> admit(LogLevel level, std::string_view message);
  void emit(LogLevel level, std::string_view message, const LogField* fields, std::size_t count,
            std::uint64_t held);

  std::atomic<LogLevel> level_;
  const Sink sink_;
  std::mutex mutex_;
  std::unordered_map<std::string, Repeats> repeats_;
  std::string line_;
};

}  // namespace jackfield::base
