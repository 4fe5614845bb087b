#include "core/net/first_messages.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "core/net/ws_link.hpp"

namespace jackfield::net {

using std::chrono::milliseconds;

FirstMessages::~FirstMessages() {
  if (timer_ != 0) loop_.cancel_timer(timer_);
}

void FirstMessages::set_timeout(milliseconds timeout) {
  timeout_ = timeout;
  if (timer_ != 0) loop_.cancel_timer(std::exchange(timer_, 0));
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
  if (in_order_.empty() && timer_ != 0) loop_.cancel_timer(std::exchange(timer_, 0));
}

void FirstMessages::close_late() {
  const auto latest = base::Loop::now() - timeout_;
  while (!in_order_.empty() && in_order_.front().begun <= latest) {
    WsLink& link = *in_order_.front().link;
    ++counts_.first_messages_missed;
    log_.info("connection closed: no message came", {{"peer", link.facts().peer()}});
    erase(link);
    link.expel("No message came");
  }
}

void FirstMessages::watch() {
  if (timer_ != 0 || in_order_.empty()) return;
  const auto left = in_order_.front().begun + timeout_ - base::Loop::now();
  const auto delay = std::chrono::ceil<milliseconds>(left);
  timer_ = loop_.start_timer(std::max(delay, milliseconds(1)), milliseconds(0), [this] {
    timer_ = 0;
    close_late();
    watch();
  });
}

}  // namespace jackfield::net
