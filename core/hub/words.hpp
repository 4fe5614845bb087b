// The protocol's own words: events that the hub itself handles and sends, codes of its errors.
#pragma once

#include <string_view>

namespace jackfield::hub {

inline constexpr std::string_view kSubscribe = "subscribe";
inline constexpr std::string_view kSubscribed = "subscribed";
inline constexpr std::string_view kUnsubscribe = "unsubscribe";
inline constexpr std::string_view kUnsubscribed = "unsubscribed";

inline constexpr std::string_view kInvalidPayload = "INVALID_PAYLOAD";
inline constexpr std::string_view kInternalError = "INTERNAL_ERROR";
inline constexpr std::string_view kLimitExceeded = "LIMIT_EXCEEDED";
inline constexpr std::string_view kForbidden = "FORBIDDEN";
inline constexpr std::string_view kChannelUnloaded = "CHANNEL_UNLOADED";

}  // namespace jackfield::hub
