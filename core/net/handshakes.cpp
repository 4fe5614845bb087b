#include "core/net/handshakes.hpp"

#include <sys/socket.h>

#include <iterator>
#include <new>

namespace jackfield::net {
namespace {

// RFC 9110 sections 15.5.9 and 15.6.4.
constexpr std::string_view kTimeout =
    "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: text/plain\r\n"
    "content-length: 38\r\n\r\nThe request did not come in its time.\n";
constexpr std::string_view kCrowded =
    "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-type: text/plain\r\n"
    "content-length: 44\r\n\r\nToo many others ask, and this one was first\n";

}  // namespace

void Handshakes::set_timeout(std::chrono::milliseconds timeout) {
  timeout_ = timeout;
  deadline_.clear();
  watch();
}

void Handshakes::begin(lws* wsi, const Arrival& arrival) {
  if (in_order_.size() >= kMax) {
    ++counts_.handshakes_crowded_out;
    cut_oldest("too many handshakes", kCrowded);
  }
  in_order_.push_back({wsi, base::Loop::now(), arrival, false});
  try {
    by_wsi_[wsi] = std::prev(in_order_.end());
    watch();
  } catch (const std::bad_alloc&) {
    by_wsi_.erase(wsi);
    in_order_.pop_back();
    throw;
  }
}

void Handshakes::end(lws* wsi) {
  const Arrival arrival = take(wsi);
  if (arrival.address) addresses_.leave(*arrival.address);
}

Handshakes::Arrival Handshakes::take(lws* wsi) {
  const auto found = by_wsi_.find(wsi);
  if (found == by_wsi_.end()) return {};
  const Arrival arrival = found->second->arrival;
  in_order_.erase(found->second);
  by_wsi_.erase(found);
  if (in_order_.empty()) deadline_.clear();
  return arrival;
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

// Without TLS it is told why, unless it has had an answer. Within TLS nothing can be said that is
// sure not to wait.
void Handshakes::cut_oldest(const char* why, std::string_view answer) {
  lws* const wsi = in_order_.front().wsi;
  const bool is_answered = in_order_.front().is_answered;
  log_.info("handshake cut", {{"reason", why}});
  end(wsi);
  if (lws_is_ssl(wsi) == 0 && !is_answered) {
    const int descriptor = lws_get_socket_fd(wsi);
    static_cast<void>(::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL));
  }
  ::shutdown(lws_get_socket_fd(wsi), SHUT_RDWR);  // and libwebsockets closes
}

void Handshakes::judge() {
  const auto now = base::Loop::now();
  const auto latest = now - timeout_;
  if (deadline_.take() >= Deadline::kHeldUp) {  // that is not the peers' fault
    for (Handshake& handshake : in_order_) handshake.begun = now;
  }
  while (!in_order_.empty() && in_order_.front().begun <= latest) {
    ++counts_.handshakes_timed_out;
    cut_oldest("timed out", kTimeout);
  }
  watch();
}

void Handshakes::watch() {
  if (!in_order_.empty() && !deadline_.is_set()) deadline_.set(in_order_.front().begun + timeout_);
}

}  // namespace jackfield::net
