// One key of the configuration while it is read: its value, and where to note what is wrong with
// it. The checks that settings share (a number within bounds, a list of names) are its functions;
// each writes the target only where the value is right. Lives for one key.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/config.hpp"
#include "core/config/value.hpp"

namespace jackfield::config {

// Collects what is wrong with one file.
class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  void add(Position position, std::string key, std::string message);
  bool empty() const { return mistakes_.empty(); }
  // In the order of the file.
  std::vector<Mistake> take();

 private:
  std::string file_;
  std::vector<Mistake> mistakes_;
};

class Field {
 public:
  Field(std::string key, const Value& value, Mistakes& mistakes)
      : key_(std::move(key)), value_(value), mistakes_(mistakes) {}

  const Value& value() const { return value_; }

  // A part of the value, with its name behind this one's: "[0]", ".kid".
  Field part(const std::string& name, const Value& value) {
    return Field(key_ + name, value, mistakes_);
  }

  // Notes the sentence at the place of the value.
  void note(std::string sentence) { mistakes_.add(value_.position, key_, std::move(sentence)); }

  // Notes "must be `right_form`, is (the value)".
  void refuse(std::string_view right_form) { refuse(value_, right_form); }

  void integer(std::unsigned_integral auto& target, std::int64_t low, std::int64_t high) {
    integer(target, low, high, false);
  }
  // The same, or 0 for what the server takes by itself.
  void integer_or_default(std::unsigned_integral auto& target, std::int64_t low,
                          std::int64_t high) {
    integer(target, low, high, true);
  }

  void boolean(bool& target);

  // Seconds, with a fraction or without, kept to the millisecond.
  void seconds(std::chrono::milliseconds& target, int high) { seconds(target, high, false); }
  // The same, or 0 for off.
  void seconds_or_off(std::chrono::milliseconds& target, int high) { seconds(target, high, true); }

  // A string; nothing where it is none, and then that is noted as "must be `right_form`".
  const std::string* text(std::string_view right_form);

  // A list of strings, none twice. `read` gives an item's kept form, or a failure ("must be ...,
  // is ..."); two items are the same where their kept forms are.
  void texts(std::vector<std::string>& target, std::string_view right_form,
             const std::function<base::Result<std::string>(const std::string&)>& read);

 private:
  void refuse(const Value& value, std::string_view right_form);
  void integer(std::unsigned_integral auto& target, std::int64_t low, std::int64_t high,
               bool zero_is_default) {
    if (check_integer(low, high, zero_is_default)) {
      target = static_cast<std::remove_reference_t<decltype(target)>>(value_.integer);
    }
  }
  bool check_integer(std::int64_t low, std::int64_t high, bool zero_is_default);
  void seconds(std::chrono::milliseconds& target, int high, bool zero_is_off);

  std::string key_;
  const Value& value_;
  Mistakes& mistakes_;
};

}  // namespace jackfield::config
