#include "core/net/warrants.hpp"

#include <algorithm>
#include <vector>

#include "core/net/ws_link.hpp"

namespace jackfield::net {

using std::chrono::milliseconds;

void Warrants::add(WsLink& link, const access::Warrant& warrant) {
  by_link_[&link] = warrant;
  if (!warrant.expires_at) return;
  const bool is_sooner = expiries_.empty() || *warrant.expires_at < expiries_.begin()->first;
  expiries_.insert({*warrant.expires_at, &link});
  // Otherwise what the clock is set for stays: those who come, however many, put nothing off.
  if (is_sooner || !deadline_.is_set()) watch();
}

void Warrants::erase(WsLink& link) {
  const auto found = by_link_.find(&link);
  if (found == by_link_.end()) return;
  if (found->second.expires_at) expiries_.erase({*found->second.expires_at, &link});
  by_link_.erase(found);
  if (expiries_.empty()) deadline_.clear();
}

void Warrants::recheck(const std::vector<std::unique_ptr<WsLink>>& links) {
  if (gate_ == nullptr) return;
  std::vector<WsLink*> revoked;
  for (const auto& link : links) {
    if (link->is_open() && !stands(*link)) revoked.push_back(link.get());
  }
  for (WsLink* link : revoked) revoke(*link);
  close_expired();
}

bool Warrants::stands(WsLink& link) const {
  const hub::ConnectionFacts& facts = link.facts();
  const auto found = by_link_.find(&link);
  if (found == by_link_.end()) return gate_->stands_without_token(facts.identity());
  return gate_->stands(found->second, facts.identity(), facts.groups());
}

void Warrants::revoke(WsLink& link) {
  const hub::ConnectionFacts& facts = link.facts();
  if (by_link_.contains(&link)) {
    ++counts_.tokens_revoked;
    log_.info("connection closed: token was revoked",
              {{"peer", facts.peer()}, {"identity", facts.identity()}});
    erase(link);
    link.expel("Token was revoked");
  } else if (facts.identity().empty()) {
    ++counts_.identities_revoked;
    log_.info("connection closed: an identity is needed now", {{"peer", facts.peer()}});
    link.expel("An identity is needed");
  } else {
    ++counts_.identities_revoked;
    log_.info("connection closed: identity was revoked",
              {{"peer", facts.peer()}, {"identity", facts.identity()}});
    link.expel("Identity was revoked");
  }
}

void Warrants::close_expired() {
  if (gate_ == nullptr || !gate_->settings().close_expired) return;
  const access::WallTime now = gate_->now();
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    WsLink& link = *expiries_.begin()->second;
    erase(link);
    if (!link.is_open()) continue;
    ++counts_.tokens_expired;
    log_.info("connection closed: token has expired",
              {{"peer", link.facts().peer()}, {"identity", link.facts().identity()}});
    link.expel("Token has expired");
  }
  watch();
}

// The wall clock may be set, back or forth, and no timer follows it: so it is looked at from time
// to time.
void Warrants::watch() {
  deadline_.clear();
  if (gate_ == nullptr || !gate_->settings().close_expired || expiries_.empty()) return;
  const access::WallTime left = expiries_.begin()->first - gate_->now();
  const auto most = std::chrono::duration_cast<std::chrono::seconds>(kMaxWait).count();
  const milliseconds delay(std::clamp<access::WallTime>(left, 0, most) * 1000);
  deadline_.set(base::Loop::now() + std::max(delay, milliseconds(20)));
}

}  // namespace jackfield::net
