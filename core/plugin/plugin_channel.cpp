#include "core/plugin/plugin_channel.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/plugin/generation.hpp"
#include "core/plugin/text.hpp"

namespace jackfield::plugin {
namespace {

// A jf_request and the params that it points to.
struct RequestFrame {
  RequestFrame(const hub::Request& request, std::uint32_t reason)
      : value{.size = sizeof value,
              .reason = reason,
              .call = request.call,
              .connection = request.connection,
              .subscription = request.subscription,
              .topic = to_text(request.topic),
              .params = params.data(),
              .params_count = request.params.count,
              .event = to_text(request.event),
              .payload = to_text(request.payload)} {
    for (std::size_t i = 0; i < request.params.count; ++i) {
      const hub::Param& param = request.params.items[i];
      params[i] = {to_text(param.name), to_text(param.value)};
    }
  }
  RequestFrame(const RequestFrame&) = delete;
  RequestFrame& operator=(const RequestFrame&) = delete;

  std::array<jf_param, hub::Params::kMax> params;  // params_count of them
  jf_request value;
};

}  // namespace

PluginChannel::PluginChannel(Generation& generation, hub::Pattern pattern,
                             const jf_channel& handlers, void* channel)
    : generation_(generation), pattern_(std::move(pattern)), handlers_{}, channel_(channel) {
  std::memcpy(&handlers_, &handlers, std::min<std::size_t>(handlers.size, sizeof handlers_));
}

std::string_view PluginChannel::owner() const { return generation_.manifest().name; }

std::int32_t PluginChannel::call(const char* function, const hub::Request& request,
                                 std::uint32_t reason,
                                 std::int32_t (*handler)(void*, const jf_request*)) {
  const RequestFrame frame(request, reason);
  generation_.set_checked_payload(request.payload);
  const std::int32_t result = generation_.run(
      {generation_.callee(), function, request.topic, request.event, pattern_.text()},
      [&] { return handler(channel_, &frame.value); });
  generation_.set_checked_payload({});
  return result;
}

bool PluginChannel::match(const hub::Request& request) {
  if (handlers_.match == nullptr) return true;
  return call("match", request, 0, handlers_.match) > 0;
}

hub::Answer PluginChannel::join(const hub::Request& request) {
  if (handlers_.join == nullptr) return hub::Answer::ok();
  return to_answer("join", call("join", request, 0, handlers_.join));
}

hub::Answer PluginChannel::event(const hub::Request& request) {
  if (handlers_.event == nullptr) return hub::Answer::no_event();
  const std::int32_t result = call("event", request, 0, handlers_.event);
  return result == JF_NO_EVENT ? hub::Answer::no_event() : to_answer("event", result);
}

void PluginChannel::leave(const hub::Request& request, hub::LeaveReason reason) {
  if (handlers_.leave == nullptr) return;
  const RequestFrame frame(request, static_cast<std::uint32_t>(reason));
  generation_.run({generation_.callee(), "leave", request.topic, {}, pattern_.text()}, [&] {
    handlers_.leave(channel_, &frame.value);
    return JF_OK;
  });
}

bool PluginChannel::adopt(const hub::Request& request) {
  return handlers_.adopt == nullptr || call("adopt", request, 0, handlers_.adopt) >= 0;
}

hub::Answer PluginChannel::to_answer(const char* function, std::int32_t result) {
  switch (result) {
    case JF_OK: return hub::Answer::ok();
    case JF_PENDING: return hub::Answer::pending();
    case JF_E_PAYLOAD: return hub::Answer::refused("INVALID_PAYLOAD", "Invalid payload");
    case JF_E_FORBIDDEN: return hub::Answer::refused("FORBIDDEN", "Not allowed");
    default: break;
  }
  if (result != JF_E_INTERNAL) {
    generation_.surroundings().log.warning(
        "plugin returned a result that has no meaning there",
        {{"plugin", owner()}, {"function", function}, {"result", result}});
  }
  return hub::Answer::refused("INTERNAL_ERROR", "Internal error");
}

}  // namespace jackfield::plugin
