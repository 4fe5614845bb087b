#include "core/hub/meter.hpp"

namespace jackfield::hub {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;
// Where messages have no limit, only octets.
constexpr std::uint16_t kSomeRefusals = 2000;

std::uint32_t cost_at(std::size_t per_second) {
  return per_second == 0 ? 0 : static_cast<std::uint32_t>(kSecond / per_second);
}

}  // namespace

Rates::Rates(std::size_t messages_per_s, std::size_t bytes_per_s, std::size_t subscribes_per_s,
             std::size_t max_subscriptions)
    : message_cost(cost_at(messages_per_s)),
      subscribe_cost(cost_at(subscribes_per_s)),
      subscribe_burst(static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
          std::uint64_t{subscribe_cost} * max_subscriptions, kBurst, UINT32_MAX / 2))),
      max_refusals(message_cost == 0 ? kSomeRefusals
                                     : static_cast<std::uint16_t>(std::clamp<std::uint32_t>(
                                           kBurst / message_cost, 1, UINT16_MAX))),
      octet_cost(bytes_per_s == 0 ? 0 : (kSecond << kOctetShift) / bytes_per_s) {}

}  // namespace jackfield::hub
