#include "core/net/first_messages.hpp"

#include <iterator>
#include <new>

#include "core/net/ws_link.hpp"

namespace jackfield::net {

using std::chrono::milliseconds;

void FirstMessages::set_timeout(milliseconds timeout) {
  timeout_ = timeout;
  deadline_.clear();
  if (timeout_.count() == 0) {
    in_order_.clear();
    by_link_.clear();
  }
  watch();
}

void FirstMessages::begin(WsLink& link) {
  if (timeout_.count() == 0) return;
  in_order_.push_back({&link, base::Loop::now()});
  try {
    by_link_[&link] = std::prev(in_order_.end());
  } catch (const std::bad_alloc&) {
    in_order_.pop_back();
    throw;
  }
  watch();
}

void FirstMessages::erase(WsLink& link) {
  const auto found = by_link_.find(&link);
  if (found == by_link_.end()) return;
  in_order_.erase(found->second);
  by_link_.erase(found);
  if (in_order_.empty()) deadline_.clear();
}

void FirstMessages::judge() {
  const auto now = base::Loop::now();
  if (deadline_.take() >= Deadline::kHeldUp) {  // and peers perhaps with it
    for (Waiting& waiting : in_order_) waiting.begun = now;
  }
  const auto latest = now - timeout_;
  while (!in_order_.empty() && in_order_.front().begun <= latest) {
    WsLink& link = *in_order_.front().link;
    ++counts_.first_messages_missed;
    log_.info("connection closed: no message came", {{"peer", link.facts().peer()}});
    erase(link);
    link.expel("No message came");
  }
  watch();
}

void FirstMessages::watch() {
  if (!in_order_.empty() && !deadline_.is_set()) deadline_.set(in_order_.front().begun + timeout_);
}

}  // namespace jackfield::net
