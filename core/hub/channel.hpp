// A channel as the hub sees it: the handlers behind one pattern. core/plugin implements it over a
// plugin's table; tests over lambdas. Loop thread; the hub never calls a channel while another call
// into a channel is running.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/ids.hpp"
#include "core/hub/pattern.hpp"

namespace jackfield::hub {

// Why a subscription ended.
enum class LeaveReason : std::uint8_t { kUnsubscribed = 1, kClosed, kKicked, kUnloaded, kShutdown };

// What a client did on a topic. Views live for the call.
struct Request {
  base::Id call = 0;  // join, event: names the call for push and reply
  base::Id connection = 0;
  base::Id subscription = 0;  // event: the sender's, or 0 where it has none
  std::string_view topic;
  const Params& params;
  std::string_view event;    // event only
  std::string_view payload;  // join, event: JSON text as it was sent
};

// How a join or an event ended.
struct Answer {
  enum class Kind : std::uint8_t {
    kOk,
    kPending,  // Hub::reply says later
    kNoEvent,  // the channel knows no such event
    kRefused,  // the client is told code and message
  };

  static Answer ok() { return {Kind::kOk, {}, {}}; }
  static Answer pending() { return {Kind::kPending, {}, {}}; }
  static Answer no_event() { return {Kind::kNoEvent, {}, {}}; }
  static Answer refused(std::string code, std::string message) {
    return {Kind::kRefused, std::move(code), std::move(message)};
  }

  Kind kind = Kind::kOk;
  std::string code;
  std::string message;
};

class Channel {
 public:
  virtual ~Channel() = default;

  // What it serves. Stays as it is.
  virtual const Pattern& pattern() const = 0;

  // Narrows what the pattern took.
  virtual bool match(const Request& request) = 0;
  virtual Answer join(const Request& request) = 0;
  virtual Answer event(const Request& request) = 0;
  // Once for each join that ended in kOk, but not for one of a subscription that already stood.
  virtual void leave(const Request& request, LeaveReason reason) = 0;
  // Takes over a live subscription of the channel that it replaces: from now on its leave comes
  // here. False: it does not, and the subscription ends.
  virtual bool adopt(const Request& request) = 0;
  // Who serves it, for the log.
  virtual std::string_view owner() const = 0;
};

}  // namespace jackfield::hub
