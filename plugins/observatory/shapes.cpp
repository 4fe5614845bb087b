#include "plugins/observatory/shapes.hpp"

#include <cstddef>
#include <utility>

namespace observatory {
namespace {

namespace want = jf::want;

// Reads a time from its front; each step takes away what it has read.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  bool whole() {
    if (!number(4, 0, 9999) || !take('-') || !number(2, 1, 12) || !take('-') || !number(2, 1, 31)) {
      return false;
    }
    if (text_.empty()) return true;
    if (!take('T') && !take('t') && !take(' ')) return false;
    if (!number(2, 0, 24) || !take(':') || !number(2, 0, 59)) return false;
    if (take(':')) {
      if (!number(2, 0, 60)) return false;
      if ((take('.') || take(',')) && !digits()) return false;
    }
    if (text_.empty()) return true;
    if (take('Z') || take('z')) return text_.empty();
    if (!take('+') && !take('-')) return false;
    if (!number(2, 0, 24)) return false;
    if (text_.empty()) return true;
    take(':');
    return number(2, 0, 59) && text_.empty();
  }

 private:
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool number(std::size_t size, int min, int max) {
    int value = 0;
    if (text_.size() < size) return false;
    for (std::size_t i = 0; i < size; ++i) {
      if (!is_digit(text_[i])) return false;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(size);
    return value >= min && value <= max;
  }
  bool digits() {
    const std::size_t before = text_.size();
    while (!text_.empty() && is_digit(text_.front())) text_.remove_prefix(1);
    return text_.size() < before;
  }

  std::string_view text_;
};

jf::Want time() { return want::string().passing(is_iso_time, "be an ISO 8601 time"); }

jf::Want thought() {
  return want::object({{"id", want::string()},
                       {"thoughtNumber", want::positive()},
                       {"totalThoughts", want::positive()},
                       {"thought", want::string()},
                       {"nextThoughtNeeded", want::boolean()},
                       {"timestamp", time()},
                       {"isRevision", want::boolean().optional()},
                       {"revisesThought", want::integer().optional()},
                       {"branchId", want::string().optional()},
                       {"branchFromThought", want::integer().optional()}});
}

jf::Want session() {
  return want::object({{"id", want::string()},
                       {"title", want::string().optional()},
                       {"tags", want::list(want::string()).optional()},
                       {"createdAt", time()},
                       {"completedAt", time().optional()},
                       {"status", want::one_of({"active", "completed", "abandoned"})}});
}

jf::Want parent() { return want::string().or_null(); }

}  // namespace

bool is_iso_time(std::string_view text) { return TimeReader(text).whole(); }

jf::Want list_sessions() {
  return want::object(
      {{"status", want::one_of({"active", "completed", "abandoned", "all"}).optional()},
       {"limit", want::integer(1, 100).optional()},
       {"offset", want::at_least(0).optional()}});
}

jf::Want session_started() { return want::object({{"session", session()}}); }

jf::Want session_ended() {
  return want::object({{"sessionId", want::string()}, {"finalThoughtCount", want::at_least(0)}});
}

jf::Want thought_added() { return want::object({{"thought", thought()}, {"parentId", parent()}}); }

jf::Want thought_revised() {
  return want::object(
      {{"thought", thought()}, {"parentId", parent()}, {"originalThoughtNumber", want::integer()}});
}

jf::Want thought_branched() {
  return want::object({{"thought", thought()},
                       {"parentId", parent()},
                       {"branchId", want::string()},
                       {"fromThoughtNumber", want::integer()}});
}

jf::Want state() {
  const jf::Want moment = want::integer(0, std::int64_t{1} << 53);
  const jf::Want kept =
      want::object({{"branch", want::string().optional()}, {"thought", thought()}});
  const jf::Want each = want::object({{"id", want::string()},
                                      {"started", moment},
                                      {"touched", moment},
                                      {"ended", moment},
                                      {"session", session().or_null()},
                                      {"branches", want::object()},
                                      {"thoughts", want::list(kept)}});
  return want::object({{"clock", moment}, {"sessions", want::list(each)}});
}

jf::Want configuration() {
  constexpr std::int64_t kMany = 1000000000;
  return want::object({{"producers", want::any().optional()},
                       {"max_sessions", want::integer(1, kMany).optional()},
                       {"max_thoughts_per_session", want::integer(1, kMany).optional()},
                       {"max_session_bytes", want::integer(1024, kMany).optional()},
                       {"max_bytes", want::integer(1024, kMany).optional()}})
      .closed();
}

}  // namespace observatory
