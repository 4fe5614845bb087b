// What happened while the hub was at work: each call into a channel, with what the channel did in
// it and how it ended. The hub runs first and this is recorded; then the model runs and is given
// the same answers, and must ask for them in the same order.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/hub/channel.hpp"

namespace jackfield::fuzz {

using base::Id;

// A verb for channels, and what the hub said to it.
struct Verb {
  enum class Kind { kPush, kBroadcast, kReply, kKick };

  Kind kind = Kind::kPush;
  Id target = 0;  // kBroadcast: who is left out
  std::string topic{};
  std::string event{};
  std::string payload{};
  hub::Answer answer{};
  bool is_done = false;
  std::size_t count = 0;  // kBroadcast
};

// Which of the run's channels; they are never used twice.
using ChannelIndex = std::size_t;

struct Happening {
  enum class Kind { kJoin, kEvent, kLeave, kAdopt, kBeginClose };  // the last: of a link

  Kind kind = Kind::kJoin;
  ChannelIndex channel = 0;
  Id call = 0;
  Id connection = 0;
  Id subscription = 0;
  std::string topic{};
  std::string event{};
  std::string payload{};
  hub::LeaveReason reason = hub::LeaveReason::kClosed;
  std::vector<Verb> verbs{};
  hub::Answer answer{};
  bool is_adopted = false;
};

using Record = std::deque<Happening>;

}  // namespace jackfield::fuzz
