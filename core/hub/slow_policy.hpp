// What becomes of the messages for a connection that does not take them as fast as they come. Each
// topic has one of these (Hub::set_backlog); a frame carries its topic's in its mark. What the
// protocol itself says (confirmations, errors) has kClose: it is never dropped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace jackfield::hub {

enum class SlowPolicy : std::uint8_t {
  kClose,       // none is lost: the connection is closed with 1013
  kDropOldest,  // the oldest of such messages make room for the new one
  kDropNew,     // the new one is dropped
  kLatest,      // of a topic's event only the newest waits
};
inline constexpr std::size_t kSlowPolicies = 4;
inline constexpr std::array<const char*, kSlowPolicies> kSlowPolicyNames = {"close", "drop_oldest",
                                                                            "drop_new", "latest"};

// A frame's mark: a policy, and whether it was pushed for a join that is not answered yet.
inline constexpr std::uint8_t kPolicyBits = 3;
inline constexpr std::uint8_t kOfJoinBit = 4;

inline SlowPolicy policy_of_mark(std::uint8_t mark) {
  return static_cast<SlowPolicy>(mark & kPolicyBits);
}

// What was dropped, by policy.
struct Drops {
  std::array<std::uint64_t, kSlowPolicies> messages{};
  std::array<std::uint64_t, kSlowPolicies> octets{};  // of their frames

  void add(SlowPolicy policy, std::size_t size) {
    ++messages[static_cast<std::size_t>(policy)];
    octets[static_cast<std::size_t>(policy)] += size;
  }
};

}  // namespace jackfield::hub
