// Who may do what with which topics. core/access implements it from the configuration's rules;
// tests over lambdas. The hub asks before it looks for a channel, so that who may not use a topic
// does not learn whether it is served. Loop thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/hub/connection_facts.hpp"

namespace jackfield::hub {

enum class Action : std::uint8_t {
  kSubscribe,  // a subscribe, also a further one
  kSend,       // any other event
  kPublish,    // a request from outside that leads to a broadcast; not asked by the hub
};

class AccessPolicy {
 public:
  virtual ~AccessPolicy() = default;

  // Asked for each message, so it should not take long. Calls nothing of the hub from within.
  virtual bool may(const ConnectionFacts& facts, Action action, std::string_view topic) const = 0;
};

}  // namespace jackfield::hub
