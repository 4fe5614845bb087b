#include "core/config/nearest.hpp"

#include <algorithm>
#include <cstddef>

namespace jackfield::config {
namespace {

constexpr std::size_t kMaxEdits = 3;
constexpr std::size_t kMaxNameOctets = 64;  // longer ones are no typing mistake of ours

// The optimal string alignment distance, octet by octet, by three rolling rows.
std::size_t edits_between(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before_last(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[to.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view name,
                                        const std::vector<std::string_view>& candidates) {
  if (name.size() > kMaxNameOctets) return std::nullopt;
  std::size_t limit = std::min(kMaxEdits, std::max<std::size_t>(1, name.size() / 3));
  std::optional<std::string_view> found;
  for (const std::string_view candidate : candidates) {
    const std::size_t edits = edits_between(name, candidate);
    if (edits > limit || (found && edits == limit)) continue;
    found = candidate;
    limit = edits;
  }
  return found;
}

}  // namespace jackfield::config
