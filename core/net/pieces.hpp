// The memory of messages of which only pieces have come, over all links: one budget. A link that
// holds less than its share of it is never refused, so that who begins many large messages does not
// keep others from sending theirs. Loop thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <string_view>

namespace jackfield::net {

class Pieces {
 public:
  static constexpr std::size_t kLeastShare = 64 << 10;  // octets

  // Those of one message.
  class Of {
   public:
    explicit Of(Pieces& all) : all_(all) { ++all_.messages_; }
    ~Of() {
      --all_.messages_;
      all_.octets_ -= counted_;
    }
    Of(const Of&) = delete;
    Of& operator=(const Of&) = delete;

    const std::string& text() const { return text_; }

    // Adds a piece; false, and nothing is added, where all would be over `budget` and this one has
    // more than its share.
    bool append(std::string_view piece, std::size_t budget) {
      const std::size_t share = std::max(kLeastShare, budget / all_.messages_);
      const std::size_t wanted = text_.size() + piece.size();
      // Always the same for the same size, however it came.
      const std::size_t capacity =
          wanted <= text_.capacity() ? text_.capacity() : std::bit_ceil(wanted + 1) - 1;
      if (all_.octets_ - counted_ + capacity > budget && wanted > share) return false;
      text_.reserve(capacity);
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
  std::size_t messages_ = 0;
};

}  // namespace jackfield::net
