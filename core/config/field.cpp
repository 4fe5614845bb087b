#include "core/config/field.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace jackfield::config {

void Mistakes::add(Position position, std::string key, std::string message) {
  mistakes_.push_back(
      Mistake{file_, position.line, position.column, std::move(key), std::move(message)});
}

std::vector<Mistake> Mistakes::take() {
  std::stable_sort(mistakes_.begin(), mistakes_.end(), [](const Mistake& a, const Mistake& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::exchange(mistakes_, {});
}

void Field::refuse(const Value& value, std::string_view right_form) {
  mistakes_.add(value.position, key_,
                "must be " + std::string(right_form) + ", is " + describe(value));
}

bool Field::check_integer(std::int64_t low, std::int64_t high, bool zero_is_default) {
  const bool is_integer = value_.kind == Value::Kind::kInteger;
  const bool in_range = value_.integer >= low && value_.integer <= high;
  const bool ok = is_integer && (in_range || (zero_is_default && value_.integer == 0));
  if (!ok) {
    refuse("an integer from " + std::to_string(low) + " to " + std::to_string(high) +
           (zero_is_default ? ", or 0 for the default" : ""));
  }
  return ok;
}

void Field::seconds(std::chrono::milliseconds& target, int high, bool zero_is_off) {
  double seconds = -1;
  if (value_.kind == Value::Kind::kInteger) seconds = static_cast<double>(value_.integer);
  if (value_.kind == Value::Kind::kReal) seconds = value_.real;
  const bool in_range = seconds >= 0.001 && seconds <= high;  // false for NaN
  const bool is_off = zero_is_off && seconds == 0;
  if (!in_range && !is_off) {
    refuse("a number of seconds from 0.001 to " + std::to_string(high) +
           (zero_is_off ? ", or 0 for off" : ""));
    return;
  }
  target = std::chrono::milliseconds(std::llround(seconds * 1000));
}

void Field::boolean(bool& target) {
  if (value_.kind != Value::Kind::kBoolean) return refuse("true or false");
  target = value_.boolean;
}

const std::string* Field::text(std::string_view right_form) {
  if (value_.kind == Value::Kind::kString) return &value_.text;
  refuse(right_form);
  return nullptr;
}

void Field::texts(std::vector<std::string>& target, std::string_view right_form,
                  const std::function<base::Result<std::string>(const std::string&)>& read) {
  if (value_.kind != Value::Kind::kList) return refuse(right_form);
  std::vector<std::string> kept;
  for (const Value& item : value_.items) {
    if (item.kind != Value::Kind::kString) {
      refuse(item, right_form);
      continue;
    }
    base::Result<std::string> form = read(item.text);
    if (!form.is_ok()) {
      mistakes_.add(item.position, key_, form.message());
    } else if (std::find(kept.begin(), kept.end(), form.value()) != kept.end()) {
      mistakes_.add(item.position, key_, "has " + describe(item) + " twice");
    } else {
      kept.push_back(std::move(form.value()));
    }
  }
  target = std::move(kept);
}

}  // namespace jackfield::config
