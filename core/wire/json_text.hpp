// JSON text as RFC 8259 has it, no more and no less: what a browser's JSON.parse takes. cJSON takes
// more (01, raw control characters, a leading BOM), and cuts or loses some of what it takes, so
// text that clients and plugins send is read here: only scanned, never built into a tree, and
// passed on as the bytes it is. Nothing recurses: nesting costs one bit a level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::wire {

// Reads one JSON text from front to back. Views must outlive it.
class JsonScanner {
 public:
  static constexpr std::size_t kAnyDepth = SIZE_MAX;

  explicit JsonScanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // The next octet that is not white space (RFC 8259 section 2), or 0 at the end.
  char peek() {
    skip_space();
    return at_ != end_ ? *at_ : '\0';
  }
  // Takes `c` where it is the next octet that is not white space.
  bool take(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  // Takes a whole value; false where there is none, or where more than `max_depth` containers are
  // open at once in it, which is_too_deep() tells apart. `value` gets its text.
  bool take_value(std::string_view& value, std::size_t max_depth = kAnyDepth);
  bool is_too_deep() const { return is_too_deep_; }
  // Takes a string; `string` gets its text, quotes included.
  bool take_string(std::string_view& string);
  // Whether the string that was taken last holds escapes.
  bool had_escapes() const { return had_escapes_; }
  // Whether only white space is left.
  bool at_end() { return peek() == '\0' && at_ == end_; }

 private:
  // A stack of bits; the innermost 64 of them without an allocation.
  class Bits {
   public:
    bool is_empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    bool last() const { return (bits_ & 1) != 0; }
    void push(bool bit);
    void pop();
    void clear();

   private:
    static constexpr std::size_t kInline = 64;

    std::uint64_t bits_ = 0;  // the last lowest
    std::size_t size_ = 0;
    std::vector<std::uint64_t> outer_;  // those before, kInline in each
  };

  void skip_space() {
    // What programs write has none.
    if (at_ != end_ && static_cast<unsigned char>(*at_) <= ' ') skip_spaces();
  }
  void skip_spaces();
  bool skip_string();
  bool skip_rest_of_string();
  bool skip_escape();
  bool skip_number();
  bool skip_literal(std::string_view literal);
  bool skip_scalar();
  bool skip_containers(std::size_t max_depth);

  std::string_view since(const char* begin) const {
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  const char* at_;
  const char* const end_;
  bool had_escapes_ = false;
  bool is_too_deep_ = false;
  Bits open_;  // the open containers: whether each is an object
};

// Whether the text is one JSON value and well-formed UTF-8.
bool is_json(std::string_view text);

// What a JSON string stands for. `string` is a valid one, quotes included, as take_string gave it.
// A lone surrogate escape becomes its three-octet generalized form (WTF-8). Appends to `text`.
void append_unquoted(std::string_view string, std::string& text);

// Whether a valid JSON string, quotes included, holds escapes.
bool has_escapes(std::string_view string);

// The text as a JSON string, quotes included; always valid JSON in well-formed UTF-8. `text` is
// UTF-8 or WTF-8 (surrogates become escapes); what is neither becomes U+FFFD. Appends to `json`.
void append_quoted(std::string_view text, std::string& json);

// Whether append_quoted only puts quotes around it.
bool is_quoted_as_is(std::string_view text);

// The text (quotes included) of the string under `key` in the object `object`, a valid JSON value;
// empty where it is no object, has no such key, or that is no string. Of duplicate keys the last
// counts, as with JSON.parse.
std::string_view find_string(std::string_view object, std::string_view key);

}  // namespace jackfield::wire
