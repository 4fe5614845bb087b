#include "tests/support/fake_host.hpp"

namespace jackfield::test {
namespace {

// A reader of JSON that takes nothing else; each function moves on and says whether it was right.
class Reader {
 public:
  explicit Reader(std::string_view json) : json_(json) {}
  bool whole() { return value(0) && (space(), at_ == json_.size()); }

 private:
  char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= json_.size() || json_[at_] != c) return false;
    ++at_;
    return true;
  }
  void space() {
    while (at_ < json_.size() && std::string_view(" \t\r\n").find(peek()) != std::string_view::npos)
      ++at_;
  }
  bool digits() {
    const std::size_t from = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > from;
  }
  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }
  bool string() {
    if (!take('"')) return false;
    while (at_ < json_.size()) {
      const char c = json_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') continue;
      if (take('u')) {
        for (int i = 0; i < 4; ++i, ++at_) {
          if (std::string_view("0123456789abcdefABCDEF").find(peek()) == std::string_view::npos)
            return false;
        }
      } else if (peek() == '\0' ||
                 std::string_view("\"\\/bfnrt").find(json_[at_++]) == std::string_view::npos) {
        return false;
      }
    }
    return false;
  }
  bool word(std::string_view expected) {
    if (json_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  bool list(char close, int depth) {
    ++at_;
    space();
    if (take(close)) return true;
    do {
      space();
      if (close == '}' && !(string() && (space(), take(':')))) return false;
      if (!value(depth + 1)) return false;
      space();
    } while (take(','));
    return take(close);
  }
  bool value(int depth) {
    if (depth > 1000) return false;
    space();
    switch (peek()) {
      case '{':
        return list('}', depth);
      case '[':
        return list(']', depth);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  std::string_view json_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_json(std::string_view json) { return Reader(json).whole(); }

}  // namespace jackfield::test
