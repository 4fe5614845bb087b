// JSON for plugins in C++: Json, a view that reads; JsonWriter, which writes; and jf::want, which
// says what a value has to look like. C++17, header only. All of it may be used on any thread.
//
//     jf::Json json = event.payload();
//     std::string name = json["name"].string().value_or("nobody");
//     for (const jf::Json& tag : json["tags"].elements()) ...
//
//     jf::JsonWriter writer;
//     writer.object().field("name", name).field("count", 3).end();
//
// A Json does not own its text: it is valid as long as what it was made from (what a handler is
// given: until the handler returns). To keep it, keep std::string(json.raw()).
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "jackfield_json.h"

namespace jf {

// The ABI's texts to the standard's and back.
inline jf_text text(std::string_view view) { return jf_text{view.data(), view.size()}; }
inline std::string_view view(jf_text text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

// Appends `text` as a JSON string, with its quotes. Always valid JSON, whatever the octets.
inline void append_quoted(std::string& out, std::string_view text) {
  const std::size_t from = out.size();
  out.resize(from + text.size() + 2);
  const std::size_t size = jf_json_quote(jf::text(text), out.data() + from, out.size() - from);
  if (size <= out.size() - from) return;  // never less
  out.resize(from + size);
  jf_json_quote(jf::text(text), out.data() + from, size);
}

inline std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

struct Member;

// A view of one JSON value, or of none (a member that is not there). Reading what is not there, or
// is of another type, gives an empty optional; nothing throws.
class Json {
 public:
  Json() = default;
  explicit Json(std::string_view json) : json_(view(jf_json_span(text(json)))) {}

  bool exists() const { return !json_.empty(); }
  explicit operator bool() const { return exists(); }
  std::uint32_t type() const { return jf_json_type(text(json_)); }  // JF_JSON_*
  bool is_null() const { return type() == JF_JSON_NULL; }
  bool is_bool() const { return type() == JF_JSON_BOOL; }
  bool is_number() const { return type() == JF_JSON_NUMBER; }
  bool is_string() const { return type() == JF_JSON_STRING; }
  bool is_array() const { return type() == JF_JSON_ARRAY; }
  bool is_object() const { return type() == JF_JSON_OBJECT; }

  // The octets of the value as they stand in the text: every digit, every unknown member.
  std::string_view raw() const { return json_; }

  // A member of an object by its decoded key; the last one where there are several.
  Json operator[](std::string_view key) const {
    jf_text found;
    jf_json_get(text(json_), text(key), &found);
    return Json(found);
  }

  std::optional<std::string> string() const {
    if (!is_string()) return std::nullopt;
    std::string out(json_.size(), '\0');  // decoded is never longer
    std::size_t size = 0;
    if (jf_json_string(text(json_), out.data(), out.size(), &size) < 0) return std::nullopt;
    out.resize(size);
    return out;
  }
  // Whole numbers only, 1.0 and 1e2 among them; empty also where it is beyond int64_t.
  std::optional<std::int64_t> integer() const {
    std::int64_t value = 0;
    if (jf_json_int64(text(json_), &value) != JF_OK) return std::nullopt;
    return value;
  }
  std::optional<double> number() const {
    double value = 0;
    if (jf_json_double(text(json_), &value) != JF_OK) return std::nullopt;
    return value;
  }
  std::optional<bool> boolean() const {
    int value = 0;
    if (jf_json_bool(text(json_), &value) != JF_OK) return std::nullopt;
    return value != 0;
  }
  // The same as a comparison with string(), without the copy.
  bool equals(std::string_view other) const {
    return jf_json_equals(text(json_), text(other)) != 0;
  }

  template <class Value>
  class Range;
  Range<Json> elements() const;   // of an array; else none
  Range<Member> members() const;  // of an object, in the text's order; else none

 private:
  explicit Json(jf_text span) : json_(view(span)) {}  // of a value and nothing else

  std::string_view json_;
};

// A member of an object.
struct Member {
  Json quoted_key;
  Json value;
  std::string key() const { return quoted_key.string().value_or(""); }
};

// What `for` walks over.
template <class Value>
class Json::Range {
 public:
  class Iterator {
   public:
    Iterator() = default;
    explicit Iterator(jf_json_walk walk) : walk_(walk), ended_(false) { ++*this; }
    const Value& operator*() const { return value_; }
    const Value* operator->() const { return &value_; }
    Iterator& operator++() {
      jf_text key;
      jf_text value;
      ended_ = jf_json_next(&walk_, &key, &value) == 0;
      if (ended_) return *this;
      if constexpr (std::is_same_v<Value, Member>) {
        value_ = Member{Json(key), Json(value)};
      } else {
        value_ = Json(value);
      }
      return *this;
    }
    bool operator!=(const Iterator& other) const { return ended_ != other.ended_; }
    bool operator==(const Iterator& other) const { return ended_ == other.ended_; }

   private:
    jf_json_walk walk_{};
    bool ended_ = true;
    Value value_{};
  };

  explicit Range(jf_json_walk walk) : walk_(walk) {}
  Iterator begin() const { return Iterator(walk_); }
  Iterator end() const { return Iterator(); }

 private:
  jf_json_walk walk_;
};

inline Json::Range<Json> Json::elements() const {
  return Range<Json>(jf_json_begin(text(is_array() ? json_ : std::string_view())));
}
inline Json::Range<Member> Json::members() const {
  return Range<Member>(jf_json_begin(text(is_object() ? json_ : std::string_view())));
}

// Writes JSON into a string of its own. Commas and quotes come by themselves; that every object()
// and array() has its end(), and every member its key, is the caller's part.
class JsonWriter {
 public:
  JsonWriter& object() { return open('{', '}'); }
  JsonWriter& array() { return open('[', ']'); }
  // Ends the innermost object or array.
  JsonWriter& end() {
    if (closers_.empty()) return *this;
    out_ += closers_.back();
    closers_.pop_back();
    comma_ = true;
    return *this;
  }
  JsonWriter& key(std::string_view key) {
    separate();
    append_quoted(out_, key);
    out_ += ':';
    comma_ = false;
    return *this;
  }
  // JSON text as it is. An empty one is written as null.
  JsonWriter& raw(std::string_view json) {
    separate();
    out_ += json.empty() ? std::string_view("null") : json;
    comma_ = true;
    return *this;
  }
  JsonWriter& null() { return raw("null"); }

  // A string, a number, a bool, a Json (as it is), an optional of these (empty: null). Doubles are
  // written with the fewest digits that read back as the same; those that JSON cannot write (not a
  // number, infinite) as null.
  JsonWriter& value(std::string_view value) {
    separate();
    append_quoted(out_, value);
    comma_ = true;
    return *this;
  }
  JsonWriter& value(const std::string& value) { return this->value(std::string_view(value)); }
  JsonWriter& value(const char* value) { return this->value(std::string_view(value)); }
  JsonWriter& value(const Json& value) { return raw(value.raw()); }
  JsonWriter& value(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& value(std::nullptr_t) { return null(); }
  template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
  JsonWriter& value(Number value) {
    if constexpr (std::is_floating_point_v<Number>) {
      if (!std::isfinite(value)) return null();
    }
    std::array<char, 64> digits;
    const std::to_chars_result done =
        std::to_chars(digits.data(), digits.data() + digits.size(), value);
    return raw(std::string_view(digits.data(), static_cast<std::size_t>(done.ptr - digits.data())));
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  template <class T>
  JsonWriter& field(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  JsonWriter& raw_field(std::string_view name, std::string_view json) {
    return key(name).raw(json);
  }

  const std::string& str() const { return out_; }
  std::string take() {
    closers_.clear();
    comma_ = false;
    return std::exchange(out_, std::string());
  }

 private:
  void separate() {
    if (comma_) out_ += ',';
  }
  JsonWriter& open(char opener, char closer) {
    separate();
    out_ += opener;
    closers_ += closer;
    comma_ = false;
    return *this;
  }

  std::string out_;
  std::string closers_;  // of what is open, the innermost last
  bool comma_ = false;   // a comma comes before the next value or key
};

class Want;

namespace want {
Want one_of(std::vector<std::string> choices);
Want integer(std::int64_t min, std::int64_t max);
Want list(Want element);
Want object(std::vector<std::pair<std::string, Want>> members);
}  // namespace want

// What a payload, or a configuration, has to look like. Made by the functions in jf::want:
//
//     jf::want::object({{"text", jf::want::string()},
//                       {"limit", jf::want::integer(1, 100).optional()}})
//
// `check` gives the first mistake as a sentence that begins with its path, such as
// "thought.thoughtNumber: must be a positive integer", or an empty text. Members that are not named
// are taken, unless the object is `closed`.
class Want {
 public:
  using Fields = std::vector<std::pair<std::string, Want>>;
  enum class Kind { kAny, kString, kInteger, kNumber, kBoolean, kArray, kObject };

  explicit Want(Kind kind) : kind_(kind) {}

  // The member may be left out.
  Want optional() const {
    Want copy = *this;
    copy.optional_ = true;
    return copy;
  }
  // null is right as well.
  Want or_null() const {
    Want copy = *this;
    copy.nullable_ = true;
    return copy;
  }
  // An object with other members than the named ones is wrong.
  Want closed() const {
    Want copy = *this;
    copy.closed_ = true;
    return copy;
  }
  // Strings: `test` says whether the decoded text is right; `must` completes "must ...".
  Want passing(bool (*test)(std::string_view), std::string must) const {
    Want copy = *this;
    copy.test_ = test;
    copy.must_ = std::move(must);
    return copy;
  }

  std::string check(const Json& json, const std::string& path = "") const {
    if (nullable_ && json.is_null()) return "";
    switch (kind_) {
      case Kind::kAny:
        return "";
      case Kind::kString:
        return check_string(json, path);
      case Kind::kInteger:
        return check_integer(json, path);
      case Kind::kNumber:
        return json.is_number() ? "" : wrong(path, "a number");
      case Kind::kBoolean:
        return json.is_bool() ? "" : wrong(path, "true or false");
      case Kind::kArray:
        return check_array(json, path);
      case Kind::kObject:
        return check_object(json, path);
    }
    return "";
  }

 private:
  friend Want want::one_of(std::vector<std::string> choices);
  friend Want want::integer(std::int64_t min, std::int64_t max);
  friend Want want::list(Want element);
  friend Want want::object(Fields members);

  static std::string said(const std::string& path, const std::string& what) {
    return (path.empty() ? std::string("payload") : path) + ": " + what;
  }
  std::string wrong(const std::string& path, const std::string& what) const {
    return said(path, "must be " + what + (nullable_ ? " or null" : ""));
  }

  std::string check_string(const Json& json, const std::string& path) const {
    if (test_ == nullptr && choices_.empty()) {
      return json.is_string() ? "" : wrong(path, "a string");
    }
    const std::optional<std::string> value = json.string();
    if (!value) return wrong(path, choices_.empty() ? "a string" : choices());
    if (test_ != nullptr && !test_(*value)) return said(path, "must " + must_);
    if (choices_.empty()) return "";
    for (const std::string& choice : choices_) {
      if (choice == *value) return "";
    }
    return wrong(path, choices());
  }

  std::string choices() const {
    std::string list = "one of ";
    for (const std::string& choice : choices_) {
      if (&choice != &choices_.front()) list += ", ";
      list += choice;
    }
    return list;
  }

  std::string check_integer(const Json& json, const std::string& path) const {
    std::int64_t value = 0;
    // Beyond int64_t is still a whole number; the value is its nearest then.
    const std::int32_t result = jf_json_int64(text(json.raw()), &value);
    if (result != JF_E_PAYLOAD && value >= min_ && value <= max_) return "";
    const bool has_min = min_ != std::numeric_limits<std::int64_t>::min();
    const bool has_max = max_ != std::numeric_limits<std::int64_t>::max();
    if (has_min && has_max) {
      return wrong(path, "an integer from " + std::to_string(min_) + " to " + std::to_string(max_));
    }
    if (has_min && min_ == 1) return wrong(path, "a positive integer");
    if (has_min) return wrong(path, "an integer of at least " + std::to_string(min_));
    return wrong(path, "an integer");
  }

  std::string check_array(const Json& json, const std::string& path) const {
    if (!json.is_array()) return wrong(path, "a list");
    std::size_t index = 0;
    for (const Json& element : json.elements()) {
      std::string mistake =
          element_.front().check(element, path + "[" + std::to_string(index) + "]");
      if (!mistake.empty()) return mistake;
      ++index;
    }
    return "";
  }

  std::string check_object(const Json& json, const std::string& path) const {
    if (!json.is_object()) return wrong(path, "an object");
    if (fields_.empty() && !closed_) return "";
    const std::string prefix = path.empty() ? "" : path + ".";
    // One walk, however many fields: a payload may be large.
    std::vector<Json> found(fields_.size());
    std::optional<std::string> unknown;
    for (const Member& member : json.members()) {
      std::size_t at = 0;
      while (at < fields_.size() && !member.quoted_key.equals(fields_[at].first)) ++at;
      if (at < fields_.size()) {
        found[at] = member.value;
      } else if (closed_ && !unknown) {
        unknown = member.key();
      }
    }
    for (std::size_t at = 0; at < fields_.size(); ++at) {
      const auto& [name, want] = fields_[at];
      if (found[at].exists()) {
        std::string mistake = want.check(found[at], prefix + name);
        if (!mistake.empty()) return mistake;
      } else if (!want.optional_) {
        return prefix + name + ": is required";
      }
    }
    return unknown ? prefix + *unknown + ": is not known" : "";
  }

  Kind kind_;
  bool optional_ = false;
  bool nullable_ = false;
  bool closed_ = false;
  std::int64_t min_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t max_ = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> choices_;
  bool (*test_)(std::string_view) = nullptr;
  std::string must_;
  Fields fields_;              // kObject
  std::vector<Want> element_;  // kArray: one
};

namespace want {

inline Want any() { return Want(Want::Kind::kAny); }
inline Want string() { return Want(Want::Kind::kString); }
inline Want one_of(std::vector<std::string> choices) {
  Want want(Want::Kind::kString);
  want.choices_ = std::move(choices);
  return want;
}
inline Want integer() { return Want(Want::Kind::kInteger); }
inline Want integer(std::int64_t min, std::int64_t max) {
  Want want(Want::Kind::kInteger);
  want.min_ = min;
  want.max_ = max;
  return want;
}
inline Want at_least(std::int64_t min) {
  return integer(min, std::numeric_limits<std::int64_t>::max());
}
inline Want positive() { return at_least(1); }
inline Want number() { return Want(Want::Kind::kNumber); }
inline Want boolean() { return Want(Want::Kind::kBoolean); }
inline Want list(Want element) {
  Want want(Want::Kind::kArray);
  want.element_.push_back(std::move(element));
  return want;
}
inline Want object(Want::Fields members) {
  Want want(Want::Kind::kObject);
  want.fields_ = std::move(members);
  return want;
}
inline Want object() { return Want(Want::Kind::kObject); }

}  // namespace want
}  // namespace jf
