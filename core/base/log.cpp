#include "core/base/log.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <new>
#include <utility>

#include "core/base/log_value.hpp"

namespace jackfield::base {
namespace {

// Distinct messages are constants of the program and of its plugins; a plugin that makes them up
// must not grow the table.
constexpr std::size_t kMaxDistinctMessages = 1000;
// A value is cut here, so that a peer's or plugin's text cannot fill the log.
constexpr std::size_t kMaxValueOctets = 1024;

void append_time(std::string& line) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 48> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                 utc.tm_min, utc.tm_sec, static_cast<int>(milliseconds % 1000));
  if (size > 0) line.append(text.data(), static_cast<std::size_t>(size));
}

void append_value(std::string& line, std::string_view value) {
  put_log_value(value, kMaxValueOctets, [&line](std::string_view piece) { line += piece; });
}

}  // namespace

std::string_view log_level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kError: return "error";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kInfo: return "info";
    case LogLevel::kDebug: return "debug";
  }
  return "error";
}

std::optional<LogLevel> log_level_from_name(std::string_view name) {
  for (const LogLevel level :
       {LogLevel::kError, LogLevel::kWarning, LogLevel::kInfo, LogLevel::kDebug}) {
    if (log_level_name(level) == name) return level;
  }
  return std::nullopt;
}

Log::Log(LogLevel level, Sink sink) : level_(level), sink_(std::move(sink)) {}

Log::~Log() {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, repeats] : repeats_) {
    if (repeats.held == 0) continue;
    const std::array<LogField, 1> fields{LogField("message", std::string_view(key).substr(1))};
    emit(LogLevel::kInfo, "repeats held down", fields.data(), fields.size(), repeats.held);
  }
}

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  write(level, message, fields.begin(), fields.size());
}

void Log::write(LogLevel level, std::string_view message, const LogField* fields,
                std::size_t count) {
  if (!is_on(level)) return;
  const std::lock_guard lock(mutex_);
  try {
    if (const auto held = admit(level, message)) emit(level, message, fields, count, *held);
  } catch (const std::bad_alloc&) {  // the line is lost, and what it was about goes on
  }
}

void Log::write_each(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) {
  if (!is_on(level)) return;
  const std::lock_guard lock(mutex_);
  try {
    emit(level, message, fields.begin(), fields.size(), 0);
  } catch (const std::bad_alloc&) {  // the line is lost
  }
}

std::optional<std::uint64_t> Log::admit(LogLevel level, std::string_view message) {
  if (level == LogLevel::kDebug) return 0;  // who asks for these wants all of them
  std::string key(1, static_cast<char>(level));
  key += message;
  const auto now = std::chrono::steady_clock::now();
  auto found = repeats_.find(key);
  if (found == repeats_.end()) {
    if (repeats_.size() >= kMaxDistinctMessages) repeats_.clear();
    found = repeats_.emplace(std::move(key), Repeats{now}).first;
  }
  Repeats& repeats = found->second;
  if (now - repeats.window_start >= kWindow) {
    repeats.window_start = now;
    repeats.written = 0;
  }
  if (repeats.written >= kBurst) {
    ++repeats.held;
    return std::nullopt;
  }
  ++repeats.written;
  return std::exchange(repeats.held, 0);
}

void Log::emit(LogLevel level, std::string_view message, const LogField* fields, std::size_t count,
               std::uint64_t held) {
  line_.clear();
  append_time(line_);
  line_ += " level=";
  line_ += log_level_name(level);
  line_ += " msg=";
  append_value(line_, message);
  for (std::size_t i = 0; i < count; ++i) {
    line_ += ' ';
    line_ += fields[i].key();
    line_ += '=';
    append_value(line_, fields[i].value());
  }
  if (held != 0) {
    line_ += " held=";
    line_ += std::to_string(held);
  }
  if (line_.size() >= kMaxLineOctets) {
    line_.resize(kMaxLineOctets - 4);
    line_ += "...";
  }
  line_ += '\n';
  sink_(line_);
}

}  // namespace jackfield::base
