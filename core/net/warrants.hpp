// The connections that were let in by a token, and how long that lasts: one whose token expires, or
// is taken away, is closed with 1008. One timer for all, at rest while nothing expires. Those
// without a token cost nothing here. Loop thread.
#pragma once

#include <chrono>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/access/gate.hpp"
#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/net/counts.hpp"

namespace jackfield::net {

class WsLink;

class Warrants {
 public:
  // How often the clock is looked at where something expires: it may be set meanwhile.
  static constexpr std::chrono::milliseconds kMaxWait{30000};

  Warrants(base::Loop& loop, base::Log& log, Counts& counts)
      : loop_(loop), log_(log), counts_(counts) {}
  ~Warrants();
  Warrants(const Warrants&) = delete;
  Warrants& operator=(const Warrants&) = delete;

  // Who asks; outlives this. Null: what there is stays.
  void use(const access::Gate* gate) { gate_ = gate; }

  void add(WsLink& link, const access::Warrant& warrant);
  // It is gone.
  void forget(WsLink& link) {
    if (!by_link_.empty()) erase(link);
  }

  // The gate has changed: closes those whose token or key it has no more, or has with other groups,
  // and looks at the times again.
  void recheck();

 private:
  using Expiry = std::pair<access::WallTime, WsLink*>;

  void erase(WsLink& link);
  void close_expired();
  void watch();

  base::Loop& loop_;
  base::Log& log_;
  Counts& counts_;
  const access::Gate* gate_ = nullptr;
  std::unordered_map<WsLink*, access::Warrant> by_link_;
  std::set<Expiry> expiries_;  // of those that expire
  base::TimerId timer_ = 0;
};

}  // namespace jackfield::net
