// The account of all that is sent: what must arrive where, and whether it did. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::soak {

// What one publisher says on one topic: numbered from 1 on.
struct Stream {
  std::string topic;
  std::uint64_t sent = 0;   // the number of the last that was sent
  std::uint64_t heard = 0;  // the last that the publisher heard itself, as a subscriber
};

class Ledger {
 public:
  struct Counts {
    std::uint64_t sent = 0;        // to be heard by all subscribers, or answered
    std::uint64_t arrived = 0;     // deliveries that were due
    std::uint64_t lost = 0;        // that were due and did not come
    std::uint64_t doubled = 0;     // twice, or out of their order
    std::uint64_t stray = 0;       // that nobody was to get
    std::uint64_t errors = 0;      // the server sent to who did nothing wrong
    std::uint64_t cut_off = 0;     // connections that did nothing wrong and ended
    std::uint64_t misanswered = 0; // rudenesses that were answered otherwise than they should be
    std::uint64_t opened = 0;      // connections
    std::uint64_t rude = 0;        // of them, those that broke a rule

    bool is_clean() const {
      return lost + doubled + stray + errors + cut_off + misanswered == 0;
    }
  };

  Counts counts;

  // What is wrong, for people; the first ones are kept.
  void complain(const std::string& sentence) {
    if (complaints_.size() < kMostComplaints) complaints_.push_back(sentence);
  }
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  static constexpr std::size_t kMostComplaints = 20;
  std::vector<std::string> complaints_;
};

// One subscriber's part of a stream, from its `subscribed` to its end: every message that was sent
// after the one and before the other must come, once and in order.
class Hearing {
 public:
  explicit Hearing(const Stream& stream) : stream_(&stream) {}

  const Stream& stream() const { return *stream_; }
  bool is_joined() const { return is_joined_; }

  // `subscribed` came. What is sent from now on is due.
  void joined();
  // The message of that number came.
  void heard(std::uint64_t number, Ledger& ledger);
  // All up to this number was handled by the server before what has just come.
  void expect_up_to(std::uint64_t number, Ledger& ledger) const;
  // The subscription is over.
  void left() { is_joined_ = false; }

 private:
  const Stream* stream_;
  bool is_joined_ = false;
  std::uint64_t due_from_ = 0;  // the number of the first that must come
  std::uint64_t last_ = 0;      // 0: none came yet
};

}  // namespace jackfield::soak
