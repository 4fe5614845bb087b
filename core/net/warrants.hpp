// What connections were let in by, and how long that lasts: one whose token expires, or is taken
// away, is closed with 1008, and so is one without a token where that will not do any more. One
// clock for all, at rest while nothing expires. Those without a token cost nothing here but when
// the gate changes. Loop thread.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/access/gate.hpp"
#include "core/base/log.hpp"
#include "core/net/counts.hpp"
#include "core/net/deadline.hpp"

namespace jackfield::net {

class WsLink;

class Warrants {
 public:
  // How often the clock is looked at where something expires: it may be set meanwhile.
  static constexpr std::chrono::milliseconds kMaxWait{30000};

  Warrants(LoopUv& loop, base::Log& log, Counts& counts)
      : log_(log), counts_(counts), deadline_(loop) {}
  Warrants(const Warrants&) = delete;
  Warrants& operator=(const Warrants&) = delete;

  // Who asks; outlives this. Null: what there is stays.
  void use(const access::Gate* gate) { gate_ = gate; }

  void add(WsLink& link, const access::Warrant& warrant);
  // It is gone.
  void forget(WsLink& link) {
    if (!by_link_.empty()) erase(link);
  }

  // The gate has changed: closes those of all links whose token or key it has no more, or has with
  // other groups, or whom it would not let in without one; and looks at the times again.
  void recheck(const std::vector<std::unique_ptr<WsLink>>& links);

  // Closes those whose token has expired. To be called when all is read that there is.
  void close_late() {
    if (deadline_.is_due()) close_expired();
  }

 private:
  using Expiry = std::pair<access::WallTime, WsLink*>;

  bool stands(WsLink& link) const;
  void revoke(WsLink& link);
  void erase(WsLink& link);
  void close_expired();
  void watch();

  base::Log& log_;
  Counts& counts_;
  const access::Gate* gate_ = nullptr;
  std::unordered_map<WsLink*, access::Warrant> by_link_;
  std::set<Expiry> expiries_;  // of those that expire
  Deadline deadline_;          // of the first of them, or when the clock is looked at again
};

}  // namespace jackfield::net
