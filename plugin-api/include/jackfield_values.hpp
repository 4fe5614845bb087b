// Small values of the C++ wrapper: errors and results, JSON text to send, log fields, times.
// Included by jackfield.hpp. C++17; any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "jackfield.h"
#include "jackfield_json.hpp"

namespace jf {

using Id = jf_id;  // of a connection, subscription, call or timer; 0 names nothing

// The codes that the server itself uses in `error` messages. A plugin may use its own.
inline constexpr const char* kInvalidPayload = "INVALID_PAYLOAD";
inline constexpr const char* kInternalError = "INTERNAL_ERROR";
inline constexpr const char* kForbidden = "FORBIDDEN";
inline constexpr const char* kLimitExceeded = "LIMIT_EXCEEDED";

// What the client is told: a code for its program, a message for a person. Throw it from a handler,
// or return it. Any other exception tells the client INTERNAL_ERROR and its what().
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message)
      : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

// A handler returns it to say that the channel knows no such event.
struct NoEvent {};
inline constexpr NoEvent kNoEvent{};

// What a handler may return instead of nothing: an Error, kNoEvent, or what a function of the host
// returned: a negative JF_E_* fails, anything else (a count, say) is success.
class Result {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}                     // NOLINT: implicit on purpose
  Result(NoEvent /*none*/) : result_(JF_NO_EVENT) {}                    // NOLINT
  Result(std::int32_t result) : result_(result < 0 ? result : JF_OK) {}  // NOLINT
  const std::optional<Error>& error() const { return error_; }
  std::int32_t result() const { return result_; }

 private:
  std::optional<Error> error_;
  std::int32_t result_ = JF_OK;
};

// JSON text to send: a Json, a JsonWriter, or text that is JSON already. A plain string is not
// quoted; use jf::quoted. Used as a parameter only: it does not own the text.
class JsonText {
 public:
  JsonText(const Json& json) : text_(jf::text(json.raw())) {}            // NOLINT
  JsonText(const JsonWriter& writer) : text_(jf::text(writer.str())) {}  // NOLINT
  JsonText(const std::string& json) : text_(jf::text(json)) {}           // NOLINT
  JsonText(std::string_view json) : text_(jf::text(json)) {}             // NOLINT
  JsonText(const char* json) : text_(jf::text(json)) {}                  // NOLINT
  jf_text text() const { return text_; }

 private:
  jf_text text_;
};

// A field of a log line: {"topic", topic}, {"count", 3}.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
  LogField(std::string_view k, Number v) : key(k), value(JsonWriter().value(v).take()) {}
  std::string key;
  std::string value;
};

// Facts about a connection. The texts live until the running function returns.
struct Connection {
  bool local = false;         // the peer is this machine
  std::string_view peer;      // "192.0.2.1", "2001:db8::1" or "unix"
  std::string_view identity;  // who it is; empty: nobody known
  std::string_view path;      // of the upgrade request
  std::string_view query;
};

// A time as ISO 8601 in UTC with milliseconds: 2026-11-23T04:00:00.000Z.
inline std::string iso_time(
    std::chrono::system_clock::time_point time = std::chrono::system_clock::now()) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  const std::time_t since_epoch = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  gmtime_r(&since_epoch, &parts);
  std::array<char, 64> buffer{};
  std::string out(buffer.data(),
                  std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S.", &parts));
  const std::string digits = std::to_string(1000 + (ms - seconds).count());
  return out + digits.substr(1) + "Z";
}

}  // namespace jf
