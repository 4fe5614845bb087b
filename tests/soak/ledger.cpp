#include "tests/soak/ledger.hpp"

namespace jackfield::soak {

void Hearing::joined() {
  is_joined_ = true;
  due_from_ = stream_->sent + 1;
  last_ = 0;
}

void Hearing::heard(std::uint64_t number, Ledger& ledger) {
  const auto complain = [&](const char* what, std::uint64_t wanted) {
    ledger.complain(stream_->topic + ": " + what + ": " + std::to_string(number) + " came, " +
                    std::to_string(wanted) + " was due");
  };
  if (!is_joined_) {
    ++ledger.counts.stray;
    return complain("nobody is subscribed", 0);
  }
  // What was sent just before `subscribed` came may come too, but then all from there on.
  const std::uint64_t wanted = last_ == 0 ? due_from_ : last_ + 1;
  ++ledger.counts.arrived;
  if (number > wanted) {
    ledger.counts.lost += number - wanted;
    complain("a gap", wanted);
  } else if (number < wanted && last_ != 0) {
    ++ledger.counts.doubled;
    --ledger.counts.arrived;
    return complain("twice, or out of order", wanted);
  }
  last_ = number;
}

void Hearing::expect_up_to(std::uint64_t number, Ledger& ledger) const {
  const std::uint64_t next = last_ == 0 ? due_from_ : last_ + 1;
  if (number < next) return;
  ledger.counts.lost += number - next + 1;
  ledger.complain(stream_->topic + ": the end is missing: " + std::to_string(next) + " to " +
                  std::to_string(number));
}

}  // namespace jackfield::soak
