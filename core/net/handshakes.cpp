#include "core/net/handshakes.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace jackfield::net {

Handshakes::~Handshakes() {
  if (timer_ != 0) loop_.cancel_timer(timer_);
}

void Handshakes::set_timeout(std::chrono::milliseconds timeout) {
  timeout_ = timeout;
  if (timer_ != 0) loop_.cancel_timer(std::exchange(timer_, 0));
  watch();
}

void Handshakes::begin(lws* wsi) {
  if (in_order_.size() >= kMax) {
    ++counts_.handshakes_crowded_out;
    cut_oldest("too many handshakes");
  }
  in_order_.push_back({wsi, base::Loop::now(), false});
  by_wsi_[wsi] = std::prev(in_order_.end());
  watch();
}

void Handshakes::end(lws* wsi) {
  const auto found = by_wsi_.find(wsi);
  if (found == by_wsi_.end()) return;
  in_order_.erase(found->second);
  by_wsi_.erase(found);
  if (in_order_.empty() && timer_ != 0) {
    loop_.cancel_timer(timer_);
    timer_ = 0;
  }
}

void Handshakes::answered(lws* wsi) {
  const auto found = by_wsi_.find(wsi);
  if (found != by_wsi_.end()) found->second->is_answered = true;
}

void Handshakes::gone(lws* wsi) {
  const auto found = by_wsi_.find(wsi);
  if (found == by_wsi_.end()) return;
  if (!found->second->is_answered) ++counts_.handshakes_broken_off;
  end(wsi);
}

void Handshakes::cut_oldest(const char* why) {
  lws* const wsi = in_order_.front().wsi;
  log_.info("handshake cut", {{"reason", why}});
  end(wsi);
  ::shutdown(lws_get_socket_fd(wsi), SHUT_RDWR);  // and libwebsockets closes
}

void Handshakes::judge() {
  is_due_ = false;
  const auto now = base::Loop::now();
  const auto latest = now - timeout_;
  const bool was_held_up = !in_order_.empty() && in_order_.front().begun <= latest - timeout_;
  if (was_held_up) {  // by a plugin or by SIGSTOP; that is not the peers' fault
    for (Handshake& handshake : in_order_) handshake.begun = now;
  }
  while (!in_order_.empty() && in_order_.front().begun <= latest) {
    ++counts_.handshakes_timed_out;
    cut_oldest("timed out");
  }
  watch();
}

void Handshakes::watch() {
  using std::chrono::milliseconds;
  if (timer_ != 0 || is_due_ || in_order_.empty()) return;
  const auto left = in_order_.front().begun + timeout_ - base::Loop::now();
  const auto delay = std::chrono::ceil<milliseconds>(left);
  timer_ = loop_.start_timer(std::max(delay, milliseconds(1)), milliseconds(0), [this] {
    timer_ = 0;
    is_due_ = true;
    loop_.wake();
  });
}

}  // namespace jackfield::net
