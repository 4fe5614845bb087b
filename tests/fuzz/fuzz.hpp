// What a fuzz target is: run(), which takes any octets, returns where all is right and ends the
// process where something is not; and what the targets need to write it. A target's program is
// linked with libfuzzer.cpp, which has libFuzzer try octets, or with replay.cpp, which runs files.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jackfield::fuzz {

// As a default argument the caller's place.
struct Where {
  const char* file;
  int line;

  static Where here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

// The target. What it is given decides about everything that it does; runs are independent. Gives
// 0, or -1 for what need not be kept (libFuzzer's convention).
int run(const std::uint8_t* octets, std::size_t size);

// Says what is wrong, and ends the process as a crash.
[[noreturn]] void fail(std::string_view sentence, Where where = Where::here());

// `sentence` says what must hold.
inline void require(bool holds, std::string_view sentence, Where where = Where::here()) {
  if (!holds) [[unlikely]] {
    fail(sentence, where);
  }
}

// The same of two texts, which are shown where they differ.
void require_same(std::string_view expected, std::string_view actual, std::string_view what,
                  Where where = Where::here());

// Reads the octets from front to back as what a target needs. At the end everything is 0 or empty.
class Input {
 public:
  Input(const std::uint8_t* octets, std::size_t size)
      : rest_(reinterpret_cast<const char*>(octets), size) {}

  bool is_empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  std::uint8_t octet() {
    if (rest_.empty()) return 0;
    const auto octet = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return octet;
  }
  // A number below `end`, of one octet. REQUIRES: end is 1 to 256.
  std::size_t below(std::size_t end) { return octet() % end; }
  bool flag() { return (octet() & 1) != 0; }
  // At most so many octets.
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace jackfield::fuzz
