// What one generation hands over to the next, as the C++ wrapper's `start` gets it: Start, and the
// errors and checks for a state that another version has written. Included by jackfield.hpp. C++17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "jackfield.h"
#include "jackfield_json.hpp"

namespace jf {

// Octets that a state may have.
inline constexpr std::size_t kMaxState = std::size_t{64} << 20;

// Thrown by `start`: the state cannot be taken (JF_E_STATE). The reason is logged, and the old
// generation goes on.
class StateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

// Reads JSON text (RFC 8259) and takes nothing else. Without recursion: another chose the depth.
class JsonCheck {
 public:
  explicit JsonCheck(std::string_view json) : json_(json) {}

  bool whole() {
    do {
      if (!value()) return false;
      while (!objects_.empty() && take(objects_.back() ? '}' : ']')) objects_.pop_back();
      if (!objects_.empty() && (!take(',') || (objects_.back() && !key()))) return false;
    } while (!objects_.empty());
    space();
    return at_ == json_.size();
  }

 private:
  // A scalar, an empty object or array, or the begin of another with its first scalar.
  bool value() {
    while (true) {
      const bool is_object = take('{');
      if (!is_object && !take('[')) return scalar();
      if (take(is_object ? '}' : ']')) return true;
      objects_.push_back(is_object);
      if (is_object && !key()) return false;
    }
  }
  bool key() { return string() && take(':'); }
  bool scalar() {
    switch (next()) {
      case '"':
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }
  bool literal(std::string_view expected) {
    if (json_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  bool number() {
    if (is('-')) ++at_;
    if (is('0')) {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (is('.')) {
      ++at_;
      if (!digits()) return false;
    }
    if (is('e') || is('E')) {
      ++at_;
      if (is('+') || is('-')) ++at_;
      return digits();
    }
    return true;
  }
  bool digits() {
    const std::size_t from = at_;
    while (at_ < json_.size() && json_[at_] >= '0' && json_[at_] <= '9') ++at_;
    return at_ > from;
  }
  bool string() {
    if (!take('"')) return false;
    while (at_ < json_.size()) {
      const auto c = static_cast<unsigned char>(json_[at_]);
      if (c < 0x20) return false;
      std::size_t size = 1;
      if (c == '\\') {
        size = escape();
      } else if (c >= 0x80) {
        size = jf_json_sequence_(text(json_), at_);
        // A surrogate by itself is no UTF-8, though the function takes it.
        const bool is_surrogate =
            size == 3 && c == 0xED && static_cast<unsigned char>(json_[at_ + 1]) >= 0xA0;
        if (is_surrogate) return false;
      }
      if (size == 0) return false;
      at_ += size;
      if (c == '"') return true;
    }
    return false;
  }
  std::size_t escape() const {
    if (at_ + 1 >= json_.size()) return 0;
    if (json_[at_ + 1] == 'u') return jf_json_unit_(text(json_), at_) <= 0xFFFF ? 6 : 0;
    return std::string_view("\"\\/bfnrt").find(json_[at_ + 1]) == std::string_view::npos ? 0 : 2;
  }

  void space() { at_ = jf_json_skip_space_(text(json_), at_); }
  bool is(char c) const { return at_ < json_.size() && json_[at_] == c; }
  char next() {
    space();
    return at_ < json_.size() ? json_[at_] : '\0';
  }
  bool take(char c) {
    space();
    if (!is(c)) return false;
    ++at_;
    return true;
  }

  std::string_view json_;
  std::size_t at_ = 0;
  std::vector<bool> objects_;  // what is open, the outermost first: objects, or arrays
};

}  // namespace detail

// Whether `text` is one JSON value in UTF-8. What the host hands over (payloads, the configuration)
// is; a state need not be.
inline bool is_json(std::string_view text) { return detail::JsonCheck(text).whole(); }

// What `start` is given.
struct Start {
  Json config;                      // the plugin's table in the configuration; {} if there is none
  std::uint32_t state_version = 0;  // 0: a fresh start, no state
  std::string_view state;           // what the generation before saved
  std::string_view state_from;      // its version text

  bool has_state() const { return state_version != 0; }

  // The state where it is of this version; empty without one. Throws StateError where it is of
  // another.
  std::string_view state_of(std::uint32_t version) const {
    if (has_state() && state_version != version) refuse("this version takes " + number(version));
    return has_state() ? state : std::string_view();
  }

  // The same of a state that is JSON. Throws where it is not, or not as wanted. Without a state: a
  // Json of nothing, over which a loop does nothing.
  Json json_state_of(std::uint32_t version, const Want& want = want::any()) const {
    const std::string_view text = state_of(version);
    if (!has_state()) return Json();
    if (!is_json(text)) refuse("it is not JSON");
    const Json json(text);
    const std::string mistake = want.check(json, "state");
    if (!mistake.empty()) refuse(mistake);
    return json;
  }

  // Throws where there is a state.
  void expect_none() const {
    if (has_state()) refuse("this version takes none");
  }

  // Throws StateError, with what the state is and where it is from.
  [[noreturn]] void refuse(const std::string& why) const {
    throw StateError("the state of version " + number(state_version) + " from " +
                     std::string(state_from) + " is refused: " + why);
  }

 private:
  static std::string number(std::uint32_t value) { return std::to_string(value); }
};

}  // namespace jf
