// The memory of messages of which only pieces have come, over all links: one budget. A link that
// holds less than its share of it is never refused, so that who begins many large messages does not
// keep others from sending theirs. The share is fixed, so that all together take at most the budget
// and a share for each. Loop thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <string_view>

namespace jackfield::net {

class Pieces {
 public:
  static constexpr std::size_t kLeastShare = 16 << 10;  // octets

  // Those of one message.
  class Of {
   public:
    explicit Of(Pieces& all) : all_(all) {}
    ~Of() { all_.octets_ -= counted_; }
    Of(const Of&) = delete;
    Of& operator=(const Of&) = delete;

    const std::string& text() const { return text_; }

    // Adds a piece; false, and nothing is added, where all would be over `budget` and this one
    // would have more than its share, which is the budget's part for one of so many `links`.
    bool append(std::string_view piece, std::size_t budget, std::size_t links) {
      const std::size_t share = std::max(kLeastShare, budget / std::max<std::size_t>(1, links));
      const std::size_t wanted = text_.size() + piece.size();
      // Always the same for the same size, however it came.
      std::size_t capacity =
          wanted <= text_.capacity() ? text_.capacity() : std::bit_ceil(wanted + 1) - 1;
      if (all_.octets_ - counted_ + capacity > budget) {
        if (wanted > share) return false;
        capacity = std::max(text_.capacity(), std::min(capacity, share));
      }
      if (capacity > text_.capacity()) {
        std::string grown;
        grown.reserve(capacity);  // so many; of a longer text, up to twice as many as it has
        text_.swap(grown.append(text_));
      }
      text_.append(piece);
      all_.octets_ += text_.capacity() - counted_;
      counted_ = text_.capacity();
      return true;
    }

   private:
    Pieces& all_;
    std::string text_;
    std::size_t counted_ = 0;  // octets of memory
  };

  std::size_t octets() const { return octets_; }

 private:
  std::size_t octets_ = 0;
};

}  // namespace jackfield::net
